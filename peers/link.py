"""The wire as the reference peer sees it: the only place with its sockets and its clock."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Collection
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from peers.lab.errors import SetupError
from peers.lab.sockets import SocketMaker
from peers.reference.errors import Inconclusive, ScriptError
from peers.reference.events import Carrier, Endpoint, IPAddress, Packet
from peers.reference.nat import IKE_PORT, NAT_TRAVERSAL_PORT
from peers.tcp_sockets import IPV6_FREEBIND, TcpSockets

MOST_KEPT = 8192
"""Packets kept for addresses that nobody listens to yet; the oldest go first."""

# Numbers of Linux that the socket module of Python 3.11 does not name.
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0
IP_PKTINFO = 8
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT = 23, 0
IP_RECVTOS, IPV6_RECVTCLASS = 13, 66
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 8 << 20

_PKTINFO4 = struct.Struct("=I4s4s")  # interface index, local address, destination in the header
_PKTINFO6 = struct.Struct("=16sI")  # address, interface index
_INTEGER = struct.Struct("=i")

_ECHO_TYPES = {Carrier.ICMP: b"\x00", Carrier.ICMPV6: b"\x81"}
"""The type of an echo reply (RFC 792, RFC 4443)."""

Ancillary = list[tuple[int, int, bytes]]


class Link(Protocol):
    """Sends and hears UDP 500, UDP 4500 and ESP from any of the peer's addresses.

    What it has sent in the clear, an echo request of ICMP, it hears the replies of. Of a TCP
    connection it sends and hears octets as they come; none of them close it.
    """

    def now(self) -> float:
        """Give the time in seconds since the epoch."""

    def send(self, packet: Packet) -> None:
        """Send a packet from its source address and port."""

    def receive(self, addresses: Collection[IPAddress], deadline: float) -> Packet | None:
        """Give the next packet to one of these addresses, or None at the deadline.

        ``deadline`` is in seconds since the epoch. Packets to other addresses are kept, the
        newest of them, for whoever asks for those.
        """

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Open a TCP connection; give our end, with its port. NoAnswer when it is refused."""

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Accept TCP connections there from now on, until what is given is called."""

    def reset(self, source: Endpoint, destination: Endpoint) -> None:
        """End a TCP connection by a reset."""

    def close(self) -> None:
        """Give up the sockets."""


class Inbox:
    """Packets in order of arrival, taken by destination address; bounded."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._packets: dict[int, Packet] = {}
        self._by_address: dict[IPAddress, deque[int]] = {}
        self._most = most
        self._next = 0

    def put(self, packet: Packet) -> None:
        """Keep a packet; when there are too many, drop the oldest."""
        if len(self._packets) >= self._most:
            oldest = self._packets.pop(next(iter(self._packets)))
            self._forget_first(oldest.destination.address)
        self._packets[self._next] = packet
        self._by_address.setdefault(packet.destination.address, deque()).append(self._next)
        self._next += 1

    def take(self, addresses: Collection[IPAddress]) -> Packet | None:
        """Give and forget the oldest packet to one of these addresses."""
        first = min(
            (waiting[0] for address in addresses if (waiting := self._by_address.get(address))),
            default=None,
        )
        if first is None:
            return None
        packet = self._packets.pop(first)
        self._forget_first(packet.destination.address)
        return packet

    def _forget_first(self, address: IPAddress) -> None:
        waiting = self._by_address[address]
        waiting.popleft()
        if not waiting:
            del self._by_address[address]


