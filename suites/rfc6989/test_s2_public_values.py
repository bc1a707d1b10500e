"""RFC 6989, 2: public values that no honest peer sends, and what is to follow on them."""

import pytest

from peers.reference import rekey
from peers.reference.key_exchange import ecp, modp
from peers.reference.negotiation import esp_proposal, ke
from peers.reference.numbers import ExchangeType, KeyExchangeMethod, NotifyType, ProtocolId
from peers.reference.payloads import KE, SA, Delete
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.observe import exchanges_heard, opens_ike_sa
from suites.terms import AES_GCM_256, Suite, ike

WRONG = "a public value that fails its test"

AT_ONCE = 2.0
"""Seconds within which an IKE SA is deleted "immediately" (2.5)."""


def _suite(group):
    return Suite((ike(AES_GCM_256, ke(group)),), (esp_proposal(AES_GCM_256, ke(group)),))


def _params(group, values, *rows):
    marks = [requirement(*rows)] if rows else []
    return [
        pytest.param(_suite(group), value, id=f"{group.name}-{name}", marks=marks)
        for name, value in values.items()
    ]


def _modp_values(group):
    prime, size = modp.GROUPS[group].prime, modp.GROUPS[group].size
    values = {"zero": 0, "one": 1, "p-less-one": prime - 1, "p": prime}
    return {name: value.to_bytes(size, "big") for name, value in values.items()}


_SEVEN_TIMES_G = ecp.GROUPS[KeyExchangeMethod.ECP_256].curve.base_times(7)


def _point(group, x, y):
    size = ecp.GROUPS[group].size
    return x.to_bytes(size, "big") + y.to_bytes(size, "big")


def _ecp_values(group):
    x, y = _SEVEN_TIMES_G
    points = {"another-y": (x, y ^ 1), "x-and-y-swapped": (y, x), "zero": (0, 0)}
    return {name: _point(group, *each) for name, each in points.items()}


MODP, SUBGROUP = KeyExchangeMethod.MODP_2048, KeyExchangeMethod.MODP_2048_S256
ECP = KeyExchangeMethod.ECP_256

EACH_VALUE = pytest.mark.parametrize(
    ("suite", "value"),
    [
        *_params(MODP, _modp_values(MODP), "rfc6989-2.1-modp-range"),
        *_params(SUBGROUP, _modp_values(SUBGROUP), "rfc6989-2.2-small-subgroups-range"),
        *_params(ECP, _ecp_values(ECP), "rfc6989-2.3-point-on-curve"),
    ],
)
"""A value that is taken is judged by the row of its group: a test that is not made."""

SMALL = pytest.mark.parametrize(
    ("suite", "value"),
    [
        *_params(MODP, {"two": (2).to_bytes(256, "big")}, "rfc6989-2.1-modp-range"),
        *_params(ECP, {"point": _point(ECP, *_SEVEN_TIMES_G)}, "rfc6989-2.3-point-on-curve"),
    ],
)

ONE_OF_EACH_KIND = pytest.mark.parametrize(
    ("suite", "value"),
    [*_params(MODP, _modp_values(MODP))[::2], *_params(ECP, _ecp_values(ECP))[:1]],
)


def _with_value(message, value):
    return message.replacing(KE(message.get(KE).group, value))


@EACH_VALUE
@requirement("rfc6989-2.5-init-message-dropped")
@turned_red_by("takes-any-public-value")
def test_wrong_value_opens_no_ike_sa(peer, target, value):
    """
    peer                                        target
    HDR, SAi1, KEi(0, 1, p-1, p, or no point of the curve), Ni -->
                                                no SAr1
    HDR, SAi1, KEi, Ni (fence)          -->
                                        <--     HDR, SAr1, KEr, Nr
    PREVENTS: a secret that the other side knows beforehand, or that tells of a private value.
    """
    request = _with_value(peer.ike_sa_init(), value)

    if opens_ike_sa(peer, target, request, WRONG):
        differs("answered as if it was a good value")


