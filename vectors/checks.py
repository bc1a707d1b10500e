"""What each kind of vector asks of the reference peer: one function for a kind.

A check raises Disagreement when the peer computes something else, and lets PeerError through when
the peer refuses what it is given; what that means is for ``vectors.judge`` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from peers.reference import mschapv2 as hashes
from peers.reference.crypto import Protection, is_combined, prf, protection
from peers.reference.errors import AuthenticationFailure, IntegrityFailure, ScriptError
from peers.reference.esp import InboundSa, OutboundSa, ReplayWindow
from peers.reference.key_exchange import check_method, key_exchange, respond
from peers.reference.key_exchange.interface import KeyExchange
from peers.reference.key_exchange.modp import GROUPS
from peers.reference.key_exchange.montgomery import Montgomery
from peers.reference.numbers import Encr, Integ, KeyExchangeMethod, Prf
from vectors import derivation, signatures
from vectors.loader import Case

_INTEG = Integ.AUTH_HMAC_SHA2_256_128
"""Joins a cipher that goes nowhere without integrity; its key is zero, its ICV is cut off."""
_INTEG_KEY, _INTEG_SIZE = bytes(32), 16


class Disagreement(Exception):
    """The peer and the vector give different octets."""


def same(name: str, ours: bytes, theirs: bytes) -> None:
    """Raise Disagreement unless both are equal."""
    if ours != theirs:
        raise Disagreement(f"{name}: ours {ours.hex()}, the vector's {theirs.hex()}")


def cipher(case: Case) -> None:
    """Seal and open; where a separate integrity algorithm is needed, its ICV is cut off."""
    suite, extra = _cipher(case)
    associated, iv, plaintext, sealed = _sealed(case)
    if case.result == "valid":
        ours = suite.seal(associated, plaintext, iv)
        same("sealed", ours[: len(ours) - extra], sealed)
        sealed = ours
    same("opened", suite.open(associated, sealed), plaintext)


def _sealed(case: Case) -> tuple[bytes, bytes, bytes, bytes]:
    iv = case.octets("iv")
    sealed = iv + case.octets("ciphertext") + case.octets("icv")
    return case.octets("associated"), iv, case.octets("plaintext"), sealed


def _cipher(case: Case) -> tuple[Protection, int]:
    encr, bits, key = _algorithm(case)
    if is_combined(encr):
        return protection(encr, bits, None, key, b""), 0
    return protection(encr, bits, _INTEG, key, _INTEG_KEY), _INTEG_SIZE


def _algorithm(case: Case) -> tuple[Encr, int | None, bytes]:
    return Encr(case.number("encr")), case.optional_number("key_bits"), case.octets("key")


def key_stream(case: Case) -> None:
    """Encrypt zeros up to the block of that counter, the AEAD's first one being 1."""
    key, nonce = case.octets("key"), case.octets("nonce")
    before = bytes(64 * (case.number("counter") - 1))
    suite = protection(Encr.ENCR_CHACHA20_POLY1305, None, None, key + nonce[:4], b"")
    sealed = suite.seal(b"", before + case.octets("plaintext"), nonce[4:])
    start = suite.iv_size + len(before)
    same("ciphertext", sealed[start : len(sealed) - suite.icv_size], case.octets("ciphertext"))


def one_time_key(case: Case) -> None:
    """Compute the tag of nothing from the one-time key: r times 2^128, plus s (RFC 8439, 2.5)."""
    key, nonce = case.octets("key"), case.octets("nonce")
    suite = protection(Encr.ENCR_CHACHA20_POLY1305, None, None, key + nonce[:4], b"")
    one_time = case.octets("output")
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(one_time[16:], "little")
    tag = ((r << 128) % (2**130 - 5) + s) % 2**128
    same("tag", suite.seal(b"", b"", nonce[4:])[suite.iv_size :], tag.to_bytes(16, "little"))


def pseudorandom(case: Case) -> None:
    """Compute a PRF."""
    output = case.octets("output")
    ours = prf(Prf(case.number("prf")), case.octets("key"), case.octets("data"))
    if "TRUNCATED" in case.flags:
        ours = ours[: len(output)]
    same("output", ours, output)


def integrity(case: Case) -> None:
    """Compute and verify an ICV; ENCR_NULL shows it alone, over associated data."""
    key, data, icv = (case.octets(name) for name in ("key", "data", "icv"))
    suite = protection(Encr.ENCR_NULL, None, Integ(case.number("integ")), b"", key)
    if case.result == "valid":
        same("icv", suite.seal(data, b"", b""), icv)
        if case.values["output"] is not None:
            pseudorandom(case)
    same("opened", suite.open(data, icv), b"")


