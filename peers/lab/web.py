"""What is to be had over HTTP, at an address of the peer's: certificates, OCSP responses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any, Protocol
from urllib.parse import urlsplit

from peers.lab.sockets import SocketMaker
from peers.reference.errors import Inconclusive

POLLED = 0.02
"""Seconds between two looks at whether the server is to end."""

PATIENCE = 5.0
"""Seconds that a client may take for its request."""

LONGEST_REQUEST = 65536
"""Octets of an OCSP request: it is read and not looked at."""


class Site(Protocol):
    """What is served: an IPv4 address and a port in a base URL, and what is below it."""

    @property
    def base(self) -> str:
        """The URL that every other begins with."""

    def get(self, url: str) -> bytes | None:
        """Give what a URL resolves to; None where there is nothing."""


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that goes away: the capture has it."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE

    def __init__(self, *request: Any, site: Site) -> None:
        self._site = site
        super().__init__(*request)

    def do_GET(self) -> None:
        self._answer("application/pkix-cert")

    def do_POST(self) -> None:
        """Read an OCSP request (RFC 6960, A.1) and answer it; 400 where its length is no number."""
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self.rfile.read(min(int(length), LONGEST_REQUEST))
        self._answer("application/ocsp-response")

    def _answer(self, kind: str) -> None:
        value = self._site.get(self._site.base + self.path.removeprefix("/"))
        if value is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(value)))
        self.end_headers()
        self.wfile.write(value)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the capture has it all."""


@contextmanager
def serving(site: Site, make: SocketMaker) -> Iterator[None]:
    """Serve a site at the IPv4 address and port of its base URL.

    Inconclusive when nobody can listen there.
    """
    location = urlsplit(site.base)
    assert location.hostname is not None
    assert location.port is not None
    at = (location.hostname, location.port)
    server = _Server(at, partial(_Handler, site=site), bind_and_activate=False)
    server.socket.close()
    server.socket = make(socket.AF_INET, socket.SOCK_STREAM, 0)
    with server:
        try:
            server.server_bind()
            server.server_activate()
        except OSError as error:
            raise Inconclusive(f"nothing can be served at {site.base}: {error}") from error
        thread = Thread(target=server.serve_forever, args=(POLLED,), name="web", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
