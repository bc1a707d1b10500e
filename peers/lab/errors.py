"""What the user can cause and mend: one clear line, and exit code 2."""

from docker.errors import APIError

from peers.reference.errors import IkeproofError


class SetupError(IkeproofError):
    """The lab cannot be set up. The message is one line: what is wrong and how to mend it.

    ``detail`` is what stands below that line: the end of a build's or a daemon's log.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n{self.detail}" if self.detail else message


def refused(what: str, error: APIError) -> SetupError:
    """Say what the engine refused to do, and how to mend it where that is plain."""
    reason = str(error.explanation or error).strip()
    if "no space left" in reason.lower():
        return SetupError(f"the disk is full: {what}; make room and run again")
    return SetupError(f"{what}: the Docker Engine says: {reason}")
