"""RFC 7296, 2: the size of messages that everybody takes."""

import pytest

from peers.reference.errors import NoAnswer
from peers.reference.numbers import NotifyType
from peers.reference.payloads import KE, SA, Nonce, Notify
from suites.judge import differs, requirement, turned_red_by

FILLING = NotifyType(40961)
"""A status notify of private use, to be ignored (RFC 7296, 3.10.1)."""


@pytest.mark.parametrize("inside", [False, True], ids=["ike-sa-init", "informational"])
@requirement("rfc7296-2-message-of-1280-octets")
@turned_red_by("drops-messages-of-1280-octets")
def test_request_of_1280_octets_is_answered(peer, inside):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N or HDR, SK {N}; 1280 octets -->
                                        <--     HDR, SAr1, KEr, Nr or HDR, SK {}
    """
    _assert_answered(peer, inside, 1280)


@pytest.mark.parametrize("inside", [False, True], ids=["ike-sa-init", "informational"])
@requirement("rfc7296-2-message-of-3000-octets")
@turned_red_by("drops-messages-of-3000-octets")
def test_request_of_3000_octets_is_answered(peer, inside):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni, N or HDR, SK {N}; 3000 octets -->
                                        <--     HDR, SAr1, KEr, Nr or HDR, SK {}
    """
    try:
        _assert_answered(peer, inside, 3000)
    except NoAnswer as silence:
        differs(str(silence))


def _assert_answered(peer, inside, size):
    if inside:
        peer.establish()
    request = peer.informational() if inside else peer.ike_sa_init()
    missing = size - len(peer.ike.encode(request + Notify(FILLING)))
    request = request + Notify(FILLING, bytes(missing))
    assert len(peer.ike.encode(request)) == size, "the filling does not fit"

    response = peer.exchange(request)

    assert response.protected or response.has(SA, KE, Nonce), f"refused: {response}"
