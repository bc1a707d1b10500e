"""RFC 9242, 3: the IKE_INTERMEDIATE exchange, agreed on, protected, authenticated.

The target is configured for additional key exchanges (RFC 9370): that is what has the exchange
take place.
"""

from dataclasses import replace

from peers.reference.faults import ReservedBits
from peers.reference.numbers import ExchangeType, NotifyType
from peers.reference.payloads import KE, SA, SK, Notify
from peers.targets.base import Capability
from suites.additional import SUPPORTED, one, two
from suites.judge import as_responder, needs, requirement, turned_red_by, twin_of

INTERMEDIATE = ExchangeType.IKE_INTERMEDIATE


def _bare(notify):
    return (notify.protocol, notify.spi, notify.data) == (0, b"", b"")


# 3.1: agreeing on it.


@one
@requirement("rfc9242-3.1-support-said", "rfc9242-3.1-notify-format")
@turned_red_by("keeps-intermediate-to-itself", "says-intermediate-with-data")
def test_responder_says_that_it_takes_the_exchange(peer):
    """
    peer                                                    target
    HDR, SAi1(.. ADDKE1), KEi, Ni, N(INTERMEDIATE_...) -->
                                        <--  HDR, SAr1(.. ADDKE1), KEr, Nr, N(INTERMEDIATE_...)
    """
    response = peer.exchange(peer.ike_sa_init())

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert SUPPORTED in response.notifies, "the exchange is not agreed on"
    assert _bare(response.notify(SUPPORTED)), f"{response.notify(SUPPORTED)!r}"


@one
@as_responder
@requirement("rfc9242-3.1-support-said", "rfc9242-3.1-notify-format")
@turned_red_by("keeps-intermediate-to-itself", "says-intermediate-with-data")
def test_initiator_says_that_it_takes_the_exchange(peer, target):
    """
    peer                                                    target
                                        <--  HDR, SAi1(.. ADDKE1), KEi, Ni, N(INTERMEDIATE_...)
    """
    target.initiate()

    request = peer.hear_request(ExchangeType.IKE_SA_INIT)

    assert SUPPORTED in request.notifies, "the exchange is not offered"
    assert _bare(request.notify(SUPPORTED)), f"{request.notify(SUPPORTED)!r}"


@needs(Capability.ADDITIONAL_KEY_EXCHANGES)
@requirement("rfc9242-3.1-not-said-unasked")
@turned_red_by("says-intermediate-unasked")
def test_responder_does_not_speak_of_it_first(peer):
    """
    peer                                        target
    HDR, SAi1, KEi, Ni                  -->
                                        <--     HDR, SAr1, KEr, Nr
    """
    response = peer.exchange(peer.ike_sa_init())

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert SUPPORTED not in response.notifies, "said to an initiator who did not say so"


@one
@requirement("rfc9242-3.1-data-ignored")
@turned_red_by("minds-data-of-intermediate")
def test_data_in_the_notify_is_ignored(peer):
    """
    peer                                                        target
    HDR, SAi1, KEi, Ni, N(INTERMEDIATE_..., data)      -->
                                        <--  HDR, SAr1(.. ADDKE1), KEr, Nr, N(INTERMEDIATE_...)
    """
    request = peer.ike_sa_init().replacing(Notify(SUPPORTED, b"of tomorrow"))

    response = peer.exchange(request)

    assert response.has(SA), f"no IKE SA is granted: {response}"
    assert SUPPORTED in response.notifies, "the exchange is not agreed on"


# 3.2: using it.


