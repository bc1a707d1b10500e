"""What is published, over HTTP, from an address of the peer's (RFC 7296, 3.6)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from peers.lab.sockets import SocketMaker
from peers.reference.credentials import Publication
from peers.reference.errors import Inconclusive

POLLED = 0.02
"""Seconds between two looks at whether the server is to end."""

PATIENCE = 5.0
"""Seconds that a client may take for its request."""


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that goes away: the capture has it."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE

    def __init__(self, *request: Any, published: Publication) -> None:
        self._published = published
        super().__init__(*request)

    def do_GET(self) -> None:
        value = self._published.get(self._published.base + self.path.removeprefix("/"))
        if value is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/pkix-cert")
        self.send_header("Content-Length", str(len(value)))
        self.end_headers()
        self.wfile.write(value)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the capture has it all."""


@contextmanager
def serving(published: Publication, make: SocketMaker) -> Iterator[None]:
    """Serve what is published at the IPv4 address and port of its base URL.

    Inconclusive when nobody can listen there.
    """
    location = urlsplit(published.base)
    assert location.hostname is not None
    assert location.port is not None
    at = (location.hostname, location.port)
    server = _Server(at, partial(_Handler, published=published), bind_and_activate=False)
    server.socket.close()
    server.socket = make(socket.AF_INET, socket.SOCK_STREAM, 0)
    with server:
        try:
            server.server_bind()
            server.server_activate()
        except OSError as error:
            raise Inconclusive(f"nothing can be served at {published.base}: {error}") from error
        thread = Thread(target=server.serve_forever, args=(POLLED,), name="web", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
