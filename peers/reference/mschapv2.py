"""The hashes of MS-CHAPv2 (RFC 2759, 8) and the keys that come of it (RFC 3079, 3).

MD4 and single DES are what the RFC says, not what anybody should use.
"""

from __future__ import annotations

from hashlib import sha1

from Cryptodome.Cipher import DES
from Cryptodome.Hash import MD4

_SIGNING = b"Magic server to client signing constant"
_ITERATION = b"Pad to make it do more than one iteration"
_MASTER_KEY = b"This is the MPPE Master Key"
_CLIENT_SENDS = (
    b"On the client side, this is the send key; on the server side, it is the receive key."
)
_CLIENT_RECEIVES = (
    b"On the client side, this is the receive key; on the server side, it is the send key."
)
_PADS = bytes(40), b"\xf2" * 40


def password_hash(password: bytes) -> bytes:
    """Hash a password (UTF-16, low octets first) to 16 octets (RFC 2759, 8.3)."""
    return MD4.new(password).digest()


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, user: bytes) -> bytes:
    """Make the 8 octets that are encrypted, of both challenges and the name (RFC 2759, 8.2)."""
    return sha1(peer_challenge + authenticator_challenge + user).digest()[:8]


def nt_response(challenge: bytes, hashed: bytes) -> bytes:
    """Encrypt a challenge under the hash of the password: 24 octets (RFC 2759, 8.5)."""
    padded = hashed.ljust(21, b"\0")
    keys = (_with_parity(padded[at : at + 7]) for at in (0, 7, 14))
    return b"".join(DES.new(key, DES.MODE_ECB).encrypt(challenge) for key in keys)


def _with_parity(key: bytes) -> bytes:
    """Spread 56 bits over 8 octets, whose lowest bits DES ignores (RFC 2759, 8.6)."""
    bits = int.from_bytes(key, "big")
    return bytes((bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7))


def authenticator_response(hashed: bytes, response: bytes, challenge: bytes) -> bytes:
    """Prove that the password is known: ``S=`` and 40 hexadecimal digits (RFC 2759, 8.7)."""
    digest = sha1(MD4.new(hashed).digest() + response + _SIGNING).digest()
    return b"S=" + sha1(digest + challenge + _ITERATION).hexdigest().upper().encode()


def master_key(hashed: bytes, response: bytes) -> bytes:
    """Derive the 16 octets that all keys come from (RFC 3079, 3.4)."""
    return sha1(MD4.new(hashed).digest() + response + _MASTER_KEY).digest()[:16]


def start_key(master: bytes, *, client_sends: bool) -> bytes:
    """Derive the 16 octets of one direction (RFC 3079, 3.4)."""
    magic = _CLIENT_SENDS if client_sends else _CLIENT_RECEIVES
    return sha1(master + _PADS[0] + magic + _PADS[1]).digest()[:16]


def msk(hashed: bytes, response: bytes) -> bytes:
    """Join the keys of both directions, the server's receive key first, to 64 octets."""
    master = master_key(hashed, response)
    keys = (start_key(master, client_sends=sends) for sends in (True, False))
    return b"".join(keys).ljust(64, b"\0")
