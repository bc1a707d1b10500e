"""The decisions about EAP, one method each: part of `Decisions`."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from peers.reference.keys import IkeKeys
from peers.reference.numbers import EapType

if TYPE_CHECKING:
    from peers.reference.certificates import Objection


class EapDecisions:
    """The decisions about EAP as RFC 7296, 2.16, RFC 3748 and RFC 5998 want them."""

    # Within EAP.

    def believes_success(self, *, done: bool) -> bool:
        """Say whether EAP Success is believed: once the method is done (RFC 3748, 4.2)."""
        return done

    def eap_identifier(self, of_request: int) -> int:
        """Give the identifier of a response: that of the request (RFC 7296, 3.16)."""
        return of_request

    def answer_to_unknown_type(self, kind: int, ours: EapType) -> tuple[int, bytes]:
        """Answer a request of another method than ours: Nak asks for ours (RFC 3748, 5.3.1)."""
        return EapType.NAK, bytes([ours])

    def accepts_response(self, expected: bytes, response: bytes) -> bool:
        """Compare a response with what it should be; nothing is expected of strangers."""
        return compare_digest(expected, response)

    def knows_password(self, expected: bytes, proof: bytes) -> bool:
        """Say whether the server has proved that it knows the password too (RFC 2759, 5)."""
        return compare_digest(expected, proof)

    # Within EAP-TLS.

    def tls_fragment_size(self) -> int:
        """Give how many octets of TLS go into one packet of ours (RFC 5216, 2.1.5)."""
        return 1024

    def joins(self, before: bytes, fragment: bytes) -> bytes:
        """Put a fragment behind those that came before it (RFC 5216, 2.1.5)."""
        return before + fragment

    def minds_reserved_flags(self, flags: int) -> bool:
        """Say whether set reserved flags make us refuse a packet: never (RFC 5216, 3.1)."""
        return False

    def overlooks_in_tls(self, objection: Objection) -> bool:
        """Say whether a certificate is taken in TLS in spite of an objection: never."""
        return False

    # Within IKE_AUTH.

    def eap_secret(self, msk: bytes | None, keys: IkeKeys, *, of_initiator: bool) -> bytes:
        """Give what AUTH is made with after EAP: the MSK, or SK_pi and SK_pr (RFC 7296, 2.16)."""
        if msk is not None:
            return msk
        return keys.sk_pi if of_initiator else keys.sk_pr

    def omits_auth(self, *, announced: bool) -> bool:
        """Say whether we, authenticated by EAP alone, leave AUTH out: if asked to (RFC 5998, 3)."""
        return announced

    def needs_auth(self, *, eap_only: bool) -> bool:
        """Say whether a responder has to send AUTH before EAP: unless configured otherwise."""
        return not eap_only

    def allows_alone(self, *, mutual: bool) -> bool:
        """Say whether a method may be all that authenticates the responder (RFC 5998, 3 and 4)."""
        return mutual

    def goes_on_after_eap(self, *, succeeded: bool) -> bool:
        """Say whether an IKE SA lives on after EAP is over: only after Success (2.16)."""
        return succeeded
