"""RFC 9370, 2.2.4: key exchanges after CREATE_CHILD_SA, in IKE_FOLLOWUP_KE."""

import pytest

from peers.reference.additional import addke
from peers.reference.key_exchange import key_exchange
from peers.reference.negotiation import esp_proposal
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import KE, SA, Notify
from peers.targets.base import Capability
from suites.additional import ECP_256, ECP_384, additional
from suites.judge import as_responder, requirement, turned_red_by, twin_of
from suites.terms import AES_GCM_256, CURVE25519, DEFAULT, Suite

CREATE_CHILD_SA, FOLLOWUP = ExchangeType.CREATE_CHILD_SA, ExchangeType.IKE_FOLLOWUP_KE
LINK, STATE_NOT_FOUND = NotifyType.ADDITIONAL_KEY_EXCHANGE, NotifyType.STATE_NOT_FOUND

ESP = esp_proposal(AES_GCM_256, CURVE25519, addke(1, ECP_256), addke(2, ECP_384))


def _configured(suite):
    needs = pytest.mark.needs(Capability.ADDITIONAL_KEY_EXCHANGES)
    return pytest.mark.parametrize("suite", [pytest.param(suite, id="", marks=needs)])


in_child_sas = _configured(Suite(DEFAULT.ike, (ESP,)))
in_ike_sas = _configured(Suite((additional((1, ECP_256)),), DEFAULT.esp))


def _granted(peer):
    """Ask for one more Child SA; give request and response, which leave two exchanges to do."""
    request = peer.create_child_sa()
    response = peer.exchange(request)
    assert response.has(SA, KE), f"no Child SA is granted: {response}"
    return request, response


def _asked_to_rekey(peer, target):
    """Have the target rekey its Child SA, and grant that; what follows is for the test."""
    target.rekey_child()
    request = peer.hear_request(CREATE_CHILD_SA)
    peer.answer(request, peer.grant_child(request))


# As responder.


@in_child_sas
@requirement("rfc9370-2.2.4-link-included")
@turned_red_by("leaves-out-link")
def test_grant_links_the_next_exchange(established):
    """
    peer                                        target
    HDR, SK {SA(.. ADDKE1, ADDKE2), Ni, KEi, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, KEr, TSi, TSr, N(ADDITIONAL_...)}
    """
    _, response = _granted(established)

    assert LINK in response.notifies, "no link to the next exchange"
    said = response.notify(LINK)
    assert (said.protocol, said.spi) == (0, b""), f"{said!r}"


@in_child_sas
@requirement("rfc9370-2.2.4-child-keys", "rfc9370-2.2.4-exchanges-follow")
@turned_red_by("leaves-out-further-secrets")
def test_child_sa_has_its_keys_of_all_exchanges(established):
    """
    peer                                        target
    HDR, SK {SA(.. ADDKE1, ADDKE2), Ni, KEi, TSi, TSr} -->
                                        <--     HDR, SK {SA, Nr, KEr, TSi, TSr, N(link 1)}
    HDR, SK {KEi(1), N(link 1)}         -->     (IKE_FOLLOWUP_KE)
                                        <--     HDR, SK {KEr(1), N(link 2)}
    HDR, SK {KEi(2), N(link 2)}         -->
                                        <--     HDR, SK {KEr(2)}
    """
    made = established.follow_up_child(*_granted(established))

    with established.using(made):
        assert established.echo(), "the new Child SA carries no traffic"


@in_child_sas
@requirement("rfc9370-2.2.4-child-keys")
@turned_red_by("leaves-out-further-secrets")
def test_rekeyed_child_sa_has_its_keys_of_all_exchanges(established):
    """
    peer                                        target
    HDR, SK {N(REKEY_SA), SA(.. ADDKE1, ADDKE2), Ni, KEi, ...} -->
                                        <--     HDR, SK {SA, Nr, KEr, ..., N(link 1)}
    (IKE_FOLLOWUP_KE twice)
    """
    request = established.rekey_child_sa()
    made = established.follow_up_child(request, established.exchange(request))

    with established.using(made):
        assert established.echo(), "the new Child SA carries no traffic"


