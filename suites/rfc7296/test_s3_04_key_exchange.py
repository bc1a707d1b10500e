"""RFC 7296, 3.4: Key Exchange Data has the length that its group gives it."""

import pytest

from peers.reference.numbers import ExchangeType
from peers.reference.payloads import KE
from suites.judge import as_responder, requirement, turned_red_by
from suites.observe import exchanges_heard, opens_ike_sa
from suites.terms import AES_GCM_256, CBC, DEFAULT, ECP_256, Suite, ike

SIZES = [
    pytest.param(DEFAULT, 0, id="curve25519-none"),
    pytest.param(DEFAULT, 31, id="curve25519-one-short"),
    pytest.param(DEFAULT, 33, id="curve25519-one-long"),
    pytest.param(CBC, 255, id="modp2048-one-short"),
    pytest.param(CBC, 257, id="modp2048-one-long"),
    pytest.param(Suite((ike(AES_GCM_256, ECP_256),), DEFAULT.esp), 63, id="ecp256-one-short"),
    pytest.param(Suite((ike(AES_GCM_256, ECP_256),), DEFAULT.esp), 65, id="ecp256-one-long"),
]


def _of_size(ke, size):
    return KE(ke.group, ke.data[:size].ljust(size, b"\x01"))


@pytest.mark.parametrize(("suite", "size"), SIZES)
@requirement("rfc7296-3.4-wrong-length-refused")
@turned_red_by("takes-ke-of-any-length")
def test_ke_of_another_length_than_its_groups_opens_no_ike_sa(peer, target, size):
    """
    peer                                        target
    HDR, SAi1, KEi(too short or too long), Ni -->
                                                no SAr1
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    request = peer.ike_sa_init()
    wrong = request.replacing(_of_size(request.get(KE), size))

    assert not opens_ike_sa(peer, target, wrong, f"KE of {size} octets"), f"{size} octets are taken"


@pytest.mark.parametrize(("suite", "size"), SIZES)
@as_responder
@requirement("rfc7296-3.4-wrong-length-refused")
@turned_red_by("takes-ke-of-any-length")
def test_ke_of_another_length_in_a_response_is_not_followed(peer, target, size):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr(too short or too long), Nr -->
                                                no IKE_AUTH
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    response = peer.ike_sa_init_response(request)
    wrong = response.replacing(_of_size(response.get(KE), size))
    peer.answer(request, wrong, f"KE of {size} octets")
    peer.reactions_so_far()

    assert ExchangeType.IKE_AUTH not in exchanges_heard(peer), "the initiator goes on to IKE_AUTH"
