"""RFC 6040, 4.1, and RFC 4301, 5.1.2: what an outer header takes over of the inner one."""

import pytest

from peers.reference.traffic_class import DSCP_MASK, Ecn
from suites.judge import esp_alone, requirement, turned_red_by, twin_of
from suites.terms import FAMILIES
from suites.traffic_classes import CODEPOINTS, alike

pytestmark = esp_alone


@FAMILIES
@CODEPOINTS
@requirement("rfc6040-4.1-ecn-copied-outside", "rfc6040-4.3-normal-mode-used")
@turned_red_by("clears-ecn-outside")
def test_ect_inside_is_copied_outside(established, codepoint):
    """
    peer                                        target
    IP(ECN) ESP {IP(ECN) {echo request}} -->
                                        <--     IP(ECN) ESP {IP(ECN) {echo reply}}
    """
    reply = alike(established, codepoint)

    outside = Ecn.of(reply.packet.traffic_class)
    assert outside is codepoint, f"{outside.name} outside, {codepoint.name} inside"


@FAMILIES
@requirement("rfc6040-4.1-ecn-copied-outside")
@turned_red_by("resets-ce-outside", "clears-ecn-outside")
def test_ce_inside_is_copied_outside(established):
    """
    peer                                        target
    IP(CE) ESP {IP(CE) {echo request}}  -->
                                        <--     IP(CE) ESP {IP(CE) {echo reply}}
    PREVENTS: congestion before the tunnel that a second marking on the way cannot be told from.
    """
    reply = alike(established, Ecn.CE)

    outside = Ecn.of(reply.packet.traffic_class)
    assert outside is Ecn.CE, f"{outside.name} outside, CE inside"


@FAMILIES
@CODEPOINTS
@twin_of(test_ce_inside_is_copied_outside)
@requirement("rfc6040-4.1-inner-header-unchanged")
@turned_red_by("changes-ecn-inside")
def test_ecn_inside_is_not_changed(established, codepoint):
    """
    peer                                        target
    IP(ECN) ESP {IP(ECN) {echo request}} -->
                                        <--     ESP {IP(ECN) {echo reply}}
    """
    reply = alike(established, codepoint)

    inside = Ecn.of(reply.inner.traffic_class)
    assert inside is codepoint, f"{inside.name} inside, {codepoint.name} was put in"


@FAMILIES
@pytest.mark.parametrize("dscp", [0x28, 0xB8], ids=["af11", "ef"])
@requirement("rfc4301-5.1.2-dscp-copied-outside")
@turned_red_by("clears-dscp-outside")
def test_dscp_inside_is_copied_outside(established, dscp):
    """
    peer                                        target
    IP(DSCP) ESP {IP(DSCP) {echo request}} -->
                                        <--     IP(DSCP) ESP {IP(DSCP) {echo reply}}
    """
    reply = alike(established, dscp)

    outside = reply.packet.traffic_class & DSCP_MASK
    assert outside == dscp, f"DSCP {outside >> 2} outside, {dscp >> 2} inside"
