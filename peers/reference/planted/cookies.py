"""Planted faults: cookies (RFC 7296, 2.6)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.initial import with_cookie
from peers.reference.message import Message
from peers.reference.numbers import (
    KeyExchangeMethod,
    NotifyType,
)
from peers.reference.payloads import (
    Nonce,
)
from peers.reference.planted.catalogue import fault
from peers.reference.sa import NO_SPI, IkeSa


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


@fault("returns-any-cookie")
class ReturnsAnyCookie(Decisions):
    """A cookie is returned whatever its size is."""

    def follows_cookie(self, cookie: bytes) -> bool:
        return True


@fault("minds-responder-spi-in-refusal")
class MindsResponderSpiInRefusal(Decisions):
    """A COOKIE or INVALID_KE_PAYLOAD is not followed when its responder SPI is not zero."""

    def follows_refusal(self, response: Message) -> bool:
        return response.spi_r == NO_SPI


@fault("returns-one-cookie-only")
class ReturnsOneCookieOnly(Decisions):
    """A second cookie is not returned."""

    def __init__(self) -> None:
        self._returned = False

    def retry_with_cookie(self, sa: IkeSa, request: Message, cookie: bytes) -> Message:
        if self._returned:
            raise PeerError("a second cookie")
        self._returned = True
        return super().retry_with_cookie(sa, request, cookie)


@fault("drops-cookie-for-another-group")
class DropsCookieForAnotherGroup(Decisions):
    """The retry with another group leaves the cookie out."""

    def retry_with_group(self, sa: IkeSa, request: Message, group: KeyExchangeMethod) -> Message:
        retry = super().retry_with_group(sa, request, group)
        cookie = retry.find_notify(NotifyType.COOKIE)
        return replace(retry, payloads=tuple(p for p in retry.payloads if p is not cookie))


@fault("takes-a-cookie-once")
class TakesACookieOnce(Decisions):
    """A cookie is right for one request only: with another group it would be asked for again."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def cookie_is_right(self, cookie: bytes, expected: bytes) -> bool:
        right = super().cookie_is_right(cookie, expected) and cookie not in self._seen
        self._seen.add(cookie)
        return right
