"""A connection as strongSwan has it: what vici loads, and the same as swanctl.conf."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256

from peers.reference.additional import ADDITIONAL
from peers.reference.connection import ChildPolicy, Connection, Traffic
from peers.reference.errors import ScriptError
from peers.reference.numbers import Encr, Esn, Integ, KeyExchangeMethod, Prf, TransformType
from peers.reference.payloads import Proposal
from peers.targets.address_pools import strongswan_pools, strongswan_settings
from peers.targets.keywords import Words, armoured, check_children, check_name, words_of
from peers.targets.selectors import strongswan_text
from peers.targets.strongswan_auth import (
    Octets,
    Section,
    authorities,
    certificates_of,
    local_side,
    looks_up,
    ocsp_settings,
    ppk_settings,
    remote_side,
    secrets_section,
)

DAEMON = "strongSwan"

METHODS: Mapping[int, str] = {
    KeyExchangeMethod.NONE: "none",
    KeyExchangeMethod.MODP_768: "modp768",
    KeyExchangeMethod.MODP_1024: "modp1024",
    KeyExchangeMethod.MODP_1536: "modp1536",
    KeyExchangeMethod.MODP_2048: "modp2048",
    KeyExchangeMethod.MODP_3072: "modp3072",
    KeyExchangeMethod.MODP_4096: "modp4096",
    KeyExchangeMethod.MODP_6144: "modp6144",
    KeyExchangeMethod.MODP_8192: "modp8192",
    KeyExchangeMethod.ECP_256: "ecp256",
    KeyExchangeMethod.ECP_384: "ecp384",
    KeyExchangeMethod.ECP_521: "ecp521",
    KeyExchangeMethod.MODP_1024_S160: "modp1024s160",
    KeyExchangeMethod.MODP_2048_S224: "modp2048s224",
    KeyExchangeMethod.MODP_2048_S256: "modp2048s256",
    KeyExchangeMethod.ECP_192: "ecp192",
    KeyExchangeMethod.ECP_224: "ecp224",
    KeyExchangeMethod.BRAINPOOL_P224R1: "ecp224bp",
    KeyExchangeMethod.BRAINPOOL_P256R1: "ecp256bp",
    KeyExchangeMethod.BRAINPOOL_P384R1: "ecp384bp",
    KeyExchangeMethod.BRAINPOOL_P512R1: "ecp512bp",
    KeyExchangeMethod.CURVE25519: "x25519",
    KeyExchangeMethod.CURVE448: "x448",
    KeyExchangeMethod.ML_KEM_512: "mlkem512",
    KeyExchangeMethod.ML_KEM_768: "mlkem768",
    KeyExchangeMethod.ML_KEM_1024: "mlkem1024",
}

WORDS: Words = {
    TransformType.ENCR: {
        Encr.ENCR_DES: "des",
        Encr.ENCR_3DES: "3des",
        Encr.ENCR_NULL: "null",
        Encr.ENCR_AES_CBC: "aes{bits}",
        Encr.ENCR_AES_CTR: "aes{bits}ctr",
        Encr.ENCR_AES_CCM_8: "aes{bits}ccm8",
        Encr.ENCR_AES_CCM_12: "aes{bits}ccm12",
        Encr.ENCR_AES_CCM_16: "aes{bits}ccm16",
        Encr.ENCR_AES_GCM_8: "aes{bits}gcm8",
        Encr.ENCR_AES_GCM_12: "aes{bits}gcm12",
        Encr.ENCR_AES_GCM_16: "aes{bits}gcm16",
        Encr.ENCR_NULL_AUTH_AES_GMAC: "aes{bits}gmac",
        Encr.ENCR_CAMELLIA_CBC: "camellia{bits}",
        Encr.ENCR_CHACHA20_POLY1305: "chacha20poly1305",
    },
    TransformType.PRF: {
        Prf.PRF_HMAC_MD5: "prfmd5",
        Prf.PRF_HMAC_SHA1: "prfsha1",
        Prf.PRF_AES128_XCBC: "prfaesxcbc",
        Prf.PRF_HMAC_SHA2_256: "prfsha256",
        Prf.PRF_HMAC_SHA2_384: "prfsha384",
        Prf.PRF_HMAC_SHA2_512: "prfsha512",
        Prf.PRF_AES128_CMAC: "prfaescmac",
    },
    TransformType.INTEG: {
        Integ.AUTH_HMAC_MD5_96: "md5",
        Integ.AUTH_HMAC_SHA1_96: "sha1",
        Integ.AUTH_AES_XCBC_96: "aesxcbc",
        Integ.AUTH_AES_CMAC_96: "aescmac",
        Integ.AUTH_HMAC_SHA2_256_128: "sha256",
        Integ.AUTH_HMAC_SHA2_384_192: "sha384",
        Integ.AUTH_HMAC_SHA2_512_256: "sha512",
    },
    TransformType.KE: METHODS,
    **{
        kind: {number: f"ke{place}_{word}" for number, word in METHODS.items()}
        for place, kind in enumerate(ADDITIONAL, 1)
    },
    TransformType.ESN: {Esn.NO_ESN: "noesn", Esn.ESN: "esn"},
}

ORDER = (
    TransformType.ENCR,
    TransformType.INTEG,
    TransformType.PRF,
    TransformType.KE,
    *ADDITIONAL,
    TransformType.ESN,
)


def proposal_text(proposal: Proposal) -> str:
    """Write a proposal as strongSwan does: ``aes256-sha256-prfsha256-modp2048``."""
    if strays := {each.type for each in proposal.transforms} - set(ORDER):
        raise ScriptError(f"{DAEMON}'s proposals cannot carry transforms of type {min(strays)}")
    words = [each for kind in ORDER for each in words_of(WORDS, proposal, kind, DAEMON)]
    return "-".join(words)


def connection_section(connection: Connection) -> Section:
    """Give the section ``connections.<name>``; its first child has the connection's name."""
    check_name(connection)
    check_children(connection, DAEMON)
    if connection.redirects_to:
        raise ScriptError(f"{DAEMON} redirects by a plugin of one's own, only")
    return {
        "version": "2",
        "local_addrs": [str(connection.local)],
        "remote_addrs": ["%any" if connection.from_anywhere else str(connection.remote)],
        "proposals": [proposal_text(each) for each in connection.ike_proposals] or ["default"],
        "mobike": "yes" if connection.mobike else "no",
        "encap": "yes" if connection.claims_nat else "no",
        "fragmentation": "yes" if connection.fragment_size else "no",
        # "no" still says and obeys INITIAL_CONTACT, "never" does not.
        "unique": "no" if connection.initial_contact else "never",
        **_lifetime(connection.lifetimes.ike, connection.lifetimes.margin, "over_time"),
        "dpd_delay": f"{math.ceil(connection.liveness_delay)}s",
        "local": local_side(connection),
        "remote": remote_side(connection),
        **ppk_settings(connection),
        **ocsp_settings(connection),
        **({"childless": connection.childless.value} if connection.childless else {}),
        **strongswan_settings(connection),
        "children": {each.name: _child_section(connection, each) for each in connection.children},
    }