def modp_group(case: Case) -> None:
    """Compare a prime and what the generator gives for our exponent."""
    method = _method(case)
    if method not in GROUPS:
        raise ScriptError(f"{method!r} is not implemented")
    group = GROUPS[method]
    same("prime", group.prime.to_bytes(group.size, "big"), case.octets("prime"))
    exponent = 1 << group.size
    prime = int.from_bytes(case.octets("prime"), "big")
    power = pow(case.number("generator"), exponent, prime)
    same("power", group.power(exponent), power.to_bytes(group.size, "big"))


def ecp_group(case: Case) -> None:
    """Scalars 1 and the order less one give the generator and its inverse."""
    method = _method(case)
    x, y, prime, order = (
        case.octets(name) for name in ("generator_x", "generator_y", "prime", "order")
    )
    inverse = int.from_bytes(prime, "big") - int.from_bytes(y, "big")
    last = (int.from_bytes(order, "big") - 1).to_bytes(len(order), "big")
    same("generator", _half(method, b"\x01").public, x + y)
    same("inverse", _half(method, last).public, x + inverse.to_bytes(len(y), "big"))


def exchange(case: Case) -> None:
    """Make both halves from their private keys; each gives its public value and the secret."""
    method = _method(case)
    initiator = _half(method, case.octets("private_i"))
    responder = _half(method, case.octets("private_r"))
    same("public_i", initiator.public, case.octets("public_i"))
    same("public_r", responder.public, case.octets("public_r"))
    same("shared", initiator.shared(responder.public), case.octets("shared"))
    same("shared", responder.shared(initiator.public), case.octets("shared"))
    answer = respond(method, initiator.public, _drawing(method, case.octets("private_r")))
    same("shared", answer.shared, case.octets("shared"))


def scalar_multiplication(case: Case) -> None:
    """Apply a function of RFC 7748 to its own result as often as asked for."""
    method, scalar, u = _method(case), case.octets("scalar"), case.octets("u")
    for _ in range(case.number("iterations")):
        scalar, u = _half(method, scalar).shared(u), scalar
    same("output", scalar, case.octets("output"))


def public_value(case: Case) -> None:
    """Take a public value as either side; the secret is that of another value where one is told."""
    method, public = _method(case), case.octets("public")
    ours = key_exchange(method, _counting)
    shared = ours.shared(public)
    same("shared", respond(method, public, _counting).shared, shared)
    if "same_as" in case.values:
        same("shared", shared, ours.shared(case.octets("same_as")))


def encapsulation(case: Case) -> None:
    """Make a key pair of its seeds, encapsulate a message, decapsulate, and reject by a secret."""
    method = _method(case)
    seeds = iter((case.octets("seeds")[:32], case.octets("seeds")[32:]))
    initiator = key_exchange(method, lambda _: next(seeds))
    same("public", initiator.public, case.octets("public"))
    answer = respond(method, initiator.public, lambda _: case.octets("message"))
    same("ciphertext", answer.public, case.octets("ciphertext"))
    same("shared", answer.shared, case.octets("shared"))
    same("shared", initiator.shared(answer.public), case.octets("shared"))
    rejected = initiator.shared(case.octets("wrong_ciphertext"))
    same("secret_of_nobody", rejected, case.octets("secret_of_nobody"))


def encapsulation_key(case: Case) -> None:
    """Take an encapsulation key as the responder."""
    respond(_method(case), case.octets("public"), _counting)


def ciphertext(case: Case) -> None:
    """Take a ciphertext as the initiator."""
    seeds = iter((case.octets("seeds")[:32], case.octets("seeds")[32:]))
    key_exchange(_method(case), lambda _: next(seeds)).shared(case.octets("ciphertext"))


def _counting(size: int) -> bytes:
    return bytes(range(1, size + 1))


def esp(case: Case) -> None:
    """Build and read a packet; a receiver of ESNs is told where its window stands."""
    spi, sequence = case.octets("spi"), case.number("sequence")
    suite = protection(*_algorithm(case)[:2], None, case.octets("key"), b"")
    extended = bool(case.number("extended"))
    if case.result == "valid":
        sealed = OutboundSa(spi, suite, extended=extended).seal(
            case.number("next_header"),
            case.octets("payload"),
            case.octets("iv"),
            sequence=sequence,
        )
        same("packet", sealed, case.octets("packet"))
    window = ReplayWindow(64)
    window.advance(sequence - 1)
    opened = InboundSa(spi, suite, window, extended=extended).open(case.octets("packet"))
    same("payload", opened.payload, case.octets("payload"))
    same("padding", opened.padding, case.octets("padding"))


