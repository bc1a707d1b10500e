"""A connection as Libreswan has it: a ``conn`` section of ipsec.conf."""

from __future__ import annotations

import math

from peers.reference.connection import Childless, ChildPolicy, Connection, Lifetimes, Tcp
from peers.reference.errors import ScriptError
from peers.reference.numbers import Encr, Esn, Integ, KeyExchangeMethod, Prf, TransformType
from peers.reference.payloads import Proposal
from peers.targets.address_pools import libreswan_sides
from peers.targets.keywords import (
    AEADS,
    Words,
    check_children,
    check_name,
    check_policy,
    words_of,
)
from peers.targets.libreswan_auth import settings as authentication
from peers.targets.selectors import libreswan_settings

DAEMON = "Libreswan"

WORDS: Words = {
    TransformType.ENCR: {
        Encr.ENCR_DES: "des",
        Encr.ENCR_3DES: "3des",
        Encr.ENCR_NULL: "null",
        Encr.ENCR_AES_CBC: "aes_cbc_{bits}",
        Encr.ENCR_AES_CTR: "aes_ctr_{bits}",
        Encr.ENCR_AES_CCM_8: "aes_ccm_8_{bits}",
        Encr.ENCR_AES_CCM_12: "aes_ccm_12_{bits}",
        Encr.ENCR_AES_CCM_16: "aes_ccm_16_{bits}",
        Encr.ENCR_AES_GCM_8: "aes_gcm_8_{bits}",
        Encr.ENCR_AES_GCM_12: "aes_gcm_12_{bits}",
        Encr.ENCR_AES_GCM_16: "aes_gcm_16_{bits}",
        Encr.ENCR_NULL_AUTH_AES_GMAC: "null_auth_aes_gmac_{bits}",
        Encr.ENCR_CAMELLIA_CBC: "camellia_cbc_{bits}",
        Encr.ENCR_CHACHA20_POLY1305: "chacha20_poly1305",
    },
    TransformType.PRF: {
        Prf.PRF_HMAC_MD5: "md5",
        Prf.PRF_HMAC_SHA1: "sha1",
        Prf.PRF_AES128_XCBC: "aes_xcbc",
        Prf.PRF_HMAC_SHA2_256: "sha2_256",
        Prf.PRF_HMAC_SHA2_384: "sha2_384",
        Prf.PRF_HMAC_SHA2_512: "sha2_512",
    },
    TransformType.INTEG: {
        Integ.AUTH_HMAC_MD5_96: "md5",
        Integ.AUTH_HMAC_SHA1_96: "sha1",
        Integ.AUTH_AES_XCBC_96: "aes_xcbc",
        Integ.AUTH_AES_CMAC_96: "aes_cmac",
        Integ.AUTH_HMAC_SHA2_256_128: "sha2_256",
        Integ.AUTH_HMAC_SHA2_384_192: "sha2_384",
        Integ.AUTH_HMAC_SHA2_512_256: "sha2_512",
    },
    TransformType.KE: {
        KeyExchangeMethod.MODP_1024: "modp1024",
        KeyExchangeMethod.MODP_1536: "modp1536",
        KeyExchangeMethod.MODP_2048: "modp2048",
        KeyExchangeMethod.MODP_3072: "modp3072",
        KeyExchangeMethod.MODP_4096: "modp4096",
        KeyExchangeMethod.MODP_6144: "modp6144",
        KeyExchangeMethod.MODP_8192: "modp8192",
        KeyExchangeMethod.ECP_256: "dh19",
        KeyExchangeMethod.ECP_384: "dh20",
        KeyExchangeMethod.ECP_521: "dh21",
        KeyExchangeMethod.MODP_1024_S160: "dh22",
        KeyExchangeMethod.MODP_2048_S224: "dh23",
        KeyExchangeMethod.MODP_2048_S256: "dh24",
        KeyExchangeMethod.CURVE25519: "dh31",
    },
}

