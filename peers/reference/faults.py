"""The closed catalogue of ways to be wrong on the wire. Octets are edited here and nowhere else."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from peers.reference.draft import Draft


@dataclass(frozen=True, slots=True)
class WireFault:
    """A deliberate error in the octets of one message.

    ``before_sealing`` says that the integrity check of a protected message still comes right.
    """

    before_sealing: ClassVar[bool] = True

    @abstractmethod
    def edit(self, draft: Draft) -> None:
        """Make the error in a correct message."""
