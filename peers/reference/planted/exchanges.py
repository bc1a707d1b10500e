"""Planted faults: what comes again, what comes meanwhile, and waits (RFC 7296, 2.1 to 2.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from peers.reference.decisions import Decisions, MessageId
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa
from peers.reference.states import State


@fault("repeats-a-response-once")
class RepeatsAResponseOnce(Decisions):
    """A response is forgotten when it was sent for the second time."""

    def __init__(self) -> None:
        self._repeated: Counter[tuple[bytes, int]] = Counter()

    def still_has(self, response: Message) -> bool:
        key = response.spi_i, response.message_id
        self._repeated[key] += 1
        return self._repeated[key] == 1


@fault("carries-out-forgotten-requests")
class CarriesOutForgottenRequests(Decisions):
    """A request from before the window is carried out again."""

    def place(
        self, message_id: int, expected: int, window: int = 1, taken: Collection[int] = ()
    ) -> MessageId:
        if message_id < expected - window:
            return MessageId.NEXT
        return super().place(message_id, expected, window, taken)


@fault("carries-out-repeated-requests")
class CarriesOutRepeatedRequests(Decisions):
    """A CREATE_CHILD_SA request that comes again is carried out again."""

    def is_carried_out_again(self, request: Message) -> bool:
        return request.exchange == ExchangeType.CREATE_CHILD_SA


@fault("answers-first-request-after-authentication")
class AnswersFirstRequestAfterAuthentication(Decisions):
    """The IKE_SA_INIT request of an established IKE SA opens another one."""

    def is_first_request(self, sa: IkeSa, octets: bytes) -> bool:
        return super().is_first_request(sa, octets) and sa.state is not State.ESTABLISHED


@fault("knows-first-requests-by-spi")
class KnowsFirstRequestsBySpi(Decisions):
    """An IKE_SA_INIT request is taken for a repetition because of its initiator SPI alone."""

    def is_first_request(self, sa: IkeSa, octets: bytes) -> bool:
        return sa.spi_i == octets[:8]


@fault("waits-for-its-own-answer-first")
class WaitsForItsOwnAnswerFirst(Decisions):
    """An empty request is dropped while a request of ours is unanswered."""

    def takes_requests_meanwhile(self, request: Message) -> bool:
        return bool(request.payloads)


@fault("retransmits-at-even-intervals")
class RetransmitsAtEvenIntervals(Decisions):
    """A request is sent again after the same time, however often."""

    def wait(self, waits: Sequence[float], attempt: int) -> float:
        return waits[0]


@fault("takes-peer-for-dead-at-once")
class TakesPeerForDeadAtOnce(Decisions):
    """The IKE SA is closed when one liveness check is not answered, which is not sent again."""

    def gives_up(self, message: Message, attempts: int, most: int) -> bool:
        informational = message.exchange == ExchangeType.INFORMATIONAL
        return informational or super().gives_up(message, attempts, most)


@fault("keeps-ike-sa-of-dead-peer")
class KeepsIkeSaOfDeadPeer(Decisions):
    """An IKE SA stays, however often its peer did not answer."""

    def gives_up(self, message: Message, attempts: int, most: int) -> bool:
        return False

    def wait(self, waits: Sequence[float], attempt: int) -> float:
        return waits[min(attempt, len(waits) - 1)]


@fault("closes-child-silently")
class ClosesChildSilently(Decisions):
    """A Child SA that we are to delete is closed without a Delete."""

    def announces_child_delete(self) -> bool:
        return False


@fault("closes-ike-sa-silently")
class ClosesIkeSaSilently(Decisions):
    """An IKE SA that we are to delete is closed without a Delete."""

    def announces_ike_delete(self) -> bool:
        return False


@fault("minds-payload-order")
class MindsPayloadOrder(Decisions):
    """A message is dropped when its SA payload stands behind its nonce or its selectors."""

    def minds_order(self, message: Message) -> bool:
        names = [kind.__name__ for kind in message.types]
        later = [names.index(each) for each in ("Nonce", "TSi") if each in names]
        return "SA" in names and any(names.index("SA") > each for each in later)


@fault("checks-liveness-at-every-hint")
class ChecksLivenessAtEveryHint(Decisions):
    """Each message in clear makes us ask whether the peer is alive, however many there are."""

    def checks_liveness_on_hint(self, message: Message) -> bool:
        return True
