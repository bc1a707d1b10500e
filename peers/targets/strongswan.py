"""strongSwan as a target: charon, told what to do over vici."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import vici
from vici.exception import CommandException, SessionException

from peers.lab.control import VICI_PORT
from peers.lab.machine import Machine
from peers.reference.connection import Connection, IPNetwork, Mode
from peers.reference.errors import Inconclusive, ScriptError
from peers.reference.events import IPAddress
from peers.reference.numbers import ProtocolId
from peers.reference.payloads import Proposal
from peers.targets.address_pools import strongswan_pools
from peers.targets.algorithms import charon_lacks, kernel_lacks
from peers.targets.base import OF_DAEMONS, Capability, ChildSaState, IkeSaState, TargetInfo
from peers.targets.cookie_holder import hold_half_open
from peers.targets.kernel import echo_script, kernel_counters
from peers.targets.keywords import check_policy
from peers.targets.strongswan_auth import authorities, certificates, key, looks_up, secrets
from peers.targets.strongswan_config import connection_section, proposal_text, swanctl_conf

SETTINGS = "/etc/strongswan.d/zzz-cookies.conf"
LOOKUP_SETTINGS = "/etc/strongswan.d/zzz-lookup.conf"

# charon asks for cookies from so many half-open SAs on, and reads that when it starts. One that
# stays half open, made below, keeps it asking.
COOKIES = """charon-systemd {
    dos_protection = yes
    cookie_threshold = 1
    cookie_threshold_ip = 0
    block_threshold = 1000
    half_open_timeout = 3600
}
"""

# charon says that it looks certificates up, and reads this whenever it asks for some.
LOOKUP = "charon-systemd {\n    hash_and_url = yes\n}\n"

PLUGINS: Mapping[bytes, frozenset[Capability]] = {
    b"curl": frozenset({Capability.HASH_AND_URL, Capability.OCSP_IN_CERT}),
    b"revocation": frozenset({Capability.CRL_IN_CERT, Capability.OCSP_IN_CERT}),
    b"eap-md5": frozenset({Capability.EAP_MD5}),
    b"eap-mschapv2": frozenset({Capability.EAP_MSCHAPV2}),
    b"eap-tls": frozenset({Capability.EAP_TLS}),
}
"""What is there when a plugin is loaded."""

SPEAKS_OCSP = (5, 9, 14)
"""The first version with OCSP content in CERTREQ and CERT."""

NOT_WAITING = "-1"
"""A vici timeout that means: answer at once."""


SECOND = 64
"""How far a target's second address is from its first: no other target has it."""

DEVICE = r"device=$(ip -o -4 route show default | sed 's/.* dev \([^ ]*\).*/\1/')"
"""Finds the interface that leads to the peer."""


