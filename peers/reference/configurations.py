"""The endpoint's part in configuration: it assigns addresses, and takes them (RFC 7296, 2.19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.reference import configuration
from peers.reference.configuration import Assignment
from peers.reference.connection import AddressPool
from peers.reference.errors import PeerError
from peers.reference.events import IPAddress
from peers.reference.message import Message
from peers.reference.numbers import ConfigType, NotifyType
from peers.reference.payloads import CP, Notify, Payload, TSi
from peers.reference.refusal import Refusal
from peers.reference.session import Session

if TYPE_CHECKING:
    from peers.reference.endpoint import Endpoint


class Configurations:
    """Answers requests for configuration, and takes up the answers to ours.

    The addresses in use are those of the IKE SAs that there are: a lease ends with its IKE SA, and
    goes over to the successor of one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._decide = endpoint.decide

    # We assign.

    def answer(self, session: Session, request: Message) -> tuple[Payload, ...]:
        """Assign what a request for a Child SA asks for, or raise the `Refusal` of it."""
        asked = configuration.configuration(request, ConfigType.CFG_REQUEST)
        sa = session.sa
        pool = sa.connection.gives
        if not sa.assigned and self._decide.requires_configuration(pool, asked):
            raise Refusal(Notify(NotifyType.FAILED_CP_REQUIRED))
        return self._reply(session, asked)

    def inform(self, session: Session, request: Message) -> tuple[Payload, ...]:
        """Answer a CFG_REQUEST or a CFG_SET in an INFORMATIONAL exchange (2.20, 3.15.1)."""
        asked = configuration.configuration(request, ConfigType.CFG_REQUEST)
        settings = configuration.configuration(request, ConfigType.CFG_SET)
        if settings is not None:
            return (self._decide.acknowledged(settings),)
        return self._reply(session, asked) if asked is not None else ()

    def _reply(self, session: Session, asked: CP | None) -> tuple[Payload, ...]:
        sa = session.sa
        pool = sa.connection.gives
        addresses: tuple[IPAddress, ...] = ()
        if pool is not None and asked is not None and configuration.wants_address(pool, asked):
            self._assign(session, pool, asked)
            addresses = sa.assigned
        reply = self._decide.configuration_reply(pool, asked, addresses)
        return () if reply is None else (reply,)

    def _assign(self, session: Session, pool: AddressPool, asked: CP) -> None:
        sa = session.sa
        if sa.assigned:
            return
        addresses = self._decide.assign(pool, asked, self._taken())
        if not addresses:
            raise Refusal(Notify(NotifyType.INTERNAL_ADDRESS_FAILURE))
        sa.assigned = addresses
        sa.connection = configuration.with_remote(sa.connection, addresses)
        self._endpoint.say(f"assigned {', '.join(map(str, addresses))}")

    def _taken(self) -> set[IPAddress]:
        return {address for each in self._endpoint.sessions for address in each.sa.assigned}

    # We ask.

    def take(self, session: Session, response: Message) -> Message | None:
        """Take up what a response assigns; give it with our selectors narrowed to that.

        None when we cannot go on with it: we need an address and have none.
        """
        sa = session.sa
        if sa.connection.takes is None:
            return response
        found = configuration.configuration(response, ConfigType.CFG_REPLY)
        assignment: Assignment | None = configuration.read(found) if found else None
        if not self._decide.is_enough(assignment):
            self._endpoint.say(f"no address was assigned to us: {response}")
            return None
        if assignment is None or not assignment.addresses:
            return response
        sa.assigned = assignment.addresses
        sa.connection = configuration.with_local(sa.connection, assignment.addresses)
        ours = self._decide.own_selectors(response.get(TSi).ranges, assignment.addresses)
        if not ours:
            raise PeerError("the selectors do not hold the address that was assigned")
        return response.replacing(TSi(ours))
