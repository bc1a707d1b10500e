"""RFC 6040, 4.2, and RFC 4301, 5.1.2: what leaves a tunnel, of the marks of both headers."""

import pytest

from peers.reference.traffic_class import DSCP_MASK, Ecn
from suites.judge import esp_alone, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES
from suites.traffic_classes import CODEPOINTS

pytestmark = esp_alone

# Inner, outer, and what leaves the tunnel (figure 4). The rows of Not-ECT, and ECT(1) over ECT(0),
# have tests of their own.
COMBINATIONS = [
    (Ecn.ECT_0, Ecn.NOT_ECT, Ecn.ECT_0),
    (Ecn.ECT_0, Ecn.ECT_0, Ecn.ECT_0),
    (Ecn.ECT_0, Ecn.CE, Ecn.CE),
    (Ecn.ECT_1, Ecn.NOT_ECT, Ecn.ECT_1),
    (Ecn.ECT_1, Ecn.ECT_0, Ecn.ECT_1),
    (Ecn.ECT_1, Ecn.ECT_1, Ecn.ECT_1),
    (Ecn.ECT_1, Ecn.CE, Ecn.CE),
    (Ecn.CE, Ecn.NOT_ECT, Ecn.CE),
    (Ecn.CE, Ecn.ECT_0, Ecn.CE),
    (Ecn.CE, Ecn.ECT_1, Ecn.CE),
    (Ecn.CE, Ecn.CE, Ecn.CE),
]


def _id(combination):
    inner, outer, _ = combination
    return f"{outer.name}-over-{inner.name}".lower().replace("_", "")


@FAMILIES
@pytest.mark.parametrize(
    ("inner", "outer", "leaving"), COMBINATIONS, ids=[_id(each) for each in COMBINATIONS]
)
@requirement("rfc6040-4.2-more-severe-marking")
@turned_red_by("ignores-ecn-outside", "takes-ecn-from-outside", "changes-ecn-inside")
def test_more_severe_marking_leaves_the_tunnel(established, inner, outer, leaving):
    """
    peer                                        target
    IP(outer) ESP {IP(inner) {echo request}} -->
                                        <--     ESP {IP(the more severe) {echo reply}}
    """
    reply = established.marked_echo(inner, outer)

    seen = "dropped" if reply is None else Ecn.of(reply.inner.traffic_class).name
    assert seen == leaving.name, f"{outer.name} over {inner.name}: {seen}"


@FAMILIES
@requirement("rfc6040-4.2-more-severe-marking")
@turned_red_by("keeps-ect0-under-ect1", "ignores-ecn-outside", "changes-ecn-inside")
def test_ect1_is_more_severe_than_ect0(established):
    """
    peer                                        target
    IP(ECT(1)) ESP {IP(ECT(0)) {echo request}} -->
                                        <--     ESP {IP(ECT(1)) {echo reply}}
    PREVENTS: a second level of congestion that tunnels lose.
    """
    reply = established.marked_echo(Ecn.ECT_0, Ecn.ECT_1)

    seen = "dropped" if reply is None else Ecn.of(reply.inner.traffic_class).name
    assert seen == "ECT_1", f"ECT_1 over ECT_0: {seen}"


@FAMILIES
@requirement("rfc6040-4.2-ce-over-not-ect-dropped")
@turned_red_by("forwards-not-ect-under-ce", "takes-ecn-from-outside", "ignores-ecn-outside")
def test_congestion_over_a_transport_without_ecn_is_a_loss(established):
    """
    peer                                        target
    IP(CE) ESP {IP(Not-ECT) {echo request}} -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    PREVENTS: congestion of which nobody hears.
    """
    reply = established.marked_echo(Ecn.NOT_ECT, Ecn.CE)

    seen = "dropped" if reply is None else Ecn.of(reply.inner.traffic_class).name
    assert seen == "dropped", f"CE over NOT_ECT is forwarded as {seen}"


@FAMILIES
@CODEPOINTS
@twin_of(test_congestion_over_a_transport_without_ecn_is_a_loss)
@requirement("rfc6040-4.2-not-ect-stays")
@turned_red_by("takes-ecn-from-outside")
def test_packet_without_ecn_stays_without(established, codepoint):
    """
    peer                                        target
    IP(any but CE) ESP {IP(Not-ECT) {echo request}} -->
                                        <--     ESP {IP(Not-ECT) {echo reply}}
    """
    reply = established.marked_echo(Ecn.NOT_ECT, codepoint)

    seen = "dropped" if reply is None else Ecn.of(reply.inner.traffic_class).name
    assert seen == "NOT_ECT", f"{codepoint.name} over NOT_ECT: {seen}"


@FAMILIES
@requirement("rfc4301-5.1.2-inner-dscp-kept")
@turned_red_by("takes-dscp-from-outside")
def test_dscp_outside_does_not_come_in(established):
    """
    peer                                        target
    IP(DSCP 46) ESP {IP(DSCP 10) {echo request}} -->
                                        <--     ESP {IP(DSCP 10) {echo reply}}
    PREVENTS: anybody on the way who gives traffic another precedence behind the tunnel.
    """
    reply = established.marked_echo(10 << 2, 46 << 2)

    assert reply is not None, "it is dropped"
    inside = (reply.inner.traffic_class & DSCP_MASK) >> 2
    assert inside == 10, f"DSCP 46 over 10: {inside}"
