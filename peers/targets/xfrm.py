"""Child SAs as ``ip xfrm`` has them: two states and the policies that lead to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import summarize_address_range

from peers.reference.child import ChildSa
from peers.reference.connection import Connection, Mode
from peers.reference.crypto import is_combined
from peers.reference.errors import ScriptError
from peers.reference.events import IPAddress
from peers.reference.keys import SaKeys
from peers.reference.numbers import Encr, Esn, Integ, IpProtocol
from peers.reference.payloads import TrafficSelector

AEADS: Mapping[Encr, tuple[str, int]] = {
    Encr.ENCR_AES_GCM_8: ("rfc4106(gcm(aes))", 64),
    Encr.ENCR_AES_GCM_12: ("rfc4106(gcm(aes))", 96),
    Encr.ENCR_AES_GCM_16: ("rfc4106(gcm(aes))", 128),
    Encr.ENCR_AES_CCM_8: ("rfc4309(ccm(aes))", 64),
    Encr.ENCR_AES_CCM_12: ("rfc4309(ccm(aes))", 96),
    Encr.ENCR_AES_CCM_16: ("rfc4309(ccm(aes))", 128),
    Encr.ENCR_NULL_AUTH_AES_GMAC: ("rfc4543(gcm(aes))", 128),
    Encr.ENCR_CHACHA20_POLY1305: ("rfc7539esp(chacha20,poly1305)", 128),
}
"""The kernel's names of combined modes, with the bits of the ICV."""

CIPHERS: Mapping[Encr, str] = {
    Encr.ENCR_NULL: "ecb(cipher_null)",
    Encr.ENCR_3DES: "cbc(des3_ede)",
    Encr.ENCR_AES_CBC: "cbc(aes)",
    Encr.ENCR_AES_CTR: "rfc3686(ctr(aes))",
    Encr.ENCR_CAMELLIA_CBC: "cbc(camellia)",
}

MACS: Mapping[Integ, tuple[str, int]] = {
    Integ.AUTH_HMAC_MD5_96: ("hmac(md5)", 96),
    Integ.AUTH_HMAC_SHA1_96: ("hmac(sha1)", 96),
    Integ.AUTH_AES_XCBC_96: ("xcbc(aes)", 96),
    Integ.AUTH_AES_CMAC_96: ("cmac(aes)", 96),
    Integ.AUTH_HMAC_SHA2_256_128: ("hmac(sha256)", 128),
    Integ.AUTH_HMAC_SHA2_384_192: ("hmac(sha384)", 192),
    Integ.AUTH_HMAC_SHA2_512_256: ("hmac(sha512)", 256),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The commands that key a Child SA by hand, without ``ip xfrm``, and those that undo them."""

    add: tuple[str, ...]
    delete: tuple[str, ...]


def rules(
    connection: Connection, child: ChildSa, request: int, last: tuple[int, int] = (0, 0)
) -> Rules:
    """Give the states and policies of ``child``, which is the target's side.

    ``request`` (reqid) ties policies to states. ``last`` is the last sequence number of packets
    sent, and that of packets received.
    """
    local, remote = connection.local, connection.remote
    keys = child.keys
    to_us, to_them = (
        (keys.from_responder, keys.from_initiator)
        if child.terms.initiator
        else (keys.from_initiator, keys.from_responder)
    )
    inbound = _state(remote, local, child.inbound.spi)
    outbound = _state(local, remote, child.outbound.spi)
    # The kernel wants a window with extended numbers in a state that only sends, too.
    common = (
        f"mode {child.terms.mode.value} reqid {request}{_flags(connection, child)}"
        f" replay-window {connection.replay_window}"
    )
    words = [algorithm_words(keys.encr, keys.integ, each) for each in (to_us, to_them)]
    add = [
        f"state add {inbound} {common} {_numbers('seq', last[1])} {words[0]}",
        f"state add {outbound} {common} {_numbers('oseq', last[0])} {words[1]}",
    ]
    delete = [f"state delete {inbound}", f"state delete {outbound}"]
    for there in child.terms.remote_selectors:
        for here in child.terms.local_selectors:
            for direction, sources, destinations, ends in (
                ("in", there, here, (remote, local)),
                ("out", here, there, (local, remote)),
            ):
                for selector in _selectors(sources, destinations):
                    template = (
                        f"tmpl src {ends[0]} dst {ends[1]} proto esp"
                        f" mode {child.terms.mode.value} reqid {request}"
                    )
                    add.append(f"policy add {selector} dir {direction} {template}")
                    delete.append(f"policy delete {selector} dir {direction}")
    return Rules(tuple(add), tuple(delete))


def _state(source: IPAddress, destination: IPAddress, spi: bytes) -> str:
    return f"src {source} dst {destination} proto esp spi 0x{spi.hex()}"


def _flags(connection: Connection, child: ChildSa) -> str:
    flags = ["esn"] if child.keys.esn is Esn.ESN else []
    outer = connection.local.version
    inner = {each.start_address.version for each in child.terms.local_selectors}
    if child.terms.mode is Mode.TUNNEL and inner != {outer}:
        flags.append("af-unspec")
    return "".join(f" flag {each}" for each in flags)


def _numbers(which: str, last: int) -> str:
    if not last:
        return ""
    high = f" replay-{which}-hi {last >> 32}" if last >> 32 else ""
    return f"replay-{which} {last & 0xFFFFFFFF}{high}"


def algorithm_words(encr: Encr, integ: Integ | None, keys: SaKeys) -> str:
    """Say a state's algorithms with their keys; ScriptError where there is no name for one."""
    key = f"0x{keys.encryption.hex()}" if keys.encryption else "''"
    if is_combined(encr):
        if encr not in AEADS:
            raise ScriptError(f"no name of the kernel's for {encr!r}")
        name, bits = AEADS[encr]
        return f"aead '{name}' {key} {bits}"
    if encr not in CIPHERS or (integ is not None and integ not in MACS):
        raise ScriptError(f"no name of the kernel's for {encr!r} with {integ!r}")
    cipher = f"enc '{CIPHERS[encr]}' {key}"
    if integ is None:
        return cipher
    name, bits = MACS[integ]
    return f"{cipher} auth-trunc '{name}' 0x{keys.integrity.hex()} {bits}"


def _selectors(source: TrafficSelector, destination: TrafficSelector) -> list[str]:
    protocols = {source.ip_protocol, destination.ip_protocol} - {IpProtocol.ANY}
    if len(protocols) > 1:
        raise ScriptError(f"one policy cannot have {source} and {destination}")
    upper = ""
    if protocols:
        both_ports = _port("sport", source) + _port("dport", destination)
        upper = f" proto {int(protocols.pop())}{both_ports}"
    return [f"src {a} dst {b}{upper}" for a in _networks(source) for b in _networks(destination)]


def _networks(selector: TrafficSelector) -> list[str]:
    first, last = selector.start_address, selector.end_address
    return [str(each) for each in summarize_address_range(first, last)]


def _port(word: str, selector: TrafficSelector) -> str:
    if (selector.start_port, selector.end_port) == (0, 65535):
        return ""
    if selector.start_port != selector.end_port:
        raise ScriptError(f"the kernel has no range of ports: {selector}")
    return f" {word} {selector.start_port}"
