"""Follow what a container prints, with the engine's times, and cut it by time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from docker.errors import DockerException
from docker.models.containers import Container

MARK = "ikeproof: mark "


class ContainerLog:
    """The lines of one container, as they come; a thread of its own reads them."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._lines: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self._ended = False
        self._marks = 0
        threading.Thread(target=self._follow, name=f"log-{container.name}", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Return when a line has come, or after so many seconds."""
        with self._news:
            self._news.wait(seconds)

    def find(self, text: str, start: int = 0) -> str:
        """Give the first line from number ``start`` on that has ``text``; nothing if none has."""
        with self._news:
            return next((line for _, line in self._lines[start:] if text in line), "")

    def count(self, text: str, start: int = 0) -> int:
        """Count the lines from number ``start`` on that have ``text``."""
        with self._news:
            return sum(text in line for _, line in self._lines[start:])

    def wait_for(self, text: str, seconds: float, start: int = 0) -> str:
        """Wait for a line that has ``text``; nothing if none came in time, or the log ended."""
        deadline = time.monotonic() + seconds
        while not (found := self.find(text, start)):
            left = deadline - time.monotonic()
            if left <= 0 or self.ended:
                return ""
            self.wait(left)
        return found

    @property
    def ended(self) -> bool:
        """Whether the container prints no more."""
        return self._ended

    def __len__(self) -> int:
        return len(self._lines)

    def tail(self, count: int = 20) -> str:
        """Give the last lines."""
        with self._news:
            return "\n".join(line for _, line in self._lines[-count:])

    def between(self, start: float, end: float) -> str:
        """Give the lines that were printed between two times, in seconds since the epoch."""
        with self._news:
            chosen = [line for at, line in self._lines if start <= at <= end and MARK not in line]
        return "".join(f"{line}\n" for line in chosen)

    def catch_up(self, print_line: Callable[[str], object], seconds: float = 2.0) -> None:
        """Wait until everything printed so far is here: have a line printed, and see it."""
        self._marks += 1
        mark = f"{MARK}{self._marks}"
        start = len(self)
        print_line(mark)
        self.wait_for(mark, seconds, start)

    def _follow(self) -> None:
        try:
            for at, line in self._read():
                with self._news:
                    self._lines.append((at, line))
                    self._news.notify_all()
        except (DockerException, OSError):
            # The container was removed, or the engine went away; what came before is kept.
            return
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _read(self) -> Iterator[tuple[float, str]]:
        rest = b""
        for chunk in self._container.logs(stream=True, follow=True, timestamps=True):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                stamp, _, text = line.decode(errors="replace").partition(" ")
                yield parse_time(stamp), text.rstrip("\r")


def parse_time(stamp: str) -> float:
    """Read the engine's time, with nanoseconds and Z, as seconds since the epoch."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
