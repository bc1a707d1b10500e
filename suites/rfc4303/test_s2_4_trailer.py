"""RFC 4303, 2.4 to 2.6 and 3.4.4: padding, Pad Length, Next Header, and packets that are broken."""

import pytest

from peers.reference.esp_faults import (
    EmptyPayload,
    HeaderOnly,
    InnerCutShort,
    Lengthened,
    NextHeader,
    PaddingOctets,
    PadLengthBeyond,
    Truncated,
    WithoutIcv,
)
from suites.judge import differs, esp_alone, requirement, turned_red_by, twin_of
from suites.terms import SUITES

pytestmark = esp_alone


@SUITES
@requirement("rfc4303-2.4-any-padding-length-consumed")
@turned_red_by("takes-16-octets-of-padding-at-most")
def test_padding_of_any_length_is_consumed(established):
    """
    peer                                        target
    ESP {echo requests, padding of 0 to 255 octets} -->
                                        <--     ESP {echo replies}
    """
    outbound = established.child.outbound
    requests = [established.echo_request() for _ in range(16)]
    least = outbound.padding_size(len(requests[0].encode()))
    sizes = [least + 16 * step for step in range(16) if least + 16 * step <= 255]
    packets = [
        (request, established.seal(request, padding=bytes(range(1, size + 1))))
        for request, size in zip(requests, sizes, strict=False)
    ]

    seen = established.delivered_among(packets)

    lost = [size for size, got in zip(sizes, seen, strict=True) if not got]
    assert not lost, f"lost with so many octets of padding: {lost}"


@SUITES
@requirement("rfc4303-2.4-padding-inspected")
@turned_red_by("inspects-no-padding")
def test_padding_is_inspected(established):
    """
    peer                                        target
    ESP {echo request, padding 0, 0, 0, ..} -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    if established.delivered_with(PaddingOctets()):
        differs("padding other than 1, 2, 3, .. is delivered: it is not inspected")


@SUITES
@requirement("rfc4303-2.5-pad-length-beyond-payload")
@turned_red_by("mends-pad-length")
def test_pad_length_beyond_the_packet_is_discarded(established):
    """
    peer                                        target
    ESP {echo request, Pad Length too large} -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    assert not established.delivered_with(PadLengthBeyond()), "it is delivered"


@twin_of(test_pad_length_beyond_the_packet_is_discarded)
@requirement("rfc4303-2.4-any-padding-length-consumed")
@turned_red_by("swaps-child-keys")
def test_pad_length_of_the_packet_is_taken(established):
    """
    peer                                        target
    ESP {echo request}                  -->
                                        <--     ESP {echo reply}
    """
    request = established.echo_request()

    assert established.delivered(request, established.seal(request))


@pytest.mark.parametrize("number", [1, 6, 17, 50, 253], ids=lambda number: f"next-header-{number}")
@requirement("rfc4303-2.6-next-header-not-of-mode-discarded")
@turned_red_by("delivers-any-next-header")
def test_inner_packet_under_another_next_header_is_discarded(established, number):
    """
    peer                                        target (tunnel mode)
    ESP {echo request, Next Header neither 4 nor 41} -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    assert not established.delivered_with(NextHeader(number)), "it is delivered"


BROKEN = [
    pytest.param(HeaderOnly(), id="header-only"),
    pytest.param(Truncated(4), id="spi-only"),
    pytest.param(Truncated(9), id="part-of-the-iv"),
    pytest.param(Truncated(40), id="half-a-packet"),
    pytest.param(WithoutIcv(), id="no-icv"),
    pytest.param(Lengthened(4), id="octets-behind-the-icv"),
    pytest.param(EmptyPayload(), id="no-payload"),
    pytest.param(InnerCutShort(), id="inner-packet-cut-short"),
]


@SUITES
@pytest.mark.parametrize("fault", BROKEN)
@requirement("rfc4303-3.4.4.1-truncated-discarded")
@turned_red_by("mends-truncated-packets")
def test_broken_packet_is_discarded_and_the_sa_goes_on(established, fault):
    """
    peer                                        target
    ESP {echo request}, cut short or too long -->
                                                nothing
    ESP {echo request} (fence)          -->
                                        <--     ESP {echo reply}
    """
    assert not established.delivered_with(fault), "it is delivered"
