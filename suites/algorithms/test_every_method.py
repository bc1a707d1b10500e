"""Every authentication method that both sides have, in each role, through each kind of rekey.

So are preshared keys against quantum computers, and several key exchanges. The steps are those of
each algorithm (`suites.trial`); what was used is read from what the target said.
"""

from peers.reference.credentials import Signature
from peers.reference.eap import EapPacket
from peers.reference.numbers import AuthMethod, EapCode, EapType, NotifyType
from peers.reference.payloads import AUTH, EAP
from peers.reference.signature_schemes import read_identifier
from peers.targets.base import Capability
from suites import additional, eap, ppk, trial
from suites.judge import as_responder, needs, requirement, tries, turned_red_by
from suites.methods import DIGITAL, LEGACY, authenticated, null, psk

AUTHENTICATION, BY_EAP = "Authentication", "Authentication by EAP"
REKEYED = "rfc7296-2.18-rekeyed-ike-keys"
WITHOUT_OLD_KEY = "rekeys-ike-sa-without-old-key"


@authenticated(psk)
@tries(AUTHENTICATION, "PSK")
@requirement("rfc7296-2.15-shared-key-auth-value", REKEYED)
@turned_red_by("ends-key-pad-with-zero", WITHOUT_OLD_KEY)
def test_shared_key_as_responder(peer):
    """
    peer                                        target
    IKE_SA_INIT, IKE_AUTH               -->
                                        <--     their responses
    CREATE_CHILD_SA, the Child SA anew  -->
                                        <--     its response
    CREATE_CHILD_SA, the IKE SA anew    -->
                                        <--     its response
    after each: ESP {echo request}      -->
                                        <--     ESP {echo reply}
    PREVENTS: what authentication leaves behind, and a rekey does not find or does again.
    """
    trial.lead(peer)


@authenticated(psk)
@as_responder
@tries(AUTHENTICATION, "PSK")
@requirement("rfc7296-2.15-shared-key-auth-value", REKEYED)
@turned_red_by("ends-key-pad-with-zero", WITHOUT_OLD_KEY)
def test_shared_key_as_initiator(peer, target):
    """
    peer                                        target
                                        <--     IKE_SA_INIT, IKE_AUTH
    their responses                     -->
                                        <--     CREATE_CHILD_SA, the Child SA anew
    its response                        -->
                                        <--     CREATE_CHILD_SA, the IKE SA anew
    its response                        -->
    after each: ESP {echo request}      -->
                                        <--     ESP {echo reply}
    PREVENTS: what authentication leaves behind, and a rekey does not find or does again.
    """
    trial.follow(peer, target)


@LEGACY
@tries(AUTHENTICATION)
@requirement("rfc7296-2.15-signature-auth-value", "rfc7427-3-not-unless-both-announced", REKEYED)
@turned_red_by("signs-shortened-octets", WITHOUT_OLD_KEY)
def test_signature_of_one_algorithm_as_responder(peer):
    """As with a shared key, by AUTH of method 1 or 9 to 11 on both sides."""
    trial.lead(peer)
    _assert_signed_alike(peer)


@LEGACY
@as_responder
@tries(AUTHENTICATION)
@requirement("rfc7296-2.15-signature-auth-value", "rfc7427-3-not-unless-both-announced", REKEYED)
@turned_red_by("signs-shortened-octets", WITHOUT_OLD_KEY)
def test_signature_of_one_algorithm_as_initiator(peer, target):
    """As with a shared key, by AUTH of method 1 or 9 to 11 on both sides."""
    trial.follow(peer, target)
    _assert_signed_alike(peer)


@DIGITAL
@tries(AUTHENTICATION)
@requirement("rfc7427-3-method-14-used", "rfc7296-2.15-signature-auth-value", REKEYED)
@turned_red_by("refuses-method-14", "signs-shortened-octets", WITHOUT_OLD_KEY)
def test_digital_signature_as_responder(peer):
    """As with a shared key, by AUTH of method 14 on both sides."""
    trial.lead(peer)
    _assert_signed_alike(peer)


