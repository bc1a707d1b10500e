"""The embedded target: the reference peer itself, in process, with or without a planted fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network

from peers.memory import MemoryLink
from peers.reference.child import ChildSa
from peers.reference.connection import Connection, IPNetwork
from peers.reference.endpoint import Endpoint
from peers.reference.errors import ScriptError
from peers.reference.events import IPAddress
from peers.reference.implemented import check_implemented
from peers.reference.numbers import ProtocolId
from peers.reference.payloads import Proposal
from peers.reference.states import State
from peers.targets.base import Capability, ChildSaState, IkeSaState, TargetInfo

IPV4 = ip_address("198.18.0.20")
IPV6 = ip_address("fd69:6b65:7072::20")
SECOND = {4: ip_address("198.18.0.120"), 6: ip_address("fd69:6b65:7072::120")}
"""Where it is before it moves."""

FORBIDDEN = "is forbidden for IKE (RFC 8247)"


class ReferenceTarget:
    """Adapter of the embedded endpoint (the protocol `base.Target`)."""

    capabilities = frozenset(Capability)

    def __init__(self, endpoint: Endpoint, link: MemoryLink, info: TargetInfo) -> None:
        self.info = info
        self._endpoint = endpoint
        self._link = link

    def addresses(self) -> Sequence[IPAddress]:
        """Give the endpoint's own addresses."""
        return (IPV4, IPV6)

    def network_behind(self, family: int) -> IPNetwork:
        """Give the network that the endpoint answers echoes for."""
        return ip_network("10.64.0.0/24" if family == 4 else "fd64::/64")

    def second_address(self, family: int) -> IPAddress:
        """Give an address to begin at and to leave."""
        return SECOND[family]

    def leave(self, connection: Connection) -> None:
        """Move to the first address."""
        there = IPV4 if connection.local.version == 4 else IPV6
        self._link.deliver(self._endpoint.move(connection, self._link.now(), there))

    def lacks(self, proposal: Proposal) -> str:
        """Name what the endpoint refuses to be configured with."""
        try:
            check_implemented((proposal,))
        except ScriptError as error:
            return str(error)
        decide = self._endpoint.decide
        of_ike = proposal.transforms if proposal.protocol == ProtocolId.IKE else ()
        forbidden = [each for each in of_ike if not decide.has_for_ike(each)]
        return f"{forbidden[0]} {FORBIDDEN}" if forbidden else ""

    def configure(self, connection: Connection) -> str:
        """Hand the connection to the endpoint, which tells all its addresses where it may move."""
        if connection.mobike:
            more = tuple(each for each in self.addresses() if each != connection.local)
            connection = replace(connection, more_addresses=more)
        self._endpoint.configure(connection)
        return f"# The embedded endpoint takes the neutral description itself.\n{connection!r}\n"

    def install(self, connection: Connection, child: ChildSa) -> str:
        """Hand the endpoint its side of a Child SA that is keyed by hand."""
        self._endpoint.keyed.append(child)
        return repr(child.terms)

    def set_counters(self, connection: Connection, sent: int, received: int) -> None:
        """Let the newest Child SA go on after those sequence numbers."""
        child = newest_of(self._endpoint, connection)
        child.outbound.sequence = sent
        if child.inbound.window is not None:
            child.inbound.window.top = received

    def forget(self, connection: Connection) -> None:
        """Drop the connection and its SAs."""
        self._endpoint.forget(connection)

    def initiate(self, connection: Connection) -> None:
        """Start the initial exchanges."""
        self._link.deliver(self._endpoint.initiate(connection, self._link.now()))

    def suspend(self, connection: Connection) -> None:
        """Interrupt the session."""
        self._endpoint.tickets.suspend(connection)
        self._link.deliver(self._endpoint.tick(self._link.now()))

    def rekey_ike(self, connection: Connection) -> None:
        """Start a rekey of the IKE SA."""
        self._link.deliver(self._endpoint.rekey_ike(connection, self._link.now()))

    def create_child(self, connection: Connection, name: str) -> None:
        """Start the exchange for one more Child SA."""
        self._link.deliver(self._endpoint.create_child(connection, self._link.now(), name))

    def rekey_child(self, connection: Connection, name: str = "") -> None:
        """Start a rekey of the Child SA of that policy."""
        name = name or connection.name
        self._link.deliver(self._endpoint.rekey_child(connection, self._link.now(), name))

    def delete_ike(self, connection: Connection) -> None:
        """Start the deletion of the IKE SA."""
        now = self._link.now()
        self._link.deliver(self._endpoint.delete(connection, now, child_only=False))

    def delete_child(self, connection: Connection, name: str = "") -> None:
        """Start the deletion of the Child SA of that policy."""
        now, name = self._link.now(), name or connection.name
        self._link.deliver(self._endpoint.delete(connection, now, child_only=True, name=name))

    def echo(self, connection: Connection, name: str = "") -> None:
        """Send one echo request through the Child SA of that policy."""
        name = name or connection.name
        self._link.deliver(self._endpoint.echo(connection, self._link.now(), name))

    def challenge_with_cookies(self, enabled: bool) -> None:
        """Challenge every IKE_SA_INIT request."""
        self._endpoint.challenging = enabled

    def sas(self, connection: Connection) -> Sequence[IkeSaState]:
        """List the connection's IKE SAs."""
        return [
            IkeSaState(
                session.sa.spi_i,
                session.sa.spi_r,
                session.sa.state is State.ESTABLISHED,
                tuple(map(_state, session.sa.children)),
            )
            for session in self._endpoint.sessions
            if session.sa.connection.name == connection.name
        ]

    def counters(self) -> Mapping[str, int]:
        """Count discarded packets by reason."""
        return dict(self._endpoint.drops)

    def log(self, start: float, end: float) -> str:
        """Cut the endpoint's log."""
        lines = (f"{at:.4f} {line}\n" for at, line in self._endpoint.log if start <= at <= end)
        return "".join(lines)

    def restart(self) -> None:
        """Forget every IKE SA, as a restarted daemon does."""
        self._endpoint.sessions.clear()

    def reachable(self) -> bool:
        """Say that there is no machine that could be lost."""
        return True

    def alive(self) -> bool:
        """Say that the process runs: it is our own."""
        return True


def newest_of(endpoint: Endpoint, connection: Connection) -> ChildSa:
    """Give the newest Child SA of a connection, however it was keyed."""
    sessions = endpoint.established(connection)
    made = [child for session in sessions for child in session.sa.children]
    return [*endpoint.keyed, *made][-1]


def _state(child: ChildSa) -> ChildSaState:
    return ChildSaState(
        child.inbound.spi,
        child.outbound.spi,
        child.terms.mode,
        child.packets_in,
        child.outbound.sequence,
    )