@two
@as_responder
@requirement("rfc9242-3.2-message-ids", "rfc9242-3.2-encrypted-payload-there")
@turned_red_by("authenticates-before-key-exchanges")
def test_requests_are_numbered_from_one(peer, target):
    """
    peer                                        target
                                        <--     HDR, SAi1, KEi, Ni          (Message ID 0)
    HDR, SAr1, KEr, Nr                  -->
                                        <--     HDR, SK {KEi(1)}            (1)
    HDR, SK {KEr(1)}                    -->
                                        <--     HDR, SK {KEi(2)}            (2)
    HDR, SK {KEr(2)}                    -->
                                        <--     HDR, SK {IDi, AUTH, ...}    (3)
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request))
    heard = []
    for _ in range(2):
        heard.append(peer.hear_request(INTERMEDIATE))
        peer.answer_intermediate(heard[-1])
    heard.append(peer.hear_request(ExchangeType.IKE_AUTH))

    assert [each.message_id for each in heard] == [1, 2, 3], "Message IDs out of order"
    assert all(each.protected for each in heard), "a request without an Encrypted payload"


@one
@requirement("rfc9242-3.2-completed-before-auth")
@turned_red_by("authenticates-before-key-exchanges")
def test_authentication_before_the_exchange_is_not_taken(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT, ADDKE1 agreed on)
    HDR, SK {IDi, IDr, AUTH, ...}       -->
                                        <--     an error, or nothing
    """
    peer.open_ike_sa()
    request = peer.ike_auth()

    reactions = peer.reactions(request, "IKE_AUTH before IKE_INTERMEDIATE")

    assert not any(each.has(SA) for each in reactions), f"an IKE SA was granted: {reactions}"
    assert not target.established(), "an IKE SA was granted: the target lists it as established"


@one
@requirement("rfc9242-3.2-not-established-before-auth")
@turned_red_by("established-by-intermediate")
def test_nothing_else_is_answered_before_authentication(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT, IKE_INTERMEDIATE)
    HDR, SK {}                          -->     (INFORMATIONAL)
                                        <--     an error, or nothing
    """
    peer.open_ike_sa()
    peer.exchange_keys()

    peer.say(peer.informational(), "INFORMATIONAL before IKE_AUTH")
    reactions = peer.reactions_so_far()
    carried_out = [each for each in reactions if each.response and not each.notifies]
    assert not carried_out, f"answered to somebody who is not authenticated: {carried_out}"
    assert not target.established(), "the target lists an established IKE SA"


@one
@requirement("rfc9242-3.2-message-ids-verified")
@turned_red_by("answers-any-message-id")
def test_request_with_a_message_id_to_come_is_not_taken(peer):
    """
    peer                                        target
    (IKE_SA_INIT)
    HDR, SK {KEi(1)}    (Message ID 2)  -->
                                                nothing
    HDR, SK {KEi(1)}    (Message ID 1)  -->
                                        <--     HDR, SK {KEr(1)}
    """
    peer.open_ike_sa()
    request = peer.intermediate()

    reactions = peer.reactions(replace(request, message_id=2), "Message ID 2 where 1 is due")
    assert not reactions, f"a request beyond the one that is due was answered: {reactions}"

    peer.take_up_intermediate(request, peer.exchange(request))


@needs(Capability.ADDITIONAL_KEY_EXCHANGES)
@requirement("rfc9242-3.2-not-used-unless-agreed")
@turned_red_by("takes-intermediate-unasked")
def test_exchange_that_was_not_agreed_on_is_not_carried_out(peer):
    """
    peer                                        target
    (IKE_SA_INIT without N(INTERMEDIATE_EXCHANGE_SUPPORTED))
    HDR, SK {}          (IKE_INTERMEDIATE) -->
                                                nothing
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (the same Message ID)
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.open_ike_sa()

    reactions = peer.reactions(peer.request(INTERMEDIATE), "an exchange that was not agreed on")
    granted = [each for each in reactions if each.message_id == 1 and not each.notifies]
    assert not granted, f"the exchange was carried out: {granted}"

    request = peer.ike_auth()
    peer.take_up(request, peer.exchange(request))


@one
@requirement("rfc9242-3.2-large-payloads-encrypted")
@turned_red_by("sends-key-exchange-outside-sk")
def test_key_exchange_of_a_response_is_encrypted(peer):
    """
    peer                                        target
    HDR, SK {KEi(1)}                    -->
                                        <--     HDR, SK {KEr(1)}
    """
    peer.open_ike_sa()

    response = peer.exchange(peer.intermediate())

    assert response.unprotected == (), f"in clear: {response}"
    assert response.has(KE), f"no KE payload: {response}"


@one
@as_responder
@requirement("rfc9242-3.2-large-payloads-encrypted")
@turned_red_by("sends-key-exchange-outside-sk")
def test_key_exchange_of_a_request_is_encrypted(peer, target):
    """
    peer                                        target
                                        <--     HDR, SK {KEi(1)}
    """
    target.initiate()
    request = peer.hear_request(ExchangeType.IKE_SA_INIT)
    peer.answer(request, peer.ike_sa_init_response(request))

    request = peer.hear_request(INTERMEDIATE)

    assert request.unprotected == (), f"in clear: {request}"
    assert request.has(KE), f"no KE payload: {request}"


