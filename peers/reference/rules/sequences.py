"""Rules about messages side by side (RFC 7296, 2.2, 2.10 and 3.1): IDs, nonces, flags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from peers.reference.message import HEADER_SIZE, Header
from peers.reference.message_id_sync import NONCE_SIZE, SIZE
from peers.reference.numbers import NotifyType
from peers.reference.payloads import SA, Nonce
from peers.reference.rules.registry import Complaint, Seen, heard, of_conversation
from peers.reference.sa import FIRST_EXCHANGES


@of_conversation("rfc7296-2.2-response-has-request-id")
def _answers_a_request(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    asked: set[tuple[bytes, int]] = set()
    for seen in conversation:
        if len(seen.octets) < HEADER_SIZE:
            continue
        header = seen.header
        if not seen.heard:
            asked.add((header.spi_i, header.message_id))
        elif header.response and (header.spi_i, header.message_id) not in asked:
            yield Complaint(seen, "a response with the Message ID of no request")


def _used_up(seen: Seen) -> set[int]:
    """Give the Message ID before the one that a response says to go on with (RFC 6311, 5.1)."""
    notify = seen.message and seen.message.find_notify(NotifyType.IKEV2_MESSAGE_ID_SYNC)
    if not notify or len(notify.data) != SIZE:
        return set()
    return {int.from_bytes(notify.data[NONCE_SIZE:8], "big") - 1}


@of_conversation("rfc7296-2.2-message-ids-count-from-zero")
def _counts_its_requests(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    opened = {seen.header.spi_i for seen in heard(conversation) if _is_first_request(seen.header)}
    ids: dict[tuple[bytes, bytes, bool], set[int]] = defaultdict(set)
    for seen in heard(conversation):
        header = seen.header
        known = ids[header.spi_i, header.spi_r, header.initiator]
        if header.response or header.spi_r == bytes(8):
            known |= _used_up(seen)
            continue
        due = max(known, default=0 if header.spi_i not in opened else int(header.initiator))
        if header.message_id not in known and header.message_id != due + bool(known):
            yield Complaint(seen, "a request whose Message ID is not the next one")
        known.add(header.message_id)


def _is_first_request(header: Header) -> bool:
    return header.exchange in FIRST_EXCHANGES and not header.response


@of_conversation("rfc7296-2.10-nonce-fresh")
def _draws_new_nonces(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    used: dict[bytes, tuple[bytes, int, bool]] = {}
    for seen in conversation:
        if seen.message is None or seen.message.fragment is not None:
            continue
        header = seen.header
        exchange = (header.spi_i, header.message_id, header.response)
        if not seen.heard:
            if header.response and not seen.message.has(SA):
                _forget(used, (header.spi_i, header.message_id, False))
            continue
        for nonce in seen.message.all(Nonce):
            if used.setdefault(nonce.data, exchange) != exchange:
                yield Complaint(seen, "a nonce that was used before")


def _forget(used: dict[bytes, tuple[bytes, int, bool]], refused: tuple[bytes, int, bool]) -> None:
    """Let the nonce of a request that was refused be used again: no keys came of it."""
    for nonce in [nonce for nonce, exchange in used.items() if exchange == refused]:
        del used[nonce]


@of_conversation("rfc7296-3.1-initiator-flag")
def _says_who_began(conversation: Sequence[Seen]) -> Iterator[Complaint]:
    ours: dict[bytes, bool] = {}
    for seen in conversation:
        if len(seen.octets) < HEADER_SIZE:
            continue
        header = seen.header
        if not seen.heard and not seen.at.fault:
            ours.setdefault(header.spi_i, header.initiator)
        elif seen.heard and not _disowns(seen) and ours.get(header.spi_i) is header.initiator:
            yield Complaint(seen, f"an {header.exchange!s} message with the other side's I flag")


def _disowns(seen: Seen) -> bool:
    """Say whether a message is about an IKE SA that its sender does not know: it has no side."""
    message = seen.message
    return message is not None and message.notifies == (NotifyType.INVALID_IKE_SPI,)
