"""RFC 7634, Appendix A: the published ESP packet with ChaCha20-Poly1305."""

from peers.reference.by_hand import draw_spi
from peers.targets.base import Capability
from peers.targets.bound import key_by_hand
from suites.by_hand import published
from suites.judge import esp_alone, needs, requirement, turned_red_by

pytestmark = [esp_alone, needs(Capability.KEYED_BY_HAND)]


@published("rfc7634-esp")
@requirement("rfc7634-A-published-packet-opened")
@turned_red_by("garbles-what-comes-out-of-esp")
def test_published_packet_is_opened(peer, target, packet):
    """
    peer                                        target (keyed by hand with the published key)
    ESP {the published packet}          -->
                                        <--     ESP {echo reply with the published octets}
    PREVENTS: a decryption that only agrees with an encryption of the same hands.
    """
    key_by_hand(peer, target, packet.keys(draw_spi(peer.random)))
    peer.skip_to(packet.case.number("sequence") + 1)
    inner, octets = packet.inner(peer.connection), packet.case.octets("packet")

    assert peer.delivered(inner, octets), "what came out is not the published packet"
