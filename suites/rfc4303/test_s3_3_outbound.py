"""RFC 4303, 2.4 and 3.3: what a sender puts into ESP: sequence numbers and padding."""

import pytest

from peers.reference.connection import Mode
from peers.reference.numbers import IpProtocol
from peers.targets.base import Capability
from suites.judge import as_responder, esp_alone, needs, requirement, turned_red_by
from suites.terms import CBC, SUITES

pytestmark = esp_alone

TRANSPORT = needs(Capability.TRANSPORT_MODE)

WHAT_IS_INSIDE = pytest.mark.parametrize(
    ("family", "mode", "inside"),
    [
        pytest.param(4, Mode.TUNNEL, IpProtocol.IPV4, id="tunnel-ipv4"),
        pytest.param(6, Mode.TUNNEL, IpProtocol.IPV6, id="tunnel-ipv6"),
        pytest.param(4, Mode.TRANSPORT, IpProtocol.ICMP, id="transport-ipv4", marks=TRANSPORT),
        pytest.param(6, Mode.TRANSPORT, IpProtocol.ICMPV6, id="transport-ipv6", marks=TRANSPORT),
    ],
)
"""IP version, mode, and the protocol that ESP is to carry."""


@requirement("rfc4303-3.3.3-first-number-is-one")
@turned_red_by("starts-esp-at-zero")
def test_first_packet_of_an_sa_has_number_one(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP(1) {echo reply}
    """
    first = established.heard_echo().esp.sequence

    assert first == 1, f"the first packet has sequence number {first}"


@requirement("rfc4303-2.2-sequence-incremented")
@turned_red_by("counts-esp-by-two")
def test_sequence_number_rises_by_one(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP(n) {echo reply}
    ESP {echo request}                  -->
                                        <--     ESP(n+1) {echo reply}
    """
    numbers = [established.heard_echo().esp.sequence for _ in range(4)]

    assert numbers == list(range(numbers[0], numbers[0] + 4))


@SUITES
@requirement("rfc4303-2.4-padding-content")
@turned_red_by("pads-esp-with-zeros")
def test_padding_counts_from_one(established):
    """
    peer                                        target
    ESP {echo requests of several sizes} -->
                                        <--     ESP {echo replies}, padding 1, 2, 3, ..
    """
    for size in range(16):
        padding = established.heard_echo(data=bytes(size)).esp.padding
        assert padding == bytes(range(1, len(padding) + 1)), f"padding {padding.hex()}"


@requirement("rfc4303-2.4-trailer-alignment")
@turned_red_by("leaves-esp-trailers-unaligned")
def test_trailer_ends_on_a_boundary_of_four_octets(established):
    """
    peer                                        target
    ESP {echo requests of several sizes} -->
                                        <--     ESP {echo replies}, trailers aligned
    """
    for size in range(16):
        esp = established.heard_echo(data=bytes(size)).esp
        end = len(esp.payload) + len(esp.tfc) + len(esp.padding) + 2
        assert end % 4 == 0, f"a trailer that ends at octet {end} of the plaintext"


@WHAT_IS_INSIDE
@requirement("rfc4303-2.6-next-header-of-mode", "rfc4303-3.1.1-transport-mode")
@turned_red_by("names-another-next-header")
def test_next_header_names_what_is_inside(established, inside):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}, Next Header 4 or 41,
                                                in transport mode that of ICMP
    """
    heard = established.heard_echo()

    assert heard.esp.next_header == inside, f"Next Header {heard.esp.next_header}"
    if established.child.terms.mode is Mode.TRANSPORT:
        assert heard.esp.payload == heard.inner.payload, "no ICMP message right behind the IV"


@pytest.mark.parametrize("suite", [pytest.param(CBC, id="aes-cbc-256-sha2-256")])
@requirement("rfc4303-3.3.2.1-encrypt-then-authenticate")
@turned_red_by("authenticates-the-plaintext-too")
def test_icv_of_a_separate_algorithm_covers_the_ciphertext(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}, ICV over SPI, sequence number,
                                                IV and ciphertext
    """
    assert established.echo(), "no reply whose ICV is the one of header, IV and ciphertext"


@as_responder
@needs(Capability.IKE)
@requirement("rfc4303-3.1.2-tunnel-mode")
@turned_red_by("swaps-child-keys")
def test_target_sends_its_own_traffic_through_the_child_sa(accepted, target):
    """
    peer                                        target
    ESP {echo request} (the Child SA is up) -->
                                        <--     ESP {echo reply}
                                        <--     ESP {echo request}
    ESP {echo reply}                    -->
    """
    assert accepted.echo(), "the Child SA is not up"
    target.echo()
    heard = accepted.hear_esp()

    assert heard.esp.next_header == 4, f"next header {heard.esp.next_header} in tunnel mode"
    assert accepted.child.covers(heard.inner), f"{heard.inner} is outside the selectors"