class StrongSwan:
    """Adapter of charon (the protocol `base.Target`). vici answers within milliseconds."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._loaded: dict[str, Connection] = {}
        self._challenging = False
        self._open_session()
        self.info = self._describe()
        self._kernel_lacks = kernel_lacks(machine)
        listed = self._request("get-algorithms")
        self._algorithms = {name for kind in listed.values() for name in kind}
        self.capabilities = self._probe()

    def addresses(self) -> Sequence[IPAddress]:
        """Give the target's IPv4 and IPv6 address."""
        return (self._machine.place.ipv4, self._machine.place.ipv6)

    def network_behind(self, family: int) -> IPNetwork:
        """Give the network behind the target."""
        place = self._machine.place
        return place.behind4 if family == 4 else place.behind6

    def second_address(self, family: int) -> IPAddress:
        """Get another address besides the place's own."""
        place = self._machine.place
        address = (place.ipv4 if family == 4 else place.ipv6) + SECOND
        self._machine.run(f"{DEVICE}; ip address add {_with_prefix(address)} dev $device nodad")
        return address

    def leave(self, connection: Connection) -> None:
        """Take that address away: charon goes on from another one."""
        address = _with_prefix(connection.local)
        self._machine.run(f"{DEVICE}; ip address del {address} dev $device 2>/dev/null || true")

    def lacks(self, proposal: Proposal) -> str:
        """Look into charon's list of algorithms; for ESP ask the kernel."""
        try:
            proposal_text(proposal)
        except ScriptError as error:
            return str(error)
        if proposal.protocol == ProtocolId.IKE:
            return charon_lacks(self._algorithms, proposal)
        return self._kernel_lacks(proposal)

    def configure(self, connection: Connection) -> str:
        """Load the connection and its secret; return both as swanctl.conf."""
        text = swanctl_conf(connection)
        self._load(connection)
        self._loaded[connection.name] = connection
        return text

    def forget(self, connection: Connection) -> None:
        """Unload the connection, and drop its SAs at once; with the last one go all credentials."""
        if self._loaded.pop(connection.name, None) is None:
            return
        self._request("unload-conn", {"name": connection.name})
        for state in self._raw_sas(connection):
            identifier = state["uniqueid"].decode()
            request = {"ike-id": identifier, "force": "yes", "timeout": NOT_WAITING}
            # It may end by itself between the list and this.
            self._request("terminate", request, may_fail=True)
        for name in authorities(connection):
            self._request("unload-authority", {"name": name})
        if looks_up(connection):
            self._look_up(enabled=False)
        for name in strongswan_pools(connection):
            # Addresses of SAs that are just being closed are still out.
            self._request("unload-pool", {"name": name}, may_fail=True)
        if not self._loaded:
            # A certificate of an earlier test may be about the key of a later one.
            self._request("clear-creds")

    def initiate(self, connection: Connection) -> None:
        """Start the initial exchanges."""
        self.create_child(connection, connection.name)

    def suspend(self, connection: Connection) -> None:
        """Fail: there are no tickets."""
        raise ScriptError("strongSwan resumes no sessions")

    def create_child(self, connection: Connection, name: str) -> None:
        """Start the exchange for one more Child SA; the initial ones where there is no IKE SA."""
        self._request(
            "initiate",
            {
                "ike": connection.name,
                "child": check_policy(connection, name),
                "timeout": NOT_WAITING,
                "init-limits": "no",
            },
        )

    def rekey_ike(self, connection: Connection) -> None:
        """Start a rekey of the IKE SA."""
        self._request("rekey", {"ike": connection.name})

    def rekey_child(self, connection: Connection, name: str = "") -> None:
        """Start a rekey of the Child SA of that policy."""
        child = check_policy(connection, name)
        self._request("rekey", {"ike": connection.name, "child": child})

    def delete_ike(self, connection: Connection) -> None:
        """Start the deletion of the IKE SA."""
        self._request("terminate", {"ike": connection.name, "timeout": NOT_WAITING})

    def delete_child(self, connection: Connection, name: str = "") -> None:
        """Start the deletion of the Child SA of that policy."""
        child = check_policy(connection, name)
        request = {"ike": connection.name, "child": child, "timeout": NOT_WAITING}
        self._request("terminate", request)

    def echo(self, connection: Connection, name: str = "") -> None:
        """Have the target's side send one echo request."""
        self._machine.run(echo_script(connection, self.network_behind, name))

    def challenge_with_cookies(self, enabled: bool) -> None:
        """Have charon ask for cookies or not. Restarts it, if that changes anything."""
        if enabled is self._challenging:
            return
        self._machine.run(f"printf %s '{COOKIES if enabled else ''}' >{SETTINGS}")
        self._challenging = enabled
        self.restart()

    def sas(self, connection: Connection) -> Sequence[IkeSaState]:
        """List the IKE SAs with the connection's peer, half-open ones too."""
        return [_ike_state(each) for each in self._raw_sas(connection)]

    def counters(self) -> Mapping[str, int]:
        """Read the kernel's counters of dropped packets (XfrmIn..., and those of its states)."""
        return kernel_counters(self._machine)

    def log(self, start: float, end: float) -> str:
        """Give the log between two times."""
        return self._machine.read_log(start, end)

    def restart(self) -> None:
        """Restart charon and load again what was loaded."""
        self._machine.restart_daemon()
        self._open_session()
        for connection in self._loaded.values():
            self._load(connection)
        if self._challenging:
            hold_half_open(self._machine, self._request)

    def reachable(self) -> bool:
        """Say whether the machine answers."""
        return self._machine.answers()

    def alive(self) -> bool:
        """Say whether charon still is the process that was started."""
        return self._machine.daemon_is_the_same()

    def _open_session(self) -> None:
        self._session = vici.Session(self._machine.connect(VICI_PORT))
        # The socket is there before the threads that answer.
        self._request("version")

    def _load(self, connection: Connection) -> None:
        for name, pool in strongswan_pools(connection).items():
            self._request("load-pool", {name: pool})
        messages = certificates(connection)
        for each in messages:
            self._request("load-cert", each)
        if any(each["type"] == "X509_CRL" for each in messages):
            # charon would go on with an older CRL whose signature it has checked and remembered.
            self._request("flush-certs", {"type": "X509_CRL"})
        for name, section in authorities(connection).items():
            self._request("load-authority", {name: section})
        if looks_up(connection):
            self._look_up(enabled=True)
        private = key(connection)
        if private is not None:
            self._request("load-key", {"type": "any", "data": private})
        self._request("load-conn", {connection.name: connection_section(connection)})
        for number, secret in enumerate(secrets(connection), 1):
            self._request(
                "load-shared",
                {
                    "id": f"{connection.name}-{number}",
                    "type": secret.kind,
                    "data": secret.octets,
                    "owners": list(secret.owners),
                },
            )

    def _look_up(self, *, enabled: bool) -> None:
        self._machine.run(f"printf %s '{LOOKUP if enabled else ''}' >{LOOKUP_SETTINGS}")
        self._request("reload-settings")

    def _request(
        self, command: str, message: Mapping[str, Any] | None = None, *, may_fail: bool = False
    ) -> Mapping[str, Any]:
        try:
            return dict(self._session.request(command, message))
        except CommandException as error:
            if may_fail:
                return {}
            raise Inconclusive(f"vici {command}: {error}") from error
        except (OSError, SessionException) as error:
            raise Inconclusive(f"vici {command}: charon does not answer: {error}") from error

    def _raw_sas(self, connection: Connection) -> list[Mapping[str, Any]]:
        # A half-open SA has no name yet: the peer's address tells whose it is.
        try:
            listed = [state for each in self._session.list_sas() for state in each.values()]
        except (OSError, SessionException) as error:
            raise Inconclusive(f"vici list-sas: charon does not answer: {error}") from error
        return [each for each in listed if _address(each["remote-host"]) == connection.remote]

    def _describe(self) -> TargetInfo:
        version = self._request("version")["version"].decode()
        package = self._machine.run("dpkg-query -W charon-systemd").split()
        return TargetInfo(
            name=self._machine.name,
            version=f"strongSwan {version}",
            kernel=self._machine.kernel,
            image=self._machine.image,
            notes=(" ".join(package),),
        )

    def _probe(self) -> frozenset[Capability]:
        found = set(OF_DAEMONS)
        if "CHACHA20_POLY1305" not in self._algorithms:
            found.discard(Capability.CHACHA20_POLY1305)
        version = tuple(map(int, re.findall(r"\d+", self.info.version)[:3]))
        if version < (6,):
            found.discard(Capability.ADDITIONAL_KEY_EXCHANGES)
        if version < SPEAKS_OCSP:
            found.discard(Capability.OCSP_IN_CERT)
        plugins = self._request("stats")["plugins"]
        for plugin, capabilities in PLUGINS.items():
            if plugin not in plugins:
                found -= capabilities
        # charon has no NULL authentication, no tickets, no TCP, and redirects by plugins only.
        found -= {
            Capability.NULL_AUTHENTICATION,
            Capability.REDIRECTING,
            Capability.SESSION_RESUMPTION,
            Capability.SUSPENSION,
            Capability.TCP,
        }
        return frozenset(found)


def _with_prefix(address: IPAddress) -> str:
    return f"{address}/{24 if address.version == 4 else 112}"


def _address(octets: bytes) -> IPAddress:
    return ip_address(octets.decode().partition("%")[0])


def _ike_state(state: Mapping[str, Any]) -> IkeSaState:
    # A deleted Child SA is listed for some seconds more, for packets that are still under way.
    children = (
        each
        for each in state.get("child-sas", {}).values()
        if "spi-in" in each and each["state"] not in (b"DELETED", b"DESTROYING")
    )
    return IkeSaState(
        initiator_spi=bytes.fromhex(state["initiator-spi"].decode()),
        responder_spi=bytes.fromhex(state["responder-spi"].decode()),
        established=state["state"] == b"ESTABLISHED",
        children=tuple(
            ChildSaState(
                inbound_spi=bytes.fromhex(each["spi-in"].decode()),
                outbound_spi=bytes.fromhex(each["spi-out"].decode()),
                mode=Mode(each["mode"].decode().lower()),
                packets_in=int(each.get("packets-in", b"0")),
                packets_out=int(each.get("packets-out", b"0")),
            )
            for each in children
        ),
    )