@DIGITAL
@as_responder
@tries(AUTHENTICATION)
@requirement("rfc7427-3-method-14-used", "rfc7296-2.15-signature-auth-value", REKEYED)
@turned_red_by("refuses-method-14", "signs-shortened-octets", WITHOUT_OLD_KEY)
def test_digital_signature_as_initiator(peer, target):
    """As with a shared key, by AUTH of method 14 on both sides."""
    trial.follow(peer, target)
    _assert_signed_alike(peer)


@authenticated(null)
@needs(Capability.NULL_AUTHENTICATION)
@tries(AUTHENTICATION, "NULL")
@requirement("rfc7619-2.1-auth-value", REKEYED)
@turned_red_by("proves-null-by-peers-key", WITHOUT_OLD_KEY)
def test_null_as_responder(peer):
    """As with a shared key, by AUTH of method 13 on both sides."""
    trial.lead(peer)
    assert _methods(peer) == {AuthMethod.NULL_AUTHENTICATION}


@authenticated(null)
@needs(Capability.NULL_AUTHENTICATION)
@as_responder
@tries(AUTHENTICATION, "NULL")
@requirement("rfc7619-2.1-auth-value", REKEYED)
@turned_red_by("proves-null-by-peers-key", WITHOUT_OLD_KEY)
def test_null_as_initiator(peer, target):
    """As with a shared key, by AUTH of method 13 on both sides."""
    trial.follow(peer, target)
    assert _methods(peer) == {AuthMethod.NULL_AUTHENTICATION}


@eap.BY_PEER
@tries(BY_EAP)
@requirement("rfc7296-2.16-auth-under-msk", REKEYED)
@turned_red_by("proves-eap-by-sk-p", WITHOUT_OLD_KEY)
def test_eap_as_responder(peer):
    """As with a shared key; the initiator has EAP, the responder a certificate."""
    trial.lead(peer)
    assert _methods(peer) == {AuthMethod.DIGITAL_SIGNATURE, AuthMethod.SHARED_KEY_MIC}


@eap.BY_TARGET
@as_responder
@tries(BY_EAP)
@requirement("rfc7296-2.16-auth-under-msk", REKEYED)
@turned_red_by("proves-eap-by-sk-p", WITHOUT_OLD_KEY)
def test_eap_as_initiator(peer, target):
    """As with a shared key; the initiator has EAP, the responder a certificate."""
    trial.follow(peer, target)
    assert _methods(peer) == {AuthMethod.SHARED_KEY_MIC}


@eap.KEYLESS_OF_PEER
@tries(BY_EAP)
@requirement("rfc7296-2.16-auth-without-eap-key", REKEYED)
@turned_red_by("proves-keyless-eap-by-nothing", WITHOUT_OLD_KEY)
def test_eap_without_key_as_responder(peer):
    """As with a shared key; the initiator has EAP, the responder a certificate."""
    trial.lead(peer)
    assert EapType.MD5_CHALLENGE in _eap_types(peer)


@eap.KEYLESS_OF_TARGET
@as_responder
@tries(BY_EAP)
@requirement("rfc7296-2.16-auth-without-eap-key", REKEYED)
@turned_red_by("proves-keyless-eap-by-nothing", WITHOUT_OLD_KEY)
def test_eap_without_key_as_initiator(peer, target):
    """As with a shared key; the initiator has EAP, the responder a certificate."""
    trial.follow(peer, target)
    assert EapType.MD5_CHALLENGE in _eap_types(peer)


@eap.TLS_OF_PEER_ALONE
@tries(BY_EAP, "tls alone (RFC 5998)")
@requirement("rfc5998-3-auth-under-msk", REKEYED)
@turned_red_by("proves-eap-by-sk-p", WITHOUT_OLD_KEY)
def test_eap_alone_as_responder(peer):
    """As with a shared key; EAP authenticates both sides."""
    trial.lead(peer)
    assert _methods(peer) == {AuthMethod.SHARED_KEY_MIC}, "EAP is not alone"