def _child_section(connection: Connection, policy: ChildPolicy) -> Section:
    if not policy.accepts_tfc:
        raise ScriptError(f"{DAEMON} cannot be told to refuse TFC padding")
    padding = {"tfc_padding": str(connection.tfc_size)} if connection.tfc_size else {}
    return {
        "mode": policy.mode.value,
        "start_action": "trap" if connection.on_demand else "none",
        "local_ts": _selectors(policy.local_selectors, assigned=connection.takes is not None),
        "remote_ts": _selectors(policy.remote_selectors, assigned=connection.gives is not None),
        "esp_proposals": [proposal_text(each) for each in policy.esp_proposals],
        "replay_window": str(connection.replay_window),
        **_lifetime(connection.lifetimes.child, connection.lifetimes.margin, "life_time"),
        **padding,
    }


def _lifetime(seconds: float, margin: float, hard: str) -> Section:
    """Write when an SA is rekeyed and closed, of which ``hard`` is the word.

    Without a lifetime a test says when something is rekeyed. ``over_time`` counts from the rekey
    on, ``life_time`` from the start.
    """
    rekey = seconds - margin if seconds and margin else 0.0
    end = seconds - rekey if hard == "over_time" else seconds
    words = {"rekey_time": rekey, "rand_time": 0.0, hard: end}
    return {word: f"{math.ceil(each)}s" for word, each in words.items()}


def _selectors(traffic: Sequence[Traffic], *, assigned: bool) -> list[str]:
    """Write the selectors of one side; ``dynamic`` is the address that it is assigned."""
    return ["dynamic"] if assigned else [strongswan_text(each) for each in traffic]


def swanctl_conf(connection: Connection) -> str:
    """Write the file that says what is loaded, with the secret."""
    lines = _lines(
        {
            "connections": {connection.name: connection_section(connection)},
            "authorities": authorities(connection),
            "pools": strongswan_pools(connection),
            "secrets": secrets_section(connection),
        }
    )
    files = (
        f"# {_text(each)}\n{armoured('CERTIFICATE', each)}" for each in certificates_of(connection)
    )
    settings = ["# strongswan.conf: hash_and_url = yes\n"] if looks_up(connection) else []
    return "".join([*(f"{line}\n" for line in lines), *files, *settings])


def _lines(section: Section, depth: int = 0) -> list[str]:
    indent = "    " * depth
    lines: list[str] = []
    for key, value in section.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key} {{", *_lines(value, depth + 1), f"{indent}}}"]
        else:
            several = [value] if isinstance(value, (str, bytes)) else value
            lines.append(f"{indent}{key} = {', '.join(map(_text, several))}")
    return lines


def _text(value: Octets) -> str:
    """Write a value; octets are a certificate, of which a file's name is written."""
    return value if isinstance(value, str) else f"{sha256(value).hexdigest()[:12]}.crt"