VERSION_SETTINGS = {
    4: {"ikev2": "insist", "keyingtries": "1"},
    5: {"keyexchange": "ikev2"},
}
"""What is said otherwise from version 5 on, which also gives up without being told to."""

SEQUENCE_NUMBERS = {
    frozenset[int](): "no",
    frozenset({Esn.NO_ESN}): "no",
    frozenset({Esn.ESN}): "yes",
    frozenset({Esn.NO_ESN, Esn.ESN}): "either",
}

TCP_WORDS = {Tcp.ONLY: "yes", Tcp.FALLBACK: "fallback"}


def ike_text(proposal: Proposal) -> str:
    """Write an IKE proposal: ``aes_cbc_256-sha2_256-modp2048``.

    Libreswan takes the integrity algorithm of a cipher that needs one from the PRF; ScriptError
    if the proposal has others, or other types of transforms.
    """
    _check_types(
        proposal, TransformType.ENCR, TransformType.INTEG, TransformType.PRF, TransformType.KE
    )
    prfs = words_of(WORDS, proposal, TransformType.PRF, DAEMON)
    integrity = words_of(WORDS, proposal, TransformType.INTEG, DAEMON)
    if integrity != ([] if _is_aead(proposal) else prfs):
        raise ScriptError(
            f"{DAEMON} cannot have {integrity} with {prfs} in IKE proposal {proposal}"
        )
    ciphers = words_of(WORDS, proposal, TransformType.ENCR, DAEMON)
    methods = words_of(WORDS, proposal, TransformType.KE, DAEMON)
    return "-".join("+".join(words) for words in (ciphers, prfs, methods))


def esp_text(proposal: Proposal) -> str:
    """Write an ESP proposal: ``aes_cbc_128-sha2_256`` or ``aes_gcm_16_256-none-dh19``."""
    _check_types(
        proposal, TransformType.ENCR, TransformType.INTEG, TransformType.KE, TransformType.ESN
    )
    ciphers = words_of(WORDS, proposal, TransformType.ENCR, DAEMON)
    integrity = words_of(WORDS, proposal, TransformType.INTEG, DAEMON) or ["none"]
    parts = [ciphers, integrity, words_of(WORDS, proposal, TransformType.KE, DAEMON)]
    return "-".join("+".join(words) for words in parts if words)


def ipsec_conf(connection: Connection, major: int = 5) -> str:
    """Write the ``conn`` sections for a major version. Nothing in them starts on its own.

    Each Child SA has one; pluto makes those with the same ends under one IKE SA.
    """
    check_name(connection)
    check_children(connection, DAEMON)
    return "".join(_section(connection, policy, major) for policy in connection.children)


def section_name(connection: Connection, name: str = "") -> str:
    """Give the name of a Child SA's section, by that of its policy; the first has our name."""
    name = check_policy(connection, name)
    return name if name == connection.name else f"{connection.name}-{name}"


def section_names(connection: Connection) -> list[str]:
    """List the names of all sections, that of the first Child SA first."""
    return [section_name(connection, policy.name) for policy in connection.children]


