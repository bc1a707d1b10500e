"""A whole IKEv2 endpoint, sans-IO: packets and ``now`` in, packets out. The embedded target.

It takes no decision itself: `Decisions` does, so that a planted fault changes just one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from peers.reference import child as child_sa
from peers.reference import message_id_sync
from peers.reference.announcements import Announcements
from peers.reference.child import ChildSa
from peers.reference.child_closures import ChildClosures
from peers.reference.child_exchanges import ChildExchanges, newest
from peers.reference.configurations import Configurations
from peers.reference.connection import Connection
from peers.reference.decisions import Decisions, MessageId
from peers.reference.errors import (
    IntegrityFailure,
    MalformedMessage,
    MalformedPlaintext,
    PeerError,
    ScriptError,
)
from peers.reference.esp_traffic import EspTraffic
from peers.reference.events import Carrier, IPAddress, Packet
from peers.reference.events import Endpoint as At
from peers.reference.failovers import Failovers
from peers.reference.followup_exchanges import FollowupExchanges
from peers.reference.fragment_intake import FragmentIntake
from peers.reference.ike_rekeys import IkeRekeys
from peers.reference.implemented import check_implemented, check_sequence_numbers
from peers.reference.initiator import Initiator
from peers.reference.lifetimes import LifetimeKeeper
from peers.reference.message import Header, Message
from peers.reference.movements import Movements
from peers.reference.nat import Kind, ike_packet
from peers.reference.purposes import IkeWish, Purpose
from peers.reference.redirects import Redirects
from peers.reference.responder import Responder
from peers.reference.resumptions import Resumptions
from peers.reference.sa import FIRST_EXCHANGES, NO_SPI, Datagrams, IkeSa, Random
from peers.reference.session import Pending, Session, Wanted
from peers.reference.states import Event
from peers.reference.tcp_streams import TcpStreams
from peers.reference.tickets import Tickets
from peers.reference.timers import Timers

RETRANSMISSIONS = (1.0, 2.0, 4.0, 8.0)
"""Seconds after which an unanswered request is sent again; then the IKE SA is given up."""


class Endpoint:
    """Plays both roles for the connections it is given.

    ``random`` gives octets. ``retransmissions`` are the seconds after which an unanswered request
    is sent again, each time more; after the last the IKE SA is given up. ``keyed`` are Child SAs
    without an IKE SA, keyed by hand. ``drops`` counts discarded packets by reason, ``unreadable``
    those that nobody can open. ``log`` holds (time, line) pairs as a daemon's log does.
    """

    def __init__(
        self,
        random: Random,
        decisions: Decisions | None = None,
        *,
        retransmissions: Sequence[float] = RETRANSMISSIONS,
    ) -> None:
        if not retransmissions or sorted(set(retransmissions)) != list(retransmissions):
            raise ScriptError(f"waits between retransmissions grow (2.4): not {retransmissions}")
        self.retransmissions = tuple(retransmissions)
        self.random = random
        self.decide = decisions or Decisions()
        self.connections: dict[str, Connection] = {}
        self.sessions: list[Session] = []
        self.keyed: list[ChildSa] = []
        self.challenging = False
        self.cookie_secret = random(32)
        self.drops: Counter[str] = Counter()
        self.unreadable = 0
        self.log: list[tuple[float, str]] = []
        self.now = 0.0
        self._outbox: list[Packet] = []
        self.children = ChildExchanges(self)
        self.closures = ChildClosures(self)
        self.lifetimes = LifetimeKeeper(self)
        self.successors = IkeRekeys(self)
        self.followups = FollowupExchanges(self)
        self.configurations = Configurations(self)
        self.announcements = Announcements(self)
        self.movements = Movements(self)
        self.redirects = Redirects(self)
        self.resumptions = Resumptions(self)
        self.tickets = Tickets(self)
        self.streams = TcpStreams(self)
        self._failovers = Failovers(self)
        self._traffic = EspTraffic(self)
        self._timers = Timers(self, self._traffic)
        self._fragments = FragmentIntake(self)
        self._responder = Responder(self)
        self._initiator = Initiator(self)

    # What the outside does to an endpoint.

    def receive(self, packet: Packet, now: float) -> list[Packet]:
        """Take a packet in; give the packets that go out because of it."""
        self.now = now
        over_tcp = packet.carrier is Carrier.TCP
        for each in self.streams.messages(packet) if over_tcp else (packet,):
            self._take_in(each)
        return self._flush()

    def _take_in(self, packet: Packet) -> None:
        try:
            kind, octets = self.decide.demultiplex(packet)
        except MalformedMessage as problem:
            self.drop(f"neither IKE nor ESP: {problem}")
            return
        if kind is Kind.ESP:
            self._traffic.hear(packet, octets)
        elif kind is Kind.IKE:
            self._hear_ike(packet, octets)
        elif kind is Kind.CLEAR:
            self._traffic.hear_in_the_clear(packet)
        else:
            self._traffic.hear_keepalive(packet)

    def initiate(self, connection: Connection, now: float) -> list[Packet]:
        """Start the initial exchanges of a connection, as it was configured."""
        self.now = now
        self._initiator.start(self.connections.get(connection.name, connection))
        return self._flush()

    def begin(self, connection: Connection, origin: IPAddress | None = None) -> None:
        """Start the initial exchanges because of what was heard: ``origin`` redirected us."""
        self._initiator.start(connection, origin)

    def configure(self, connection: Connection) -> None:
        """Take a connection; ScriptError when its proposals hold what is not implemented."""
        esp = [each for policy in connection.children for each in policy.esp_proposals]
        check_implemented((*connection.ike_proposals, *esp))
        check_sequence_numbers(esp, connection.replay_window)
        if not connection.ike_proposals:
            connection = replace(connection, ike_proposals=self.decide.ike_by_default())
        self.connections[connection.name] = connection

    def delete(
        self, connection: Connection, now: float, *, child_only: bool, name: str = ""
    ) -> list[Packet]:
        """Delete the newest Child SA (of that policy), or the IKE SA with all (RFC 7296, 1.4.1)."""
        if not child_only:
            return self._ask(connection, Wanted(self.successors.delete, alone=True), now)

        def delete_newest(session: Session) -> None:
            child = newest(session.sa.children, name)
            if child is None:
                self.say("no Child SA to delete")
            else:
                self.closures.delete(session, child)

        return self._ask(connection, Wanted(delete_newest), now)

    def create_child(self, connection: Connection, now: float, name: str) -> list[Packet]:
        """Ask for one more Child SA, by the name of its policy (RFC 7296, 1.3.1)."""
        policy = next((each for each in connection.children if each.name == name), None)
        if policy is None:
            raise ScriptError(f"{connection.name} says nothing of a Child SA {name!r}")
        return self._ask(connection, Wanted(partial(self.children.create, policy=policy)), now)

    def rekey_child(self, connection: Connection, now: float, name: str = "") -> list[Packet]:
        """Rekey the newest Child SA, or that of a policy (RFC 7296, 1.3.3)."""
        return self._ask(connection, Wanted(partial(self.children.rekey, name=name)), now)

    def rekey_ike(self, connection: Connection, now: float) -> list[Packet]:
        """Rekey the IKE SA (RFC 7296, 1.3.2)."""
        return self._ask(connection, Wanted(self.successors.rekey, alone=True), now)

    def move(
        self,
        connection: Connection,
        now: float,
        local: IPAddress | None = None,
        remote: IPAddress | None = None,
    ) -> list[Packet]:
        """Go on from or to another address, and have the other side do so (RFC 4555, 3.5)."""
        self.now = now
        for session in self.established(connection):
            self.movements.move(session, local, remote)
        self.ask_next()
        return self._flush()

    def _ask(self, connection: Connection, wanted: Wanted, now: float) -> list[Packet]:
        self.now = now
        for session in self.established(connection):
            session.waiting.append(wanted)
        self.ask_next()
        return self._flush()

    def ask_next(self) -> None:
        """Start exchanges that wait, as far as the peer's window lets us (RFC 7296, 2.3)."""
        for session in list(self.sessions):
            while session.waiting and self._is_usable(session) and self._may_ask(session):
                session.waiting.pop(0).start(session)

    def _is_usable(self, session: Session) -> bool:
        return self.decide.may_start(session.sa.state)

    def _may_ask(self, session: Session) -> bool:
        if session.waiting[0].alone or session.under_way(IkeWish):
            return not session.outstanding
        return self.decide.may_ask(session.span(), session.window)

    def echo(self, connection: Connection, now: float, name: str = "") -> list[Packet]:
        """Send one ICMP echo request between the hosts of the newest Child SA (of that policy)."""
        self.now = now
        established = self.established(connection)
        if connection.on_demand and not established:
            self._initiator.start(connection, because_of=child_sa.first_echo(connection))
        for session in established:
            child = newest(session.sa.children, name)
            if child is None:
                self.say("no Child SA to send an echo request through")
                continue
            source = child_sa.first_host(child.terms.local_selectors)
            destination = child_sa.first_host(child.terms.remote_selectors)
            self._traffic.send(session.sa.children, child_sa.echo(source, destination, 0x1EE7, 1))
        return self._flush()

    def next_timer(self) -> float | None:
        """Give the time of the next retransmission, liveness check or keepalive, if any."""
        return self._timers.next_due()

    def tick(self, now: float) -> list[Packet]:
        """Retransmit, check liveness, send keepalives, where that is due."""
        self.now = now
        self._timers.run()
        self.ask_next()
        return self._flush()

    def forget(self, connection: Connection) -> None:
        """Drop a connection and its SAs silently."""
        self.connections.pop(connection.name, None)
        self.sessions = [s for s in self.sessions if s.sa.connection.name != connection.name]

    # What its two roles use.

    def established(self, connection: Connection) -> list[Session]:
        """List the established IKE SAs of a connection."""
        return [
            session
            for session in self.sessions
            if session.sa.connection.name == connection.name and self._is_usable(session)
        ]

    def say(self, line: str) -> None:
        """Write a line to the log."""
        self.log.append((self.now, line))

    def drop(self, reason: str) -> None:
        """Count and log a packet that is discarded."""
        self.drops[reason] += 1
        self.say(f"discarded: {reason}")

    def cannot_open(self, reason: str) -> None:
        """Discard what nobody can open."""
        self.unreadable += 1
        self.drop(reason)

    def transmit(self, source: At, destination: At, octets: bytes) -> None:
        """Send an IKE message from one of our ports to the peer."""
        self.emit(ike_packet(source, destination, octets))

    def emit(self, packet: Packet) -> None:
        """Send a packet that belongs to no IKE SA."""
        send = self.streams.write if packet.carrier is Carrier.TCP else self.put
        send(packet)

    def put(self, packet: Packet) -> None:
        """Put a packet on the link as it is."""
        self._outbox.append(packet)

    def send(self, session: Session, packet: Packet) -> None:
        """Send a packet of an IKE SA or of one of its Child SAs."""
        session.spoke = self.now
        self.emit(packet)

    def request(self, session: Session, message: Message, purpose: Purpose | None = None) -> None:
        """Send a request of ours and remember it for retransmission."""
        message = self.decide.edit(message)
        datagrams = self.decide.datagrams(session.sa, message)
        due = self.now + self.decide.wait(self.retransmissions, 0)
        pending = Pending(message, datagrams, due, purpose=purpose)
        session.outstanding[message.message_id] = pending
        if message.exchange in FIRST_EXCHANGES:
            (session.sa.request_octets,) = datagrams
        else:
            session.sa.next_request_id += 1
        self.send_request(session, datagrams)

    def send_request(self, session: Session, datagrams: Datagrams) -> None:
        """Send a request of ours, or send it again."""
        for octets in datagrams:
            self.send(session, ike_packet(session.sa.local, session.sa.remote, octets))

    def respond(self, session: Session, packet: Packet, datagrams: Datagrams) -> None:
        """Send the response to a request that came in ``packet``."""
        source, destination = self.decide.response_route(session.sa, packet)
        for octets in datagrams:
            self.send(session, ike_packet(source, destination, octets))

    def close(self, session: Session, reason: str) -> None:
        """Give an IKE SA up with all of its Child SAs."""
        self.say(f"closing {session.sa}: {reason}")
        self.successors.closes(session)
        self.tickets.closes(session.sa)
        session.sa.move(Event.CLOSE)
        session.outstanding.clear()
        self.sessions.remove(session)
        self.streams.leave(session)

    def session_of(self, sa: IkeSa) -> Session:
        """Give what we keep beside an IKE SA of ours."""
        return next(session for session in self.sessions if session.sa is sa)

    # Intake.

    def _hear_ike(self, packet: Packet, octets: bytes) -> None:
        try:
            header = Header.decode(octets)
        except MalformedMessage as problem:
            self.drop(f"no IKE header: {problem}")
            return
        if not self.decide.speaks(header):
            self.drop(f"major version {header.major}")
            self.announcements.refuse(packet, header, self.decide.version_refusal(header))
        elif not self.decide.length_fits(header, octets):
            self.drop("the Length field is not that of the datagram")
        elif not self.decide.knows_exchange(header):
            self.drop(f"unknown exchange {header.exchange!s}")
        elif header.response and not self._is_stray(header):
            self._hear_response(packet, header, octets)
        elif header.spi_r == NO_SPI and header.message_id == 0:
            self._hear_first_request(packet, header, octets)
        else:
            self._hear_request(packet, header, octets)

    def _is_stray(self, header: Header) -> bool:
        """Say whether a response is taken for a request, which only a fault does."""
        session = self._session(header)
        waited_for = session is not None and session.pending is not None
        return not waited_for and self.decide.answers_stray_response()

    def _hear_first_request(self, packet: Packet, header: Header, octets: bytes) -> None:
        if not self.decide.opens_ike_sa(header):
            self.drop("no IKE SA starts like this")
            return
        known = self._opened_by(octets)
        if known is not None:
            self._hear_first_again(known, packet, header)
            return
        try:
            message = self.decide.read(octets)
        except MalformedMessage as problem:
            self.drop(f"malformed IKE_SA_INIT: {problem}")
            return
        if objection := self.decide.objection(message):
            self.drop(objection)
            return
        self._responder.answer_first(packet, message, octets)

    def _opened_by(self, octets: bytes) -> Session | None:
        """Find the IKE SA that a first request opened: it is known by all of its octets (2.1)."""
        ours = (session for session in self.sessions if not session.sa.initiator)
        return next((each for each in ours if self.decide.is_first_request(each.sa, octets)), None)

    def _hear_first_again(self, session: Session, packet: Packet, header: Header) -> None:
        place = self.decide.place(header.message_id, session.sa.expected_request_id)
        if place is MessageId.OUTSIDE:
            self.drop("a first request, repeated after later ones")
        else:
            self._repeat(session, packet, header.message_id)

    def _hear_request(self, packet: Packet, header: Header, octets: bytes) -> None:
        session = self._session(header)
        if session is None:
            self.drop("request for an unknown IKE SA")
            self.announcements.refuse_stranger(packet, header)
            return
        message, problem = self._read(session, octets)
        if message is None:
            return
        if message_id_sync.is_asked(message):
            self._failovers.answer(session, packet, message)
            return
        place = self.decide.place(
            message.message_id, session.sa.expected_request_id, session.own_window, session.taken
        )
        if place is MessageId.OUTSIDE:
            self.drop(f"Message ID {message.message_id} is outside the window")
            self.announcements.report(session, message.message_id)
            self.ask_next()
        elif place is MessageId.REPEATED and not self.decide.is_carried_out_again(message):
            if message.fragment is None or self.decide.repeats_response_for(message.fragment):
                self._repeat(session, packet, message.message_id)
        elif session.outstanding and not self.decide.takes_requests_meanwhile(message):
            self.drop("a request while one of ours is unanswered")
        elif (whole := self._fragments.whole(session, message)) is not None:
            session.take_in(whole.message_id)
            self.follow(session, packet)
            self._responder.answer(session, packet, whole, problem)
            self.ask_next()

    def _read(self, session: Session, octets: bytes) -> tuple[Message | None, str]:
        """Open a message; of a malformed one that is authentic give the header, and the reason."""
        try:
            return self._open(session, octets), ""
        except MalformedPlaintext as problem:
            return replace(Message.decode(octets), payloads=(), protected=True), str(problem)

    def _open(self, session: Session, octets: bytes) -> Message | None:
        try:
            message = session.sa.decode(octets)
        except IntegrityFailure:
            self.cannot_open("integrity check of an IKE message failed")
            self._fragments.forged(session)
            if not self.decide.survives_forgery():
                self.close(session, "a message failed its integrity check")
            return None
        except MalformedPlaintext:
            raise
        except PeerError as problem:
            self.drop(f"message refused: {problem}")
            return None
        obeyed = message.protected or self.decide.obeys_unprotected(message)
        if not obeyed and session.sa.keys is not None:
            self.announcements.hear_in_clear(session, message)
            return None
        if objection := self.decide.objection(message):
            self.drop(objection)
            return None
        session.heard = self.now
        return message

    def _hear_response(self, packet: Packet, header: Header, octets: bytes) -> None:
        session = self._session(header)
        pending = session.outstanding.get(header.message_id) if session else None
        if session is None or pending is None:
            self.drop("a response that nothing waits for")
            if session is not None:
                self._read(session, octets)
            return
        message, problem = self._read(session, octets)
        if message is None or problem:
            return
        if message.exchange != pending.message.exchange:
            self.drop(f"{message.title} where a {pending.message.exchange!s} response is due")
            return
        whole = self._fragments.whole(session, message)
        if whole is None:
            return
        del session.outstanding[header.message_id]
        if not session.outstanding:
            # An empty dictionary still holds its table, unless it is cleared.
            session.outstanding.clear()
        self.follow(session, packet)
        self._initiator.hear(session, pending, whole, octets)
        self.ask_next()

    def _repeat(self, session: Session, packet: Packet, message_id: int) -> None:
        if message_id not in session.answers:
            return
        response, datagrams = session.answers[message_id]
        if self.decide.still_has(response):
            again = self.decide.repeat_response(session.sa, datagrams, response)
            self.respond(session, packet, again)

    def follow(self, session: Session, packet: Packet) -> None:
        """Speak to where a new and authenticated packet came from, where that is to be (2.23)."""
        sa = session.sa
        came = (packet.destination, packet.source)
        session.came = came if came != (sa.local, sa.remote) else None
        if session.came and self.decide.follows(sa, packet):
            sa.local, sa.remote = came
            self.say(f"{sa} is between {sa.local} and {sa.remote} now")

    def _session(self, header: Header) -> Session | None:
        for session in self.sessions:
            sa = session.sa
            mine = self.decide.is_for(sa, header) and sa.spi_i == header.spi_i
            if mine and (sa.spi_r == header.spi_r or NO_SPI in (sa.spi_r, header.spi_r)):
                return session
        return None

    def _flush(self) -> list[Packet]:
        outgoing, self._outbox = self._outbox, []
        return outgoing