class SocketLink:
    """A link of real sockets on the wildcard addresses of the namespace of ``make``.

    The namespace must hold the peer's addresses (AnyIP routes will do). UDP payloads are passed
    as they are: the non-ESP marker of RFC 3948, 2.2, on port 4500 is the caller's.
    """

    def __init__(self, make: SocketMaker = socket.socket) -> None:
        self._make = make
        self._inbox = Inbox()
        self._selector = selectors.DefaultSelector()
        self._tcp = TcpSockets(make, self._selector, self._inbox.put)
        self._senders: dict[tuple[Carrier, int, int], socket.socket] = {}
        self._open()

    def now(self) -> float:
        """Give the time in seconds since the epoch."""
        return time.time()

    def send(self, packet: Packet) -> None:
        """Send a packet; ScriptError where there is no way.

        A port other than 500 and 4500 is opened when it is first sent from: that of a NAT. So is
        a socket for ICMP.
        """
        if packet.carrier is Carrier.TCP:
            self._tcp.write(packet)
            return
        source, destination = packet.source, packet.destination
        version = source.address.version
        sender = self._sender(packet.carrier, version, source.port)
        if sender is None or destination.address.version != version:
            raise ScriptError(
                f"no way to send {packet.carrier.name} from {source} to {destination}"
            )
        if version == 4:
            information = (
                socket.IPPROTO_IP,
                IP_PKTINFO,
                _PKTINFO4.pack(0, source.address.packed, b""),
            )
            marking = (socket.IPPROTO_IP, socket.IP_TOS, _INTEGER.pack(packet.traffic_class))
        else:
            information = (
                socket.IPPROTO_IPV6,
                socket.IPV6_PKTINFO,
                _PKTINFO6.pack(source.address.packed, 0),
            )
            marking = (
                socket.IPPROTO_IPV6,
                socket.IPV6_TCLASS,
                _INTEGER.pack(packet.traffic_class),
            )
        try:
            sender.sendmsg(
                [packet.octets],
                [information, marking],
                0,
                (str(destination.address), destination.port),
            )
        except OSError as error:
            raise Inconclusive(f"cannot send from {source} to {destination}: {error}") from error

    def receive(self, addresses: Collection[IPAddress], deadline: float) -> Packet | None:
        """Give the next packet to one of these addresses, or None at the deadline."""
        while (packet := self._inbox.take(addresses)) is None:
            ready = self._selector.select(max(0.0, deadline - self.now()))
            if not ready and self.now() >= deadline:
                return None
            for key, _ in ready:
                key.data()
        return packet

    def connect(self, source: Endpoint, destination: Endpoint) -> Endpoint:
        """Open a TCP connection; give our end, with its port. NoAnswer when it is refused."""
        return self._tcp.connect(source, destination)

    def listen(self, at: Endpoint) -> Callable[[], None]:
        """Accept TCP connections there from now on, until what is given is called."""
        return self._tcp.listen(at)

    def reset(self, source: Endpoint, destination: Endpoint) -> None:
        """End a TCP connection by a reset."""
        self._tcp.reset((source, destination))

    def close(self) -> None:
        """Close every socket."""
        self._tcp.close()
        for each in self._senders.values():
            self._selector.unregister(each)
            each.close()
        self._senders.clear()
        self._selector.close()

    def _open(self) -> None:
        try:
            for port in (IKE_PORT, NAT_TRAVERSAL_PORT):
                self._add(Carrier.UDP, 4, port, _open_ipv4(self._make, socket.SOCK_DGRAM, 0, port))
                self._add(Carrier.UDP, 6, port, _open_ipv6(self._make, socket.SOCK_DGRAM, 0, port))
            self._add(
                Carrier.ESP, 4, 0, _open_ipv4(self._make, socket.SOCK_RAW, Carrier.ESP.value, 0)
            )
            self._add(
                Carrier.ESP, 6, 0, _open_ipv6(self._make, socket.SOCK_RAW, Carrier.ESP.value, 0)
            )
        except OSError as error:
            raise _refused(error) from error

    def _sender(self, carrier: Carrier, version: int, port: int) -> socket.socket | None:
        known = self._senders.get((carrier, version, port))
        is_echo = carrier in _ECHO_TYPES
        if known is None and (is_echo or (carrier is Carrier.UDP and port)):
            opener = _open_ipv4 if version == 4 else _open_ipv6
            kind = (socket.SOCK_RAW, carrier.value) if is_echo else (socket.SOCK_DGRAM, 0)
            try:
                known = opener(self._make, *kind, port)
            except OSError as error:
                raise Inconclusive(f"{carrier.name} {port} cannot be opened: {error}") from error
            self._add(carrier, version, port, known)
        return known

    def _add(self, carrier: Carrier, version: int, port: int, opened: socket.socket) -> None:
        opened.setblocking(False)
        try:
            opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._senders[carrier, version, port] = opened
        self._selector.register(opened, selectors.EVENT_READ, self._reader(carrier, port, opened))

    def _reader(self, carrier: Carrier, port: int, opened: socket.socket) -> Callable[[], None]:
        """Give a function that reads the packets that are there, at most a hundred at a time."""

        def read() -> None:
            for _ in range(100):
                try:
                    octets, ancillary, _, sender = opened.recvmsg(65535, 256)
                except BlockingIOError:
                    return
                destination, header = _destination(ancillary)
                is_raw = carrier is not Carrier.UDP
                if is_raw and header:  # A raw IPv4 socket shows the IP header.
                    octets = octets[(octets[0] & 15) * 4 :]
                if carrier in _ECHO_TYPES and octets[:1] != _ECHO_TYPES[carrier]:
                    continue  # Errors, and the neighbour discovery of IPv6.
                source = type(destination)(sender[0].partition("%")[0])
                self._inbox.put(
                    Packet(
                        carrier,
                        Endpoint(source, 0 if is_raw else sender[1]),
                        Endpoint(destination, port),
                        octets,
                        _traffic_class(ancillary),
                    )
                )

        return read


def _open_ipv4(make: SocketMaker, kind: int, protocol: int, port: int) -> socket.socket:
    opened = make(socket.AF_INET, kind, protocol)
    opened.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    opened.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
    opened.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    opened.bind(("0.0.0.0", port))
    return opened


def _open_ipv6(make: SocketMaker, kind: int, protocol: int, port: int) -> socket.socket:
    opened = make(socket.AF_INET6, kind, protocol)
    if kind == socket.SOCK_DGRAM:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
    # An address of an AnyIP route is on no interface; without this it cannot be a source.
    opened.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT)
    opened.bind(("::", port))
    return opened


def _destination(ancillary: Ancillary) -> tuple[IPAddress, bool]:
    """Give the address that a packet was sent to, and whether that is an IPv4 one."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            return IPv4Address(_PKTINFO4.unpack_from(data)[2]), True
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return IPv6Address(_PKTINFO6.unpack_from(data)[0]), False
    raise Inconclusive("the kernel did not say which address a packet was sent to")


def _traffic_class(ancillary: Ancillary) -> int:
    """Give the octet of DSCP and ECN in a packet's IP header."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, socket.IP_TOS):
            return data[0]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_TCLASS):
            number: int = _INTEGER.unpack_from(data)[0]
            return number
    raise Inconclusive("the kernel did not say what traffic class a packet has")


def _refused(error: OSError) -> SetupError:
    if error.errno == errno.EADDRINUSE:
        return SetupError(
            f"UDP port {IKE_PORT} or {NAT_TRAVERSAL_PORT} is taken by another IKE daemon: stop it"
        )
    if error.errno in (errno.EPERM, errno.EACCES):
        return SetupError("no right to open raw sockets and port 500: run as root")
    return SetupError(f"cannot open the peer's sockets: {error}")
