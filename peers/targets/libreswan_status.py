"""Read what whack and the kernel say about Libreswan's SAs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from peers.reference.connection import Connection, Mode
from peers.targets.base import ChildSaState, IkeSaState
from peers.targets.libreswan_config import section_names

# Releases before 5 begin each line with "000 ".
# #2: "name"[1] 198.18.0.16:500 ESTABLISHED_CHILD_SA (established Child SA); ...; IKE SA #1; idle;
STATE = re.compile(r'^(?:000 )?#(\d+): "([^"]+)"(?:\[\d+\] )?\S* (\w+) \(.*?\);(.*)$', re.MULTILINE)
PARENT = re.compile(r"(?:IKE SA |ISAKMP SA |isakmp)#(\d+);")
# #2: "name"[1] 198.18.0.16 esp.ceae2770@198.18.0.16 esp.78d2a7af@198.18.0.17 ... Traffic: ...
DETAILS = re.compile(r'^(?:000 )?#(\d+): "[^"]+".*? (esp[.:].*)$', re.MULTILINE)
SAID = re.compile(r"esp[.:]([0-9a-f]+)@(\S+)")
# src 198.18.0.17 dst 198.18.0.16
# 	proto esp spi 0xceae2770(3467519856) reqid 16393(0x00004009) mode tunnel
KERNEL_STATE = re.compile(r"proto esp spi 0x([0-9a-f]{8})\b.* mode (\w+)")
MODES = frozenset(mode.value for mode in Mode)
PACKETS = re.compile(r"lifetime current:\s+\d+\(bytes\), (\d+)\(packets\)")


@dataclass(frozen=True, slots=True)
class State:
    """A line of ``whack --showstates``: an IKE SA, or a Child SA with its IKE SA's number."""

    number: int
    name: str
    state: str
    parent: int | None

    @property
    def is_child(self) -> bool:
        """Whether this is a Child SA, an unfinished one too."""
        return "CHILD" in self.state

    @property
    def established(self) -> bool:
        """Whether the SA's exchanges are complete."""
        return "ESTABLISHED" in self.state


@dataclass(frozen=True, slots=True)
class KernelState:
    """One direction of a Child SA in the kernel."""

    mode: Mode
    packets: int


def parse_states(text: str) -> list[State]:
    """Read the SAs from ``whack --showstates``."""
    return [
        State(int(number), name, state, int(found[1]) if (found := PARENT.search(rest)) else None)
        for number, name, state, rest in STATE.findall(text)
    ]


def parse_kernel_states(text: str) -> dict[bytes, KernelState]:
    """Read ``ip -statistics xfrm state``: by SPI."""
    found: dict[bytes, KernelState] = {}
    for block in re.split(r"^src ", text, flags=re.MULTILINE)[1:]:
        state, packets = KERNEL_STATE.search(block), PACKETS.search(block)
        if state and packets and state[2] in MODES:
            found[bytes.fromhex(state[1])] = KernelState(Mode(state[2]), int(packets[1]))
    return found


def ike_sas(connection: Connection, whack: str, kernel: str) -> Sequence[IkeSaState]:
    """Put together the connection's IKE SAs; whack does not tell their SPIs, they stay empty."""
    names = section_names(connection)
    own = [each for each in parse_states(whack) if each.name in names]
    states = parse_kernel_states(kernel)
    spis = _spis(connection, whack)
    return [
        IkeSaState(
            initiator_spi=b"",
            responder_spi=b"",
            established=ike.established,
            children=tuple(
                _child(*spis[each.number], states)
                for each in own
                if each.is_child and each.parent == ike.number and each.number in spis
            ),
        )
        for ike in own
        if not ike.is_child
    ]


def _spis(connection: Connection, whack: str) -> dict[int, tuple[bytes, bytes]]:
    """Give the inbound and the outbound SPI of each Child SA, by its number."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for number, details in DETAILS.findall(whack):
        by_receiver = {
            address: bytes.fromhex(spi.zfill(8)) for spi, address in SAID.findall(details)
        }
        inbound = by_receiver.get(str(connection.local))
        outbound = by_receiver.get(str(connection.remote))
        if inbound and outbound:
            found[int(number)] = inbound, outbound
    return found


def _child(inbound: bytes, outbound: bytes, states: Mapping[bytes, KernelState]) -> ChildSaState:
    unknown = KernelState(Mode.TUNNEL, 0)
    arriving, leaving = states.get(inbound, unknown), states.get(outbound, unknown)
    return ChildSaState(inbound, outbound, arriving.mode, arriving.packets, leaving.packets)