def esp_trailer(case: Case) -> None:
    """Read a packet whose trailer alone is wrong: that its ICV failed would prove nothing."""
    try:
        esp(case)
    except IntegrityFailure as error:
        raise Disagreement(f"refused by its ICV: {error}") from error


def ike_message(case: Case) -> None:
    """Seal and open what an SK payload holds."""
    suite, _ = _cipher(case)
    associated, message = case.octets("associated"), case.octets("message")
    if case.result == "valid":
        sealed = suite.seal(associated, case.octets("plaintext"), case.octets("iv"))
        same("message", associated + sealed, message)
    opened = suite.open(associated, message[len(associated) :])
    same("plaintext", opened, case.octets("plaintext"))


def signature(case: Case) -> None:
    """Verify a signature, and sign anew where the private key is told."""
    if not signatures.verifies(case):
        raise AuthenticationFailure("the signature does not verify")
    if case.result == "valid" and "private" in case.values:
        same("signature", signatures.sign(case), case.octets("signature"))
    if "payload" in case.values:
        same("payload", signatures.payload(case), case.octets("payload"))


def algorithm_identifier(case: Case) -> None:
    """Read an AlgorithmIdentifier, and write it where only one encoding is preferred."""
    found = signatures.identify(case.octets("identifier"))
    if (found.hash.value, found.salt) != (case.values["hash"], case.values["salt"]):
        raise Disagreement(f"read as {found}, salt {found.salt}")
    if found.salt is None:
        same("identifier", found.identifier(), case.octets("identifier"))


def mschapv2(case: Case) -> None:
    """Compute the hashes and both responses of EAP-MSCHAPv2."""
    challenge = hashes.challenge_hash(
        case.octets("peer_challenge"), case.octets("authenticator_challenge"), case.octets("user")
    )
    hashed = hashes.password_hash(case.octets("password"))
    response = hashes.nt_response(challenge, hashed)
    proof = hashes.authenticator_response(hashed, response, challenge)
    same("challenge", challenge, case.octets("challenge"))
    same("password_hash", hashed, case.octets("password_hash"))
    same("password_hash_hash", hashes.password_hash(hashed), case.octets("password_hash_hash"))
    same("nt_response", response, case.octets("nt_response"))
    same("authenticator_response", proof, case.octets("authenticator_response"))


def key_derivation(case: Case) -> None:
    """Derive all that the case names, then keys by the interfaces that SAs get theirs from."""
    for name, ours in derivation.values_of(case).items():
        same(name, ours, case.octets(name))
    for name, ours, theirs in derivation.keys_of(case):
        same(name, ours, theirs[: len(ours)])


def _method(case: Case) -> KeyExchangeMethod:
    return KeyExchangeMethod(case.number("method"))


def _half(method: KeyExchangeMethod, private: bytes) -> KeyExchange:
    """Make our half with a given private key."""
    return key_exchange(method, _drawing(method, private))


def _drawing(method: KeyExchangeMethod, private: bytes) -> Callable[[int], bytes]:
    """Give the random octets that become that private key.

    Groups whose order is known add one to what they draw.
    """
    if isinstance(check_method(method), Montgomery):
        return lambda _: private
    number = int.from_bytes(private, "big") - 1
    return lambda size: number.to_bytes(size, "big")


CHECKS: Mapping[str, Callable[[Case], None]] = {
    "algorithm-identifier": algorithm_identifier,
    "cipher": cipher,
    "ciphertext": ciphertext,
    "ecp-group": ecp_group,
    "encapsulation-key": encapsulation_key,
    "esp": esp,
    "esp-trailer": esp_trailer,
    "ike-message": ike_message,
    "integrity": integrity,
    "key-derivation": key_derivation,
    "key-encapsulation": encapsulation,
    "key-exchange": exchange,
    "key-stream": key_stream,
    "modp-group": modp_group,
    "mschapv2": mschapv2,
    "one-time-key": one_time_key,
    "prf": pseudorandom,
    "public-value": public_value,
    "scalar-multiplication": scalar_multiplication,
    "signature": signature,
}
