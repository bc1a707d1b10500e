"""tshark as a further implementation of ESP: a packet of every suite that its table has names for.

It opens each. Of AES-XCBC-96 and AES-CMAC-96 it only knows where the ICV is, and calls none good.
"""

from itertools import product

import pytest

from peers.reference.crypto import is_combined, key_sizes
from peers.reference.crypto.ciphers import encryption
from peers.reference.keys import ChildKeys, SaKeys
from peers.reference.keytables import ESP_ENCR, ESP_INTEG, esp_sa_lines
from peers.reference.numbers import Esn, Integ, ProtocolId
from suites.selftest.test_keytables import NEEDS_TSHARK, esp_packets, tshark

UNCHECKED = (Integ.AUTH_AES_XCBC_96, Integ.AUTH_AES_CMAC_96)
SUITES = [
    (encr, bits, integ)
    for encr, integ in product(ESP_ENCR, ESP_INTEG)
    for bits in encryption(encr).key_bits or (None,)
    if is_combined(encr) == (integ is Integ.NONE)
]


def child(number, encr, bits, integ):
    """A Child SA with keys and SPIs that no other suite has."""
    integ = None if integ is Integ.NONE else integ
    first, second = (
        SaKeys(*(bytes((number + side + at) % 256 for at in range(size)) for size in sizes))
        for side, sizes in ((1, key_sizes(encr, bits, integ)), (101, key_sizes(encr, bits, integ)))
    )
    spis = (b"init" + bytes([number]))[1:], (b"resp" + bytes([number]))[1:]
    return ChildKeys(ProtocolId.ESP, encr, bits, integ, Esn.NO_ESN, *spis, first, second)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """By suite, what is shown of a packet in each direction."""
    children = [child(number, *suite) for number, suite in enumerate(SUITES)]
    packets = [packet for each in children for packet in esp_packets(each, 4, True)]
    lines = [line for each in children for line in esp_sa_lines(each)]
    folder = tmp_path_factory.mktemp("esp")
    rows = tshark(folder, packets, ("esp.icv_good", "icmp.type", "esp.pad_len"), esp=lines)
    return dict(zip(SUITES, zip(rows[::2], rows[1::2], strict=True), strict=True))


@NEEDS_TSHARK
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: "-".join(map(str, suite)))
def test_tshark_opens_a_packet_of_every_suite(shown, suite):
    good = "0" if suite[2] in UNCHECKED else "1"

    assert [row[:2] for row in shown[suite]] == [(good, "8")] * 2
    assert all(row[2].isdigit() for row in shown[suite])
