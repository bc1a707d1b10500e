"""Talk to a target over the lab's network: a shell for commands, a socket for vici."""

from __future__ import annotations

import errno
import secrets
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address

from peers.lab.sockets import SocketMaker
from peers.reference.errors import Inconclusive

AGENT_PORT = 4503
VICI_PORT = 4502
PATIENCE = 20.0
"""Seconds for one command; a guest kernel on a busy machine may pause for a while."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a script printed (both streams) and its exit status."""

    status: int
    output: str


class ControlSocket(socket.socket):
    """A TCP socket for small requests and answers: no octet waits for another one's ACK."""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive; the kernel forgets TCP_QUICKACK, so it is asked for each time."""
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().recv(size, flags)


def connect(address: IPv4Address, port: int, make: SocketMaker) -> ControlSocket:
    """Connect with a socket that ``make`` makes; OSError if nobody listens there."""
    bare = make(socket.AF_INET, socket.SOCK_STREAM, 0)
    made = ControlSocket(socket.AF_INET, socket.SOCK_STREAM, fileno=bare.detach())
    try:
        made.settimeout(PATIENCE)
        made.connect((str(address), port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        made.close()
        raise
    return made


NOT_YET = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET}
"""Errors of a connection to a target that is still starting."""


class Agent:
    """A shell inside the target that lives as long as the connection to it.

    A script must not ``exit``. One that only uses the shell's own commands costs about a
    millisecond, each program that it starts about fifteen in a guest kernel.
    """

    def __init__(self, connection: ControlSocket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._failure = ""

    def run(self, script: str) -> Reply:
        """Run a script of sh and give its output and status; Inconclusive if the shell is gone."""
        end = f"end-{secrets.token_hex(6)}"
        framed = f"{{ {script}\n}} </dev/null 2>&1; status=$?; echo; echo {end} $status\n"
        with self._lock:
            if self._failure:  # What comes now could be the answer to an earlier script.
                raise Inconclusive(self._failure)
            try:
                self._connection.sendall(framed.encode())
                octets = self._receive_until(f"\n{end} ".encode())
            except OSError as error:
                self._failure = f"the target's control shell failed: {error}"
                raise Inconclusive(self._failure) from error
        output, _, status = octets.decode(errors="replace").rpartition(f"\n{end} ")
        return Reply(int(status), output)

    def check(self, script: str) -> str:
        """Run a script that must succeed; Inconclusive with its output if it does not."""
        reply = self.run(script)
        if reply.status:
            raise Inconclusive(
                f"in the target, status {reply.status} of: {script}\n{reply.output.strip()}"
            )
        return reply.output

    def close(self) -> None:
        """Hang up; the shell ends."""
        self._connection.close()

    def _receive_until(self, mark: bytes) -> bytes:
        octets = b""
        while True:
            more = self._connection.recv(1 << 16)
            if not more:
                raise ConnectionResetError(f"it ended, having said {octets[-300:]!r}")
            octets += more
            if octets.endswith(b"\n") and mark in octets[-len(mark) - 8 :]:
                return octets
