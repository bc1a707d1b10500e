"""Configuration payloads of the scripted peer, which asks or assigns (RFC 7296, 2.19, 3.15)."""

from __future__ import annotations

from peers.exchanging import Exchanging
from peers.reference import configuration
from peers.reference.configuration import Assignment
from peers.reference.errors import PeerError, ScriptError
from peers.reference.message import Message
from peers.reference.numbers import ConfigType
from peers.reference.payloads import CP, ConfigAttribute, Payload


class Configuring(Exchanging):
    """What a peer asks for with a CFG_REQUEST, and what it assigns with a CFG_REPLY.

    ``assignment`` is what the target has assigned to us, None before.
    """

    assignment: Assignment | None = None

    def configuration_request(self, *attributes: ConfigAttribute) -> CP:
        """Build a CFG_REQUEST; by default for all that the connection says we are to be given."""
        if attributes:
            return CP(ConfigType.CFG_REQUEST, attributes)
        if self.connection.takes is None:
            raise ScriptError("the connection does not say that we are given an address")
        return configuration.asked(self.connection.takes)

    def _asked_before_child(self) -> tuple[Payload, ...]:
        """Give the CP payload of IKE_AUTH: it stands before the SA payload (2.19)."""
        return () if self.connection.takes is None else (self.configuration_request(),)

    def _take_configuration(self, response: Message) -> None:
        """Take up what a response assigns; PeerError when we are left without an address."""
        if self.connection.takes is None:
            return
        reply = configuration.configuration(response, ConfigType.CFG_REPLY)
        if reply is None:
            raise PeerError(f"no CFG_REPLY to our CFG_REQUEST: {response}")
        self.assignment = configuration.read(reply)
        if not self.assignment.addresses:
            raise PeerError(f"no address in the CFG_REPLY: {reply}")
        self.connection = configuration.with_local(self.connection, self.assignment.addresses)

    def assign(self, request: Message) -> tuple[Payload, ...]:
        """Assign what the target asks for; give the CFG_REPLY, nothing where we assign nothing.

        PeerError when it does not ask.
        """
        pool = self.connection.gives
        if pool is None:
            return ()
        asked = configuration.configuration(request, ConfigType.CFG_REQUEST)
        if asked is None:
            raise PeerError(f"no CFG_REQUEST for the address that is to be assigned: {request}")
        addresses = configuration.assign(pool, asked, ())
        if not addresses:
            raise PeerError(f"the target asks for no address that there is: {asked}")
        self.connection = configuration.with_remote(self.connection, addresses)
        return (configuration.reply(pool, asked, addresses),)
