"""Planted faults: cookies (RFC 7296, 2.6)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.initial import with_cookie
from peers.reference.message import Message
from peers.reference.numbers import (
    NotifyType,
)
from peers.reference.payloads import (
    Nonce,
)
from peers.reference.planted.catalogue import fault
from peers.reference.sa import IkeSa


@fault("accepts-any-cookie")
class AcceptsAnyCookie(Decisions):
    """Any cookie at all is taken for the right one."""

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        return True


@fault("refuses-its-own-cookie")
class RefusesItsOwnCookie(Decisions):
    """The cookie that comes back is never taken for the right one."""

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        return False


@fault("sends-over-long-cookie")
class SendsOverLongCookie(Decisions):
    """The cookie is 65 octets long."""

    def edit(self, message: Message) -> Message:
        cookie = message.find_notify(NotifyType.COOKIE)
        if cookie is None or not message.response:
            return message
        return replace(message, payloads=(replace(cookie, data=cookie.data.ljust(65, b"x")),))

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        return cookie == expected.ljust(65, b"x")


@fault("sends-responder-spi-with-cookie")
class SendsResponderSpiWithCookie(Decisions):
    """The response that asks for a cookie carries a responder SPI."""

    def edit(self, message: Message) -> Message:
        challenge = message.response and message.find_notify(NotifyType.COOKIE)
        return replace(message, spi_r=b"\x01" * 8) if challenge else message


@fault("returns-cookie-last")
class ReturnsCookieLast(Decisions):
    """The retry carries the cookie behind the other payloads."""

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        first, *rest = with_cookie(request, cookie).payloads
        return replace(request, payloads=(*rest, first))


@fault("draws-new-nonce-for-cookie-retry")
class DrawsNewNonceForCookieRetry(Decisions):
    """The retry with a cookie carries another nonce than the first request."""

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        sa.nonce = sa.random(32)
        return with_cookie(request.replacing(Nonce(sa.nonce)), cookie)
