"""RFC 7296, 3.14: any IV and any padding is taken; what is sent is aligned, and SK is the last."""

import pytest

from peers.reference.faults import Padding
from suites.judge import differs, requirement, turned_red_by
from suites.terms import CBC, DEFAULT, configured

IVS = [bytes(16), b"\xff" * 16, bytes(range(16))]


@configured(CBC)
@pytest.mark.parametrize("iv", IVS, ids=["zeros", "ones", "counting"])
@requirement("rfc7296-3.14-any-iv-accepted")
@turned_red_by("minds-value-of-iv")
def test_any_iv_is_taken(established, iv):
    """
    peer                                        target
    HDR, SK(this IV) {}                 -->
                                        <--     HDR, SK {}
    """
    drawn, established.ike.random = established.ike.random, lambda size: iv[:size]
    response = established.exchange(established.informational(), f"IV {iv.hex()}")
    established.ike.random = drawn

    assert response.payloads == (), f"not an empty response: {response}"


AMOUNTS = [
    pytest.param(CBC, b"\xff" * 15, id="cbc-ones"),
    pytest.param(CBC, bytes(range(31)), id="cbc-a-block-more"),
    pytest.param(CBC, b"\xaa" * 255, id="cbc-most"),
    pytest.param(DEFAULT, bytes(range(5)), id="gcm-unaligned"),
    pytest.param(DEFAULT, b"\xff" * 255, id="gcm-most"),
]


@pytest.mark.parametrize(("suite", "padding"), AMOUNTS)
@requirement("rfc7296-3.14-any-padding-accepted")
@turned_red_by("wants-least-padding", "minds-contents-of-padding")
def test_any_padding_is_taken(established, padding):
    """
    peer                                        target
    HDR, SK {} padded by so much, and of that content -->
                                        <--     HDR, SK {}
    """
    request = established.informational().with_fault(Padding(padding))

    response = established.exchange(request)

    assert response.payloads == (), f"not an empty response: {response}"
    established.exchange(established.informational())


@configured(CBC)
@requirement("rfc7296-3.14-padding-minimal")
@turned_red_by("pads-by-a-block-too-many")
def test_padding_is_no_longer_than_need_be(established):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {} (padded to 16 octets)
    """
    response = established.exchange(established.informational())

    if len(response.padding) > 15:
        differs(f"{len(response.padding)} octets of padding where 15 align an empty SK")


@requirement("rfc7296-3.14-sk-last")
@turned_red_by("puts-octets-behind-sk")
def test_nothing_stands_behind_the_encrypted_payload(established):
    """
    peer                                        target
    HDR, SK {}                          -->
                                        <--     HDR, SK {} and no octet more
    """
    heard = established.exchange_heard(established.informational())

    assert heard.message.envelope is not None, "the response is not protected"
    behind = len(heard.octets) - 28 - 4 - len(heard.message.envelope.data)
    assert not behind, f"{behind} octets beside the Encrypted payload"