# 3.3: protection and authentication.


@one
@requirement("rfc9242-3.3.2-int-auth-signed", "rfc9242-3.3.1-latest-keys")
@turned_red_by("leaves-out-int-auth", "keeps-keys-of-first-exchange", "counts-auth-from-one")
def test_responder_signs_what_was_exchanged(peer):
    """
    peer                                        target
    (IKE_SA_INIT)
    HDR, SK {KEi(1)}                    -->
                                        <--     HDR, SK {KEr(1)}
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (IntAuth in both AUTHs)
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@two
@requirement("rfc9242-3.3.2-int-auth-signed")
@turned_red_by("forgets-earlier-int-auth", "leaves-out-int-auth")
def test_responder_signs_all_of_several_exchanges(peer):
    """
    peer                                        target
    (IKE_SA_INIT, IKE_INTERMEDIATE twice)
    HDR, SK {IDi, IDr, AUTH, ...}       -->
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.establish()

    assert peer.echo(), "the Child SA carries no traffic"


@two
@as_responder
@requirement("rfc9242-3.3.2-int-auth-signed", "rfc9242-3.3.1-latest-keys")
@turned_red_by("forgets-earlier-int-auth", "counts-auth-from-one")
def test_initiator_signs_all_of_several_exchanges(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT, IKE_INTERMEDIATE twice)
                                        <--     HDR, SK {IDi, AUTH, ...}
    HDR, SK {IDr, AUTH, ...}            -->
    """
    target.initiate()
    peer.accept()

    assert peer.echo(), "the Child SA carries no traffic"


@one
@requirement("rfc9242-3.3.2-int-auth-verified")
@turned_red_by("accepts-any-auth")
def test_auth_that_does_not_cover_the_exchange_is_refused(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT, IKE_INTERMEDIATE)
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (one bit of IntAuth differs)
                                        <--     HDR, SK {N(AUTHENTICATION_FAILED)}
    """
    peer.open_ike_sa()
    peer.exchange_keys()
    rounds = peer.ike.intermediate
    rounds.of_responder = bytes([rounds.of_responder[0] ^ 1]) + rounds.of_responder[1:]

    response = peer.exchange(peer.ike_auth(), "AUTH over another response to IKE_INTERMEDIATE")

    assert NotifyType.AUTHENTICATION_FAILED in response.notifies, f"answered by {response}"
    assert not target.established(), "the target lists an established IKE SA"


@one
@twin_of(test_auth_that_does_not_cover_the_exchange_is_refused)
@requirement("rfc9242-3.3.2-int-auth-verified")
@turned_red_by("leaves-out-int-auth")
def test_auth_that_covers_the_exchange_is_accepted(peer, target):
    """
    peer                                        target
    (IKE_SA_INIT, IKE_INTERMEDIATE)
    HDR, SK {IDi, IDr, AUTH, ...}       -->
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.open_ike_sa()
    peer.exchange_keys()
    request = peer.ike_auth()

    peer.take_up(request, peer.exchange(request))

    assert target.established(), "the target lists no established IKE SA"


@one
@requirement("rfc9242-3.3.2-reserved-octet-covered")
@turned_red_by("leaves-reserved-bits-out-of-int-auth")
def test_reserved_bits_are_authenticated_as_they_stand(peer):
    """
    peer                                        target
    (IKE_SA_INIT)
    HDR, SK(reserved bits set) {KEi(1)} -->
                                        <--     HDR, SK {KEr(1)}
    HDR, SK {IDi, IDr, AUTH, ...}       -->     (IntAuth over the bits as they were)
                                        <--     HDR, SK {IDr, AUTH, ...}
    """
    peer.open_ike_sa()
    request = peer.intermediate()
    response = peer.exchange(request.with_fault(ReservedBits(SK)))
    as_sent = replace(request, envelope=SK(request.payloads[0].type, b"", reserved_bits=0x7F))
    peer.take_up_intermediate(as_sent, response)

    request = peer.ike_auth()
    peer.take_up(request, peer.exchange(request))

    assert peer.echo(), "the Child SA carries no traffic"