@in_child_sas
@requirement("rfc9370-2.2.4-no-link-after-last")
@turned_red_by("links-what-does-not-follow")
def test_last_exchange_of_a_series_has_no_link(established):
    """
    peer                                        target
    (CREATE_CHILD_SA: ADDKE1, ADDKE2)
    HDR, SK {KEi(1), N(link 1)}         -->
                                        <--     HDR, SK {KEr(1), N(link 2)}
    HDR, SK {KEi(2), N(link 2)}         -->
                                        <--     HDR, SK {KEr(2)}
    PREVENTS: an exchange that only one side waits for (F48).
    """
    series = established.series(*_granted(established))
    while series.left:
        response = established.exchange(established.followup(series))
        established.take_up_followup(series, response)

    assert LINK not in response.notifies, "the last response links another exchange"


@in_ike_sas
@requirement("rfc9370-2.2.4-ike-keys", "rfc9370-2.2.4-exchanges-follow")
@turned_red_by("leaves-out-further-secrets")
def test_rekeyed_ike_sa_has_its_keys_of_all_exchanges(established):
    """
    peer                                        target
    HDR, SK {SA(.. ADDKE1), Ni, KEi}    -->
                                        <--     HDR, SK {SA, Nr, KEr, N(link 1)}
    HDR, SK {KEi(1), N(link 1)}         -->     (IKE_FOLLOWUP_KE)
                                        <--     HDR, SK {KEr(1)}
    HDR', SK {}                         -->     (under the new keys)
                                        <--     HDR', SK {}
    """
    new, request = established.rekey_ike()
    established.follow_up_ike(new, request, established.exchange(request))

    assert established.exchange(established.informational()).payloads == ()


@in_child_sas
@requirement("rfc9370-2.2.4-method-of-nth")
@turned_red_by("takes-any-method-in-turn")
def test_method_whose_turn_has_not_come_is_refused(established):
    """
    peer                                        target
    (CREATE_CHILD_SA: ADDKE1 = a, ADDKE2 = b)
    HDR, SK {KEi of b, N(link 1)}       -->
                                        <--     an error, or nothing
    """
    series = established.series(*_granted(established))
    other = key_exchange(ECP_384, established.random)
    request = established.followup(series).replacing(KE(ECP_384, other.public))

    reactions = established.reactions(request, "the second method first")

    assert not any(each.has(KE) for each in reactions), f"it was taken: {reactions}"


@in_child_sas
@requirement("rfc9370-2.2.4-state-not-found", "rfc9370-2.2.4-state-not-found-format")
@turned_red_by(
    "takes-any-link", "refuses-unknown-series-otherwise", "refuses-unknown-series-with-data"
)
def test_unknown_link_is_not_found(established):
    """
    peer                                        target
    (CREATE_CHILD_SA: ADDKE1, ADDKE2)
    HDR, SK {KEi(1), N(another link)}   -->
                                        <--     HDR, SK {N(STATE_NOT_FOUND)}
    """
    series = established.series(*_granted(established))
    series.link = bytes(octet ^ 0xFF for octet in series.link)

    response = established.exchange(established.followup(series), "a link that was not given")

    assert response.types == [Notify], f"answered by {response}"
    said = response.payloads[0]
    assert said.notify_type == STATE_NOT_FOUND, f"answered by {response}"
    assert (said.protocol, said.spi, said.data) == (0, b"", b""), f"{said!r}"


@in_child_sas
@twin_of(test_unknown_link_is_not_found)
@requirement("rfc9370-2.2.4-state-not-found")
@turned_red_by("leaves-out-link")
def test_link_that_was_given_is_found(established):
    """
    peer                                        target
    (CREATE_CHILD_SA: ADDKE1, ADDKE2)
    HDR, SK {KEi(1), N(link 1)}         -->
                                        <--     HDR, SK {KEr(1), N(link 2)}
    """
    series = established.series(*_granted(established))

    response = established.exchange(established.followup(series))

    assert response.has(KE), f"answered by {response}"
    assert LINK in response.notifies, "no link to the next exchange"


@in_child_sas
@requirement("rfc9370-2.2.4-state-not-found")
@turned_red_by("refuses-unknown-series-otherwise", "refuses-unknown-series-with-data")
def test_series_that_nothing_began_is_not_found(established):
    """
    peer                                        target
    HDR, SK {KEi, N(ADDITIONAL_KEY_EXCHANGE)} --> (IKE_FOLLOWUP_KE)
                                        <--     HDR, SK {N(STATE_NOT_FOUND)}
    """
    half = key_exchange(ECP_256, established.random)
    request = established.request(FOLLOWUP, KE(ECP_256, half.public), Notify(LINK, bytes(8)))

    response = established.exchange(request, "a series that nothing began")

    assert response.notifies == (STATE_NOT_FOUND,), f"answered by {response}"
    assert response.notify(STATE_NOT_FOUND).data == b"", f"{response.payloads[0]!r}"