@eap.TLS_OF_TARGET_ALONE
@as_responder
@tries(BY_EAP, "tls alone (RFC 5998)")
@requirement("rfc5998-3-auth-under-msk", REKEYED)
@turned_red_by("proves-eap-by-sk-p", WITHOUT_OLD_KEY)
def test_eap_alone_as_initiator(peer, target):
    """As with a shared key; EAP authenticates both sides."""
    trial.follow(peer, target)
    assert _methods(peer) == {AuthMethod.SHARED_KEY_MIC}


@ppk.required
@tries(AUTHENTICATION, "PSK, and a PPK (RFC 8784)")
@requirement("rfc8784-3-keys-mixed", "rfc8784-3-not-mixed-on-rekey", REKEYED)
@turned_red_by("mixes-ppk-into-auth-alone", "mixes-ppk-again-on-rekey", WITHOUT_OLD_KEY)
def test_ppk_as_responder(peer):
    """As with a shared key; the Child SA is rekeyed once more, under keys of the new IKE SA."""
    trial.lead(peer)
    trial.lead_child_rekey(peer)
    assert _confirmed(peer), "the target does without the PPK"


@ppk.required
@as_responder
@tries(AUTHENTICATION, "PSK, and a PPK (RFC 8784)")
@requirement("rfc8784-3-keys-mixed", "rfc8784-3-not-mixed-on-rekey", REKEYED)
@turned_red_by("mixes-ppk-into-auth-alone", "mixes-ppk-again-on-rekey", WITHOUT_OLD_KEY)
def test_ppk_as_initiator(peer, target):
    """As with a shared key; the Child SA is rekeyed once more, under keys of the new IKE SA."""
    trial.follow(peer, target)
    trial.follow_child_rekey(peer, target)
    assert _confirmed(peer), "the target does without the PPK"


@additional.EACH_COMBINATION
@tries("Several key exchanges")
@requirement("rfc9370-2.2.4-ike-keys", "rfc9370-2.2.4-child-keys", "rfc9370-2.2.2-keys-updated")
@turned_red_by("leaves-out-further-secrets", "keeps-keys-of-first-exchange")
def test_several_key_exchanges_as_responder(peer):
    """As with a shared key, with all key exchanges for the IKE SA, and for both in each rekey."""
    trial.lead(peer)


@additional.EACH_COMBINATION
@as_responder
@tries("Several key exchanges")
@requirement("rfc9370-2.2.4-ike-keys", "rfc9370-2.2.4-child-keys", "rfc9370-2.2.2-keys-updated")
@turned_red_by("leaves-out-further-secrets", "keeps-keys-of-first-exchange")
def test_several_key_exchanges_as_initiator(peer, target):
    """As with a shared key, with all key exchanges for the IKE SA, and for both in each rekey."""
    trial.follow(peer, target)


def _proofs(peer):
    return [message.get(AUTH) for message in trial.heard(peer) if message.has(AUTH)]


def _methods(peer):
    return {auth.method for auth in _proofs(peer)}


def _assert_signed_alike(peer):
    """See that the target signs by what it was configured with, which the row is named by."""
    credential = peer.connection.remote_credential
    assert isinstance(credential, Signature)
    assert _methods(peer) == {credential.scheme.method}
    if credential.scheme.method == AuthMethod.DIGITAL_SIGNATURE:
        used = {read_identifier(each.data[1 : 1 + each.data[0]]) for each in _proofs(peer)}
        assert used == {credential.scheme}, f"signed by {', '.join(map(str, used))}"


def _eap_types(peer):
    packets = [EapPacket.decode(each.get(EAP).data) for each in trial.heard(peer) if each.has(EAP)]
    return {each.type for each in packets if each.code in (EapCode.REQUEST, EapCode.RESPONSE)}


def _confirmed(peer):
    return any(NotifyType.PPK_IDENTITY in message.notifies for message in trial.heard(peer))