@SMALL
@twin_of(test_wrong_value_opens_no_ike_sa)
@turned_red_by("minds-small-public-values")
def test_small_value_that_is_good_opens_an_ike_sa(peer, target, value):
    """
    peer                                        target
    HDR, SAi1, KEi(2, or a point of the curve), Ni -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    request = _with_value(peer.ike_sa_init(), value)

    assert opens_ike_sa(peer, target, request), "a value that passes its test is refused"


@EACH_VALUE
@as_responder
@requirement("rfc6989-2.5-init-message-dropped")
@turned_red_by("takes-any-public-value")
def test_wrong_value_in_a_response_is_not_followed(peer, target, value):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni
    HDR, SAr1, KEr(0, 1, p-1, p, or no point of the curve), Nr -->
                                                no IKE_AUTH
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, _with_value(peer.ike_sa_init_response(request), value), WRONG)
    peer.reactions_so_far()

    if ExchangeType.IKE_AUTH in exchanges_heard(peer):
        differs("the value is taken: the initiator goes on to IKE_AUTH")


@ONE_OF_EACH_KIND
@requirement("rfc6989-2.5-request-invalid-syntax")
@turned_red_by(
    "takes-any-public-value",
    "calls-malformed-child-request-unacceptable",
    "keeps-ike-sa-after-invalid-syntax",
)
def test_wrong_value_in_a_child_rekey_ends_the_ike_sa(established, target, value):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA, Ni, KEi(wrong), TSi, TSr} -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    HDR, SK {}                          -->
                                                nothing that is protected
    """
    _assert_ended(established, target, _with_value(established.rekey_child_sa(), value))


@ONE_OF_EACH_KIND
@requirement("rfc6989-2.5-request-invalid-syntax")
@turned_red_by(
    "takes-any-public-value",
    "calls-malformed-child-request-unacceptable",
    "keeps-ike-sa-after-invalid-syntax",
)
def test_wrong_value_in_an_ike_rekey_ends_the_ike_sa(established, target, value):
    """
    peer                                        target
    HDR, SK {SA, Ni, KEi(wrong)}        -->
                                        <--     HDR, SK {N(INVALID_SYNTAX)}
    HDR, SK {}                          -->
                                                nothing that is protected
    """
    _, request = established.rekey_ike()

    _assert_ended(established, target, _with_value(request, value))


def _assert_ended(peer, target, request):
    response = peer.exchange(request, WRONG)
    if response.has(SA):
        differs("the value is taken")
    assert response.notifies == (NotifyType.INVALID_SYNTAX,), f"answered otherwise: {response}"
    peer.ike.children.clear()
    reactions = peer.reactions(peer.informational())

    lives = any(each.protected and each.response for each in reactions)
    assert not lives, "the IKE SA goes on after a public value that fails its test"
    assert not target.established(), "the target lists the IKE SA still"


@ONE_OF_EACH_KIND
@as_responder
@requirement("rfc6989-2.5-response-deletes")
@turned_red_by("takes-any-public-value", "closes-ike-sa-silently")
def test_wrong_value_granted_to_a_child_rekey_has_the_ike_sa_deleted(accepted, target, value):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA, Ni, KEi, TSi, TSr}
    HDR, SK {SA, Nr, KEr(wrong), TSi, TSr} -->
                                        <--     HDR, SK {D(IKE)}
    """
    target.rekey_child()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    accepted.answer(request, _with_value(accepted.grant_child(request), value), WRONG)

    _assert_deleted(accepted, target, request.get(SA).proposals[0].spi)


@ONE_OF_EACH_KIND
@as_responder
@requirement("rfc6989-2.5-response-deletes")
@turned_red_by("takes-any-public-value", "closes-ike-sa-silently")
def test_wrong_value_granted_to_an_ike_rekey_has_the_ike_sa_deleted(accepted, target, value):
    """
    peer                                        target
                                        <--     HDR, SK {SA, Ni, KEi}
    HDR, SK {SA, Nr, KEr(wrong)}        -->
                                        <--     HDR, SK {D(IKE)}
    HDR, SK {}                          -->
    """
    target.rekey_ike()
    request = accepted.hear_request(ExchangeType.CREATE_CHILD_SA)
    _, payloads = rekey.answer(accepted.ike, request, accepted.choose(request))
    accepted.answer(request, _with_value(accepted.reply(request, *payloads), value), WRONG)

    _assert_deleted(accepted, target)


def _assert_deleted(peer, target, new_spi=b""):
    closing = peer.hear_request(ExchangeType.INFORMATIONAL, AT_ONCE)
    peer.ike.children.clear()
    peer.answer(closing, peer.reply(closing))
    deletes = closing.all(Delete)
    if deletes[0].protocol == ProtocolId.ESP:
        if new_spi not in [spi for each in deletes for spi in each.spis]:
            differs(f"the value is taken: the new Child SA stays: {closing}")
        raise AssertionError(f"not the IKE SA is deleted: {closing}")
    peer.fence()
    if target.established():
        differs("the value is taken: an IKE SA has been made of it")