# As initiator.


@in_child_sas
@as_responder
@requirement("rfc9370-2.2.4-link-returned", "rfc9370-2.2.4-method-of-nth")
@turned_red_by("changes-link")
def test_links_come_back_intact(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA(.. ADDKE1, ADDKE2), ...}
    HDR, SK {SA, Nr, KEr, ..., N(link 1)} -->
                                        <--     HDR, SK {KEi(1), N(link 1)}
    HDR, SK {KEr(1), N(link 2)}         -->
                                        <--     HDR, SK {KEi(2), N(link 2)}
    """
    _asked_to_rekey(accepted, target)

    for method in (ECP_256, ECP_384):
        request = accepted.hear_request(FOLLOWUP)
        assert request.notify(LINK).data == accepted.awaited.link, "another link than the one given"
        assert request.get(KE).group == method, "not the method whose turn it is"
        accepted.answer(request, accepted.grant_followup(request))


@in_child_sas
@as_responder
@requirement("rfc9370-2.2.4-child-keys", "rfc9370-2.2.4-exchanges-follow")
@turned_red_by("leaves-out-further-secrets")
def test_initiator_makes_child_keys_of_all_exchanges(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA(.. ADDKE1, ADDKE2), ...}
    HDR, SK {SA, Nr, KEr, ..., N(link 1)} -->
    (IKE_FOLLOWUP_KE twice)
    """
    _asked_to_rekey(accepted, target)

    accepted.accept_followups()

    assert accepted.echo(), "the new Child SA carries no traffic"


@in_ike_sas
@as_responder
@requirement("rfc9370-2.2.4-ike-keys", "rfc9370-2.2.4-exchanges-follow")
@turned_red_by("leaves-out-further-secrets")
def test_initiator_makes_ike_keys_of_all_exchanges(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {SA(.. ADDKE1), Ni, KEi}
    HDR, SK {SA, Nr, KEr, N(link 1)}    -->
                                        <--     HDR, SK {KEi(1), N(link 1)}
    HDR, SK {KEr(1)}                    -->
    HDR', SK {}                         -->     (under the new keys)
                                        <--     HDR', SK {}
    """
    target.rekey_ike()
    request = accepted.hear_request(CREATE_CHILD_SA)
    accepted.answer(request, accepted.grant_ike_in_series(request))

    accepted.accept_followups()

    assert accepted.exchange(accepted.informational()).payloads == ()


@in_child_sas
@as_responder
@requirement("rfc9370-2.2.4-lost-series-fails")
@turned_red_by("goes-on-with-lost-series")
def test_series_that_is_not_found_is_cancelled(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA(.. ADDKE1, ADDKE2), ...}
    HDR, SK {SA, Nr, KEr, ..., N(link 1)} -->
                                        <--     HDR, SK {KEi(1), N(link 1)}
    HDR, SK {N(STATE_NOT_FOUND)}        -->
                                                (no further exchange of that series)
    """
    _asked_to_rekey(accepted, target)
    request = accepted.hear_request(FOLLOWUP)
    link = accepted.awaited.link

    accepted.answer(request, accepted.reply(request, Notify(STATE_NOT_FOUND)))

    reactions = accepted.reactions_so_far()
    same = [each for each in reactions if each.exchange == FOLLOWUP and _links(each) == link]
    assert not same, f"the series goes on: {same}"


def _links(message):
    said = message.find_notify(LINK)
    return said.data if said else None


@in_child_sas
@as_responder
@requirement("rfc9370-2.2.4-rekey-during-series-put-off")
@turned_red_by("grants-rekey-during-series")
def test_rekey_during_a_series_is_put_off(accepted, target):
    """
    peer                                        target
                                        <--     HDR, SK {N(REKEY_SA), SA(.. ADDKE1, ADDKE2), ...}
    HDR, SK {SA, Nr, KEr, ..., N(link 1)} -->
                                        <--     HDR, SK {KEi(1), N(link 1)}
    HDR, SK {N(REKEY_SA of the same), ...} -->
                                        <--     HDR, SK {N(TEMPORARY_FAILURE)}
    """
    _asked_to_rekey(accepted, target)
    accepted.hear_request(FOLLOWUP)

    response = accepted.exchange(accepted.rekey_child_sa())

    assert response.notifies == (NotifyType.TEMPORARY_FAILURE,), f"answered by {response}"
