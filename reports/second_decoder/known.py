"""What scapy and tshark are known to read otherwise than they should, each with its reason.

All was seen with scapy 2.8.0 and tshark 4.0.17. A self-test asks for each bug whether it is still
there, so that a mended decoder is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from peers.reference.der import SEQUENCE
from peers.reference.numbers import IdType, IpProtocol, NotifyType, PayloadType, TrafficSelectorType
from reports.second_decoder.fields import Fields, Value

SCAPY, TSHARK = "scapy", "tshark"
_ADDRESS_SIZES: dict[Value, int] = {IdType.ID_IPV4_ADDR: 4, IdType.ID_IPV6_ADDR: 16}
_ISAKMP_SIZES = _ADDRESS_SIZES | {4: 8, 6: 32, 7: 8, 8: 32}
"""ISAKMP has identities that are subnets and ranges too (RFC 2407, 4.6.2.1)."""
_REDIRECTS = (NotifyType.REDIRECT, NotifyType.REDIRECTED_FROM)
_DISSECTED = (
    *_REDIRECTS,
    NotifyType.TICKET_LT_OPAQUE,
    NotifyType.ROHC_SUPPORTED,
    NotifyType.IKEV2_MESSAGE_ID_SYNC,
)
"""Notifications that Wireshark takes apart by lengths that are not those of the payload."""
_RANGES = (TrafficSelectorType.TS_IPV4_ADDR_RANGE, TrafficSelectorType.TS_IPV6_ADDR_RANGE)
_DER = (IdType.ID_DER_ASN1_DN, IdType.ID_DER_ASN1_GN)
_HASH_SIZE = 20


@dataclass(frozen=True, slots=True)
class Known:
    """Fields that a decoder reads wrongly, or with ``hidden`` does not show at all.

    ``path`` is a pattern for the whole path. ``when`` says of a message, as we read it, and of the
    path whether the reason holds there.
    """

    decoder: str
    path: str
    reason: str
    when: Callable[[Fields, str], bool] = lambda ours, path: True
    hidden: bool = False

    def explains(self, decoder: str, path: str, ours: Fields, theirs: Value | None) -> bool:
        """Say whether this is why ``decoder`` reads ``theirs`` at ``path``."""
        return (
            self.decoder == decoder
            and (theirs is None or not self.hidden)
            and re.fullmatch(self.path, path) is not None
            and self.when(ours, path)
        )


def explanation(decoder: str, path: str, ours: Fields, theirs: Value | None) -> Known | None:
    """Find the reason for which ``decoder`` reads ``theirs`` at ``path``, if one is known."""
    return next((each for each in KNOWN if each.explains(decoder, path, ours, theirs)), None)


# What has to be so for a reason to hold.


def _in_payload(says: Callable[[Fields], bool]) -> Callable[[Fields, str], bool]:
    """Make of a condition on a payload's fields one that holds inside that payload."""

    def when(ours: Fields, path: str) -> bool:
        payload, _, _ = path.partition(".")
        return says(_payload(ours, payload))

    return when


def _from_payload_on(says: Callable[[Fields], bool]) -> Callable[[Fields, str], bool]:
    """Make of a condition on a payload's fields one that holds in it and in all that follow."""

    def when(ours: Fields, path: str) -> bool:
        chain, _, rest = path.partition("[")
        last = int(rest.partition("]")[0])
        return any(says(_payload(ours, f"{chain}[{index}]")) for index in range(last + 1))

    return when


def _payload(ours: Fields, payload: str) -> Fields:
    start = f"{payload}."
    return {
        path.removeprefix(start): value for path, value in ours.items() if path.startswith(start)
    }


def _version(*majors: int) -> Callable[[Fields, str], bool]:
    return lambda ours, path: ours.get("major") in majors


def _has_strange_attributes(payload: Fields) -> bool:
    """Say whether a transform has an attribute in TLV form, or a second one."""
    return any(
        path.endswith("].format") and (value == 0 or not path.endswith("attribute[0].format"))
        for path, value in payload.items()
    )


def _has_unknown_selector(payload: Fields) -> bool:
    return any(
        path.startswith("selector[") and path.endswith("].type") and value not in _RANGES
        for path, value in payload.items()
    )


def _is_of_unknown_selector(ours: Fields, path: str) -> bool:
    return ours[f"{path.rpartition('.')[0]}.type"] not in _RANGES


def _has_address_of_wrong_size(payload: Fields) -> bool:
    size = _ADDRESS_SIZES.get(payload.get("id_type", 0))
    return size is not None and len(_data(payload)) != size


def _has_short_address(payload: Fields) -> bool:
    return len(_data(payload)) < _ISAKMP_SIZES.get(payload.get("id_type", 0), 0)


def _is_a_redirect(payload: Fields) -> bool:
    return payload.get("notify_type") in _REDIRECTS


def _has_reserved_attribute_bit(payload: Fields) -> bool:
    return any(path.endswith("].reserved") and value == 1 for path, value in payload.items())


def _is_empty_identity(payload: Fields) -> bool:
    return "id_type" in payload and not _data(payload)


def _has_empty_certificate(payload: Fields) -> bool:
    return payload.get("type") == PayloadType.CERT and not _data(payload)


def _has_spis_of_no_octets(payload: Fields) -> bool:
    return payload.get("spi_size") == 0


def _is_dissected(payload: Fields) -> bool:
    return payload.get("notify_type") in _DISSECTED


def _is_no_eap_message(payload: Fields) -> bool:
    """Say whether the length in EAP's own header is not the true one (RFC 3748, 4)."""
    data = _data(payload)
    is_eap = payload.get("type") == PayloadType.EAP
    return is_eap and (len(data) < 4 or int.from_bytes(data[2:4], "big") != len(data))


