"""Everything that our codec can write, read by scapy and tshark: they agree, field by field.

What they are known to read wrongly has its reason in ``reports/second_decoder/known.py``, and has
to happen here, else the reason is out of date.
"""

import itertools
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from peers.reference.ip import IpPacket
from peers.reference.keys import derive_ike_keys
from peers.reference.keytables import ikev2_decryption_line
from peers.reference.message import Message
from peers.reference.negotiation import Suite
from peers.reference.numbers import (
    ConfigAttributeType,
    Encr,
    ExchangeType,
    IdType,
    Integ,
    IpProtocol,
    NotifyType,
    PayloadType,
    Prf,
)
from peers.reference.payloads import CERT, CP, ConfigAttribute, Delete, IDi, Nonce, Notify, Unknown
from reports.second_decoder import by_tshark
from reports.second_decoder.captured import Batch
from reports.second_decoder.comparison import Comparison
from reports.second_decoder.known import KNOWN, NO_TRAILER, NOT_IN_ORDER, SCAPY, TSHARK
from reports.wireshark import IKE_TABLE
from suites.selftest.codec_strategies import (
    CLEAR,
    IKE_AUTH,
    IKE_SA_INIT,
    INFORMATIONAL,
    chains,
    messages,
)

RAW_IP = 101
DRAWN = 500
DECODERS = pytest.mark.parametrize(
    "decoder",
    [
        SCAPY,
        pytest.param(
            TSHARK,
            marks=pytest.mark.skipif(not by_tshark.available(), reason="tshark is not installed"),
        ),
    ],
)
SUITES = [
    Suite(Encr.ENCR_AES_GCM_16, 256, None, Prf.PRF_HMAC_SHA2_256),
    Suite(Encr.ENCR_AES_CBC, 128, Integ.AUTH_HMAC_SHA2_256_128, Prf.PRF_HMAC_SHA2_256),
    Suite(Encr.ENCR_AES_CTR, 192, Integ.AUTH_HMAC_SHA1_96, Prf.PRF_HMAC_SHA1),
    Suite(Encr.ENCR_AES_CCM_8, 128, None, Prf.PRF_HMAC_SHA2_512),
    Suite(Encr.ENCR_CHACHA20_POLY1305, None, None, Prf.PRF_HMAC_SHA2_256),
]


def drawn(strategy):
    """Give the same examples each time: tshark reads them all in one run."""
    found = []

    @settings(max_examples=DRAWN, database=None, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def take(example):
        found.append(example)

    take()
    return found


INSIDE = st.lists(st.one_of(*CLEAR.values()), max_size=5).map(tuple)
# What the strategies draw too seldom to be relied on.
ODD = [
    (Notify(NotifyType.REDIRECT, b"\x01\x04"), Nonce(b"n")),
    (Delete(3, (b"", b"")),),
    (CERT(4, b""), Nonce(b"n")),
    (IDi(IdType.ID_IPV6_ADDR, b"\1\2\3\4"), Nonce(b"n")),
    (IDi(IdType.ID_FQDN, b""), Nonce(b"n")),
    (CP(1, (ConfigAttribute(ConfigAttributeType(3), b"\1\2\3\4", reserved=True),)),),
    (Unknown(PayloadType(1), b"not a proposal"), Nonce(b"n")),
]
OF_THIS_VERSION = messages(chains()).map(lambda message: replace(message, major=2))


def in_clear() -> list[Message]:
    versions = [replace(IKE_SA_INIT, major=major) for major in range(16)]
    exchanges = [replace(IKE_SA_INIT, exchange=ExchangeType(number)) for number in range(256)]
    odd = [replace(IKE_SA_INIT, payloads=payloads) for payloads in ODD]
    return [IKE_SA_INIT, *versions, *exchanges, *odd, *drawn(OF_THIS_VERSION)]


def to_seal() -> list[Message]:
    of_this_version = messages(INSIDE, protected=st.just(True))
    return [
        IKE_AUTH,
        INFORMATIONAL,
        *(replace(message, major=2) for message in drawn(of_this_version)),
    ]


def keys_of(number, message):
    """Give keys for the SPIs that the message has."""
    spis = {"spi_i": message.spi_i, "spi_r": message.spi_r}
    nonces = {"nonce_i": bytes(32), "nonce_r": bytes(range(32))}
    suite = SUITES[number % len(SUITES)]
    return derive_ike_keys(suite, shared=bytes([number % 256]), **spis, **nonces)


def udp(octets):
    header = b"\x01\xf4\x01\xf4" + (8 + len(octets)).to_bytes(2, "big") + b"\0\0"
    addresses = ip_address("198.18.0.1"), ip_address("198.18.0.2")
    return IpPacket(*addresses, IpProtocol.UDP, header + octets).encode()


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    batch = Batch(RAW_IP)
    count = itertools.count(1)
    for message in in_clear():
        batch.add(str(message), next(count), udp(message.encode()), {})
    for number, message in enumerate(to_seal()):
        # SPIs of their own, for their line in Wireshark's table.
        message = replace(message, spi_i=number.to_bytes(8, "big"))
        keys = keys_of(number, message)
        side = keys.initiator if message.initiator else keys.responder
        octets = message.seal(side, bytes(range(side.iv_size)))
        line = ikev2_decryption_line(keys)
        batch.tables[IKE_TABLE][line] = (line,)
        batch.add(str(message), next(count), udp(octets), {})
    shown = {}
    if by_tshark.available():
        shown = by_tshark.read(*batch.write(tmp_path_factory.mktemp("batch")))
    comparison = Comparison()
    comparison.add(batch, shown)
    return comparison


@DECODERS
def test_they_agree_on_every_message_that_we_can_write(comparison, decoder):
    unknown = [str(each) for each in comparison.unknown if each.decoder == decoder]

    assert unknown == []
    assert comparison.refused == []


@DECODERS
def test_they_read_most_of_it_rightly(comparison, decoder):
    """The reasons must not explain everything: of what was drawn four fifths agree."""
    tallies = [row.tallies[decoder] for row in comparison.rows.values()]
    agreed = sum(tally.agreed for tally in tallies)
    known = sum(count for tally in tallies for count in tally.known.values())

    assert agreed > 50_000
    assert agreed > 4 * known


@pytest.mark.parametrize(
    "known",
    [each for each in KNOWN if each not in (NO_TRAILER, NOT_IN_ORDER)],
    ids=lambda known: f"{known.decoder}: {known.reason}",
)
def test_what_they_are_known_for_still_happens(comparison, known):
    if known.decoder == TSHARK and not by_tshark.available():
        pytest.skip("tshark is not installed")

    assert comparison.known[known] > 0
