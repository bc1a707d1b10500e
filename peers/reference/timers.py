"""What an endpoint does at a time: retransmission, liveness, keepalives (RFC 7296, 2.1 and 2.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from peers.reference.connection import Tcp
from peers.reference.numbers import ExchangeType
from peers.reference.session import Pending, Session
from peers.reference.states import State

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint
    from peers.reference.esp_traffic import EspTraffic


class Timers:
    """The timers of an endpoint's IKE SAs; it has no clock: the endpoint's ``now`` is the time."""

    def __init__(self, endpoint: Endpoint, traffic: EspTraffic) -> None:
        self._endpoint = endpoint
        self._traffic = traffic

    def next_due(self) -> float | None:
        """Give the time of the next retransmission, liveness check or keepalive, if any."""
        dues = (self._due, self._traffic.keepalive_due)
        times = (due(session) for session in self._endpoint.sessions for due in dues)
        return min((time for time in times if time is not None), default=None)

    def run(self) -> None:
        """Do what is due; an IKE SA whose peer does not answer is given up."""
        for session in list(self._endpoint.sessions):
            self._traffic.keep_alive(session)
            due = self._due(session)
            if due is not None and due <= self._endpoint.now:
                self._run(session)

    def _due(self, session: Session) -> float | None:
        dues = [pending.due for pending in session.outstanding.values()]
        delay = session.sa.connection.liveness_delay
        if delay and not dues and session.sa.state is State.ESTABLISHED:
            dues.append(session.heard + delay)
        return min((*dues, *(each.due for each in session.later)), default=None)

    def _run(self, session: Session) -> None:
        now = self._endpoint.now
        ripe = [each for each in session.later if each.due <= now]
        session.later = tuple(each for each in session.later if each not in ripe)
        for each in ripe:
            each.do(session)
        overdue = [each for each in session.outstanding.values() if each.due <= now]
        for pending in overdue:
            self._retransmit(session, pending)
        if not ripe and not overdue:
            # Nothing was heard for a while: an empty request asks whether the peer is alive.
            probe = self._endpoint.movements.liveness(session)
            request = session.sa.request(ExchangeType.INFORMATIONAL, *probe)
            self._endpoint.request(session, request)

    def _retransmit(self, session: Session, pending: Pending) -> None:
        endpoint, decide, waits = (
            self._endpoint,
            self._endpoint.decide,
            self._endpoint.retransmissions,
        )
        if session not in endpoint.sessions:
            return
        pending.attempts += 1
        if decide.gives_up(pending.message, pending.attempts, len(waits)):
            falls_back = decide.falls_back(session.sa)
            endpoint.close(session, "the peer does not answer")
            if falls_back:
                endpoint.begin(replace(session.sa.connection, tcp=Tcp.ONLY))
            return
        pending.due = endpoint.now + decide.wait(waits, pending.attempts)
        if decide.retransmits(session.sa):
            again = decide.repeat_request(session.sa, pending.datagrams, pending.message)
            endpoint.send_request(session, again)