def _has_no_der(payload: Fields) -> bool:
    """Say whether what should be a certificate or a name is no SEQUENCE in DER."""
    is_der = payload.get("type") == PayloadType.CERT or payload.get("id_type") in _DER
    return is_der and not _is_sequence(_data(payload))


def _is_sequence(data: bytes) -> bool:
    """Say whether octets are one SEQUENCE, by its tag and length (X.690, 8.1)."""
    if len(data) < 2 or data[0] != SEQUENCE:
        return False
    end = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    length = int.from_bytes(data[2:end], "big") if end > 2 else data[1]
    return end + length == len(data)


def _has_no_hashes(payload: Fields) -> bool:
    is_request = payload.get("type") == PayloadType.CERTREQ
    return is_request and len(_data(payload)) % _HASH_SIZE != 0


def _is_a_type_of_isakmp(payload: Fields) -> bool:
    return payload.get("type", PayloadType.SA) in range(1, PayloadType.SA)


def _is_no_highest_fragment(ours: Fields, path: str) -> bool:
    """Say whether this is a fragment that others with higher numbers came before."""
    envelopes = [_payload(ours, each.partition(".")[0]) for each in ours if each.endswith(".total")]
    return any(each.get("fragment") != each.get("total") for each in envelopes)


def _data(payload: Fields) -> bytes:
    value = payload.get("data", b"")
    return value if isinstance(value, bytes) else b""


def _nothing_to_dissect(ours: Fields, path: str) -> bool:
    """Say whether an ESP packet holds nothing that Wireshark has a dissector for."""
    nothing = (IpProtocol.NO_NEXT_HEADER, 253)
    return ours.get("next_header") in nothing or ours.get("payload") == b""


NO_TRAILER = Known(
    TSHARK,
    r"next_header|pad_length|padding|payload",
    "it takes off ESP's trailer only when it has a dissector for what is inside",
    _nothing_to_dissect,
    hidden=True,
)
NOT_IN_ORDER = Known(
    TSHARK,
    r"inner\[.*",
    "it shows what is in fragments with the one of the highest number, if that comes last",
    _is_no_highest_fragment,
    hidden=True,
)
_ANY_PAYLOAD = r"(payload|inner)\[.*"

KNOWN: tuple[Known, ...] = (
    Known(
        SCAPY,
        r"sk\..*",
        "it has no decryption for IKE and is given the plaintext, so it reads no padding",
        hidden=True,
    ),
    Known(
        SCAPY,
        r".*",
        "it reads a message of a lower major version as ISAKMP (RFC 2408)",
        _version(0, 1),
        hidden=True,
    ),
    Known(
        SCAPY,
        r".*\.proposal\[.*",
        "it knows one attribute of a transform, of four octets (TV), and loses its place else",
        _in_payload(_has_strange_attributes),
    ),
    Known(
        SCAPY,
        r".*\.selector\[.*",
        "a selector of an unknown type swallows all that come after it",
        _in_payload(_has_unknown_selector),
    ),
    Known(
        SCAPY,
        _ANY_PAYLOAD,
        "it takes as many octets for an address as one should have, whatever the length says",
        _from_payload_on(_has_address_of_wrong_size),
    ),
    Known(
        SCAPY,
        _ANY_PAYLOAD,
        "it reads the gateway of RFC 5685 in a REDIRECT, whatever the length says",
        _from_payload_on(_is_a_redirect),
    ),
    Known(
        SCAPY,
        r".*\.spi\[\d+\]",
        "it shows no SPIs of no octets",
        _in_payload(_has_spis_of_no_octets),
        hidden=True,
    ),
    Known(
        SCAPY,
        r".*\.data",
        "it shows a certificate of its own where there are no octets for one",
        _in_payload(_has_empty_certificate),
    ),
    Known(
        TSHARK,
        r".*",
        "it reads a message of another major version by the figures of ISAKMP (RFC 2408)",
        _version(0, 1, *range(3, 16)),
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it reads a payload type below 33, which IKEv2 does not assign, as that of ISAKMP",
        _from_payload_on(_is_a_type_of_isakmp),
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it takes the reserved bit of a configuration attribute for ISAKMP's format bit",
        _from_payload_on(_has_reserved_attribute_bit),
    ),
    Known(
        TSHARK,
        r".*\.selector\[\d+\]\..*",
        "of a selector of an unknown type it shows the type only",
        _is_of_unknown_selector,
        hidden=True,
    ),
    Known(
        TSHARK,
        r".*\.spi\[\d+\]",
        "it shows no SPIs of no octets",
        _in_payload(_has_spis_of_no_octets),
        hidden=True,
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it ends with a dissector bug at an identity of no octets",
        _from_payload_on(_is_empty_identity),
        hidden=True,
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it takes as many octets for an address as ISAKMP has, and ends where there are fewer",
        _from_payload_on(_has_short_address),
        hidden=True,
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it takes some notifications apart, and ends where their octets are too few or too many",
        _from_payload_on(_is_dissected),
        hidden=True,
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it takes EAP messages apart, and ends at one with a wrong length",
        _from_payload_on(_is_no_eap_message),
        hidden=True,
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it reads DER beyond the end of a payload with a certificate or name, and ends without any",
        _from_payload_on(_has_no_der),
        hidden=True,
    ),
    Known(
        TSHARK,
        _ANY_PAYLOAD,
        "it takes a certificate request for hashes of 20 octets and reads beyond its end",
        _from_payload_on(_has_no_hashes),
    ),
    Known(TSHARK, r"sk\.padding", "it shows the padding of SK without its value", hidden=True),
    NO_TRAILER,
    NOT_IN_ORDER,
)
