"""The second decoders with an IKE SA that has several keys, one after the other (RFC 9370)."""

from dataclasses import replace

import pytest

from peers.reference.keys import IkeKeys
from peers.reference.keytables import ikev2_decryption_line
from peers.reference.message import Message
from peers.reference.numbers import Encr
from reports.second_decoder.keys import NO_ALGORITHM, NOT_THE_LAST_KEY, Keys
from reports.second_decoder.ours import WRONG_ICV, IkeReader
from suites.selftest.reports_events import IKE_KEYS, ike_auth

FIRST = IKE_KEYS
SECOND = replace(IKE_KEYS, sk_ei=bytes(range(100, 136)), sk_er=bytes(range(140, 176)))
FOREIGN = replace(IKE_KEYS, sk_ei=bytes(36), sk_er=bytes(36))
BOTH = [ikev2_decryption_line(keys) for keys in (FIRST, SECOND)]


def sealed(message: Message, keys: IkeKeys) -> bytes:
    side = keys.initiator if message.initiator else keys.responder
    return message.seal(side, bytes(range(side.iv_size)))


@pytest.mark.parametrize("response", [False, True], ids=["request", "response"])
@pytest.mark.parametrize("keys", [FIRST, SECOND], ids=["first", "second"])
def test_a_message_is_opened_with_whichever_key_it_was_sealed_with(keys, response):
    message = ike_auth(response=response)

    reading = IkeReader(Keys(BOTH, [])).read(sealed(message, keys))

    assert (reading.closed, reading.refused) == ("", "")
    assert reading.key.encryption == (keys.sk_er if response else keys.sk_ei)
    assert reading.payloads == len(message.payloads) + 1, "those inside, and SK"


def test_a_message_that_no_key_of_its_ike_sa_opens_has_a_wrong_icv():
    assert IkeReader(Keys(BOTH, [])).read(sealed(ike_auth(), FOREIGN)).closed == WRONG_ICV


def test_wireshark_uses_the_last_line_of_an_ike_sa():
    chacha = replace(SECOND, encr=Encr.ENCR_CHACHA20_POLY1305, key_bits=None)

    (first, last) = Keys(BOTH, []).ike[FIRST.spi_i, FIRST.spi_r, True]
    assert (first.unreadable, last.unreadable) == (NOT_THE_LAST_KEY, "")

    (only,) = Keys([ikev2_decryption_line(chacha)], []).ike[FIRST.spi_i, FIRST.spi_r, True]
    assert only.unreadable == NO_ALGORITHM