def _section(connection: Connection, policy: ChildPolicy, major: int) -> str:
    settings = {
        **VERSION_SETTINGS[min(major, 5)],
        **authentication(connection),
        "left": str(connection.local),
        **({} if connection.takes else libreswan_settings("left", policy.local_selectors)),
        "right": "%any" if connection.from_anywhere else str(connection.remote),
        **({} if connection.gives else libreswan_settings("right", policy.remote_selectors)),
        **libreswan_sides(connection),
        "type": policy.mode.value,
        "esp": ",".join(esp_text(each) for each in policy.esp_proposals),
        "esn": _sequence_numbers(policy),
        "pfs": "yes" if _has_key_exchange(policy) else "no",
        # What is narrowed is a template: it waits for no packet, and is not suspended.
        "narrowing": "no" if connection.on_demand or connection.session_resumption else "yes",
        "replay-window": str(connection.replay_window),
        # A test says when something is rekeyed, and what nobody answers is given up soon.
        "rekey": "no",
        "retransmit-timeout": "5s",
        # The lab's default route leads to the peer; scripts for routes would only take time.
        "leftupdown": "%disabled",
        "auto": "ignore",
    }
    if connection.ike_proposals:
        settings["ike"] = ",".join(ike_text(each) for each in connection.ike_proposals)
    settings |= _extensions(connection) | _lifetimes(connection.lifetimes)
    if connection.tcp is Tcp.FALLBACK and major < 5:
        settings["keyingtries"] = "2"  # The first is over UDP.
    if connection.tfc_size:
        settings["tfc"] = str(connection.tfc_size)
    if connection.initial_contact:
        settings["initial-contact"] = "yes"
    if not connection.accepts_tfc:
        settings["send-no-esp-tfc"] = "yes"
    settings["fragmentation"] = "yes" if connection.fragment_size else "no"
    if connection.claims_nat:
        settings["encapsulation"] = "yes"
    if connection.liveness_delay:
        settings["dpddelay"] = f"{math.ceil(connection.liveness_delay)}s"
        settings["dpdtimeout"] = f"{math.ceil(5 * connection.liveness_delay)}s"
    lines = (f"\t{key}={value}\n" for key, value in settings.items())
    return f"conn {section_name(connection, policy.name)}\n" + "".join(lines)


def _extensions(connection: Connection) -> dict[str, str]:
    """Give what extensions are on: childless, redirects, resumption, TCP, MOBIKE."""
    settings: dict[str, str] = {}
    if connection.childless not in (None, Childless.ALLOW):
        raise ScriptError(f"{DAEMON} makes IKE SAs without a Child SA when it is asked to, only")
    if connection.follows_redirects:
        settings["accept-redirect"] = "yes"
    if connection.redirects_to:
        settings |= {"send-redirect": "yes", "redirect-to": str(connection.redirects_to)}
    if connection.session_resumption:
        settings["session-resumption"] = "yes"
    if connection.tcp is not Tcp.NO:
        settings["enable-tcp"] = TCP_WORDS[connection.tcp]
    if connection.mobike:
        settings["mobike"] = "yes"
        if not connection.from_anywhere:
            # pluto moves only where it had to look for its address, and as initiator.
            settings["left"] = "%defaultroute"
    return settings


def _lifetimes(lifetimes: Lifetimes) -> dict[str, str]:
    """Give how long SAs are used; a margin has them rekeyed before."""
    words = {"salifetime": lifetimes.child, "ikelifetime": lifetimes.ike}
    settings = {word: f"{math.ceil(each)}s" for word, each in words.items() if each}
    if settings:
        # A lifetime has to be longer than the margin, whose default is minutes.
        margin = math.ceil(lifetimes.margin) or 1
        settings |= {"rekeymargin": f"{margin}s", "rekeyfuzz": "0%"}
    return settings | ({"rekey": "yes"} if lifetimes.margin else {})


def _check_types(proposal: Proposal, *types: TransformType) -> None:
    if strays := {each.type for each in proposal.transforms} - set(types):
        raise ScriptError(f"{DAEMON}'s proposals cannot carry transforms of type {min(strays)}")


def _is_aead(proposal: Proposal) -> bool:
    return all(each.id in AEADS for each in proposal.of(TransformType.ENCR))


def _sequence_numbers(policy: ChildPolicy) -> str:
    kinds = {
        frozenset(int(each.id) for each in proposal.of(TransformType.ESN))
        for proposal in policy.esp_proposals
    }
    if len(kinds) != 1:
        raise ScriptError(f"{DAEMON} takes one setting of ESN for all ESP proposals")
    return SEQUENCE_NUMBERS[kinds.pop()]


def _has_key_exchange(policy: ChildPolicy) -> bool:
    return any(each.of(TransformType.KE) for each in policy.esp_proposals)
