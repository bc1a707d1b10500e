"""RFC 4303, 3.1.2: tunnels whose inner packets are of another IP version than the outer ones."""

import pytest

from suites.judge import as_responder, requirement, turned_red_by
from suites.observe import sets_up_child_sa

MIXED = pytest.mark.parametrize(
    ("family", "inner_family"), [(4, 6), (6, 4)], ids=["ipv6-in-ipv4", "ipv4-in-ipv6"]
)


@MIXED
@requirement("rfc4303-3.1.2-tunnel-mode")
@turned_red_by("has-tunnels-of-one-ip-version")
def test_tunnel_carries_the_other_ip_version(peer, administrative):
    """
    peer                                        target
    HDR, SK {.., TSi, TSr}              -->     selectors of the other version
                                        <--     HDR, SK {.., TSi, TSr}
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    if not sets_up_child_sa(peer):
        administrative("tunnels for the other IP version are refused")
        return

    assert peer.echo(), "the Child SA carries no traffic"


@MIXED
@as_responder
@requirement("rfc4303-3.1.2-tunnel-mode")
@turned_red_by("has-tunnels-of-one-ip-version")
def test_target_asks_for_a_tunnel_of_the_other_ip_version(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {.., TSi, TSr}, selectors of the other
                                                version
    HDR, SK {.., TSi, TSr}              -->
                                        <--     ESP {echo request}
    ESP {echo reply}                    -->
    """
    target.echo()
    heard = accepted.hear_esp()

    assert heard.inner.source.version != heard.packet.source.address.version
    assert accepted.echo(), "the Child SA carries no traffic"
