"""RFC 8247, 2: what a daemon does not offer, and groups that it does not take, by default."""

from dataclasses import replace

import pytest

from peers.reference.negotiation import ke, numbered, offered_groups
from peers.reference.numbers import ExchangeType, Integ, KeyExchangeMethod, TransformType
from peers.reference.payloads import SA
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_256, arranged, ike

NAMES_NO_ALGORITHMS = arranged(lambda described: replace(described, ike_proposals=()))

FORBIDDEN = pytest.mark.parametrize(
    "algorithm",
    [
        pytest.param(
            Integ.AUTH_DES_MAC, id="DES_MAC", marks=requirement("rfc8247-2.3-no-auth-des-mac")
        ),
        pytest.param(
            Integ.AUTH_KPDK_MD5, id="KPDK_MD5", marks=requirement("rfc8247-2.3-no-auth-kpdk-md5")
        ),
    ],
)
DISCOURAGED = pytest.mark.parametrize(
    "group",
    [
        pytest.param(group, id=group.name, marks=requirement(f"rfc8247-2.4-no-group-{group:d}"))
        for group in (
            KeyExchangeMethod.MODP_1024,
            KeyExchangeMethod.MODP_1536,
            KeyExchangeMethod.MODP_2048_S224,
            KeyExchangeMethod.MODP_2048_S256,
        )
    ],
)


def _grants(peer, group):
    """Say whether an offer of that group alone, with AES-GCM, is granted."""
    request = peer.ike_sa_init(group).replacing(SA(numbered([ike(AES_GCM_256, ke(group))])))
    return peer.exchange(request).has(SA)


@DISCOURAGED
@NAMES_NO_ALGORITHMS
@turned_red_by("has-discouraged-groups-by-default")
def test_discouraged_group_is_not_taken_by_default(peer, group):
    """
    peer                                        target (its configuration names no algorithms)
    HDR, SAi1(that group), KEi, Ni      -->
                                        <--     HDR, N(NO_PROPOSAL_CHOSEN), or another refusal
    PREVENTS: keys by a group that can be broken, because nobody said which to use.
    """
    if _grants(peer, group):
        differs(f"{group} is taken by default")


@NAMES_NO_ALGORITHMS
@twin_of(test_discouraged_group_is_not_taken_by_default)
@requirement("rfc8247-2.4-group-14")
@turned_red_by("has-nothing-of-an-offer")
def test_group_14_is_taken_by_default(peer):
    """
    peer                                        target (its configuration names no algorithms)
    HDR, SAi1(MODP_2048), KEi, Ni       -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    if not _grants(peer, KeyExchangeMethod.MODP_2048):
        differs(
            "MODP_2048 with AES_GCM_16_256 is not taken by default: nor is any other group, then"
        )


@DISCOURAGED
@NAMES_NO_ALGORITHMS
@as_responder
@turned_red_by("has-discouraged-groups-by-default")
def test_discouraged_group_is_not_offered_by_default(peer, target, group):
    """
    peer                                        target (its configuration names no algorithms)
                                        <--     HDR, SAi1(without that group), KEi, Ni
    """
    offered = offered_groups(_offered(peer, target))

    if group in offered:
        differs(f"{group} is offered by default, among {', '.join(map(str, offered))}")


@FORBIDDEN
@NAMES_NO_ALGORITHMS
@as_responder
@turned_red_by("offers-old-integrity-algorithms-by-default")
def test_forbidden_integrity_algorithm_is_not_offered_by_default(peer, target, algorithm):
    """
    peer                                        target (its configuration names no algorithms)
                                        <--     HDR, SAi1(without that algorithm), KEi, Ni
    """
    proposals = _offered(peer, target).proposals
    offered = {each.id for proposal in proposals for each in proposal.of(TransformType.INTEG)}

    assert algorithm not in offered, f"offered: {', '.join(map(str, proposals))}"


def _offered(peer, target):
    target.initiate()
    return peer.hear_request(ExchangeType.IKE_SA_INIT).get(SA)
