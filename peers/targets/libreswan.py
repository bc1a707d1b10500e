"""Libreswan as a target: pluto, told what to do by whack and addconn."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping, Sequence

from peers.lab.machine import Machine
from peers.reference.connection import Connection, IPNetwork, Tcp
from peers.reference.errors import Inconclusive, ScriptError
from peers.reference.events import IPAddress
from peers.reference.numbers import ProtocolId
from peers.reference.payloads import Proposal
from peers.targets.algorithms import kernel_lacks
from peers.targets.base import OF_DAEMONS, Capability, IkeSaState, TargetInfo
from peers.targets.impairments import NOTHING, Impairment
from peers.targets.kernel import echo_script, has_esp_in_tcp, kernel_counters
from peers.targets.libreswan_auth import imports, ipsec_secrets, removal
from peers.targets.libreswan_config import (
    esp_text,
    ike_text,
    ipsec_conf,
    section_name,
    section_names,
)
from peers.targets.libreswan_status import ike_sas, parse_states

ENDING = 10.0
"""Seconds within which a pluto that answers nothing more has ended, or answers again."""

WHACK = "/usr/libexec/ipsec/whack"
ALGPARSE = "/usr/libexec/ipsec/algparse"
ADDCONN = "/usr/libexec/ipsec/addconn"
FOLDER = "/run/ikeproof.d"
"""Where connections and secrets lie; docker/libreswan/ipsec.secrets includes them."""


LACKING = frozenset(
    {
        Capability.LEGACY_ECDSA,
        Capability.RSA_PKCS1_SHA2,
        Capability.EDDSA,
        Capability.CHILDLESS_SETTING,
        Capability.MOVES,
        Capability.CRL_LOADED,
        Capability.ADDITIONAL_KEY_EXCHANGES,
        Capability.MESSAGE_ID_SYNC,
        Capability.OPAQUE_PORTS,
        Capability.EAP_MD5,
        Capability.EAP_MSCHAPV2,
        Capability.EAP_INITIATOR,
        Capability.HASH_AND_URL,
        Capability.CRL_IN_CERT,
        Capability.OCSP_IN_CERT,
    }
)
"""What pluto does not have: of ECDSA it has method 14 alone, of RSASSA-PKCS1-v1_5 SHA-1 alone,
of EAP the server of EAP-TLS alone.

Its IKE_INTERMEDIATE exchange carries a PPK (intermediate=yes), no key exchange: that came with 5.3.

NSS keeps its own copy of the CRLs, which it renews when pluto itself has fetched one. It asks OCSP
responders by itself: pluto only takes certificates out of CERT payloads.
"""


LACKING_BEFORE_5 = frozenset(
    {
        Capability.PPK,
        Capability.EAP_TLS,
        Capability.SESSION_RESUMPTION,
        Capability.SUSPENSION,
    }
)
"""What pluto 4 has in other words than 5 (ppk-ids), which are not written here."""

WHACK_4_FAILS_WITHIN = 0.2
"""Seconds; pluto sends its request again after half a second."""


class Libreswan:
    """Adapter of pluto (the protocol `base.Target`). whack takes about twenty milliseconds.

    With an ``impairment`` pluto misbehaves from the start, and after each restart.
    """

    def __init__(self, machine: Machine, impairment: Impairment = NOTHING) -> None:
        self._machine = machine
        self._loaded: dict[str, Connection] = {}
        self._challenging = False
        self._impairment = impairment
        self._wait_until_ready()
        self.info = self._describe()
        self.capabilities = OF_DAEMONS - LACKING - (LACKING_BEFORE_5 if self._major < 5 else set())
        if not has_esp_in_tcp(machine):
            self.capabilities -= {Capability.TCP}
        self._kernel_lacks = kernel_lacks(machine)
        self._parsed: dict[str, str] = {}

    def addresses(self) -> Sequence[IPAddress]:
        """Give the target's IPv4 and IPv6 address."""
        return (self._machine.place.ipv4, self._machine.place.ipv6)

    def network_behind(self, family: int) -> IPNetwork:
        """Give the network behind the target."""
        place = self._machine.place
        return place.behind4 if family == 4 else place.behind6

    def lacks(self, proposal: Proposal) -> str:
        """Have pluto's own parser judge a proposal; for ESP ask the kernel too."""
        is_ike = proposal.protocol == ProtocolId.IKE
        try:
            words = f"ike={ike_text(proposal)}" if is_ike else f"esp={esp_text(proposal)}"
        except ScriptError as error:
            return str(error)
        if words not in self._parsed:
            answer = self._machine.run(f"{ALGPARSE} '{words}' 2>&1 || true")
            found = re.search(r"ERROR: (.*)", answer)
            self._parsed[words] = found[1] if found else ""
        return self._parsed[words] or ("" if is_ike else self._kernel_lacks(proposal))

    def configure(self, connection: Connection) -> str:
        """Load the connection and its secret; return both files."""
        conf, secrets = self._write(connection)
        name = connection.name
        material = imports(connection, FOLDER)
        if material:
            self._machine.run(f"{material} &&\n{WHACK} --rereadall")
            if self._major < 5:
                # rereadall leaves it the CAs that it has read less than five minutes ago.
                self._whack("--impair trigger:EVENT_FREE_ROOT_CERTS")
        self._load(connection)
        self._loaded[name] = connection
        if _begins_anew(connection):
            self._whack("--no-impair revival")
        database = f"# NSS database\n{material}\n" if material else ""
        return f"# ipsec.conf\n{conf}\n# ipsec.secrets\n{secrets}{database}"

    def _write(self, connection: Connection) -> tuple[str, str]:
        conf, secrets = ipsec_conf(connection, self._major), ipsec_secrets(connection)
        self._machine.run(
            f"printf %s {shlex.quote(secrets)} >{FOLDER}/{connection.name}.secrets && "
            f"printf %s {shlex.quote(conf)} >{FOLDER}/{connection.name}.conf"
        )
        return conf, secrets

    def forget(self, connection: Connection) -> None:
        """Unload the connection and its secret; its SAs go with it."""
        if self._loaded.pop(connection.name, None) is None:
            return
        name = connection.name
        self._machine.run(f"rm -f {FOLDER}/{name}.*")
        if self._major < 5:
            # pluto 4 keeps states of a connection that is unloaded: of Child SAs that did not come
            # about, or are on another instance of it. When the timer of one is up, in some later
            # test, it looks into what was freed and ends.
            self.restart()
        else:
            self._unload(connection)
        if _begins_anew(connection):
            self._whack("--impair revival")
        self._whack("--rereadsecrets")
        if material := removal(connection):
            self._machine.run(material)

    def _unload(self, connection: Connection) -> None:
        for section in section_names(connection):
            status, _ = self._machine.attempt(f"{WHACK} --name {section} --delete")
            # pluto may complain about what a collision left over; what counts is that it is gone.
            # Where it ended over that, the next command may find the one that was started then.
            if status and not self.alive():
                raise Inconclusive(f"pluto ended when {section} was unloaded")

    def initiate(self, connection: Connection) -> None:
        """Start the initial exchanges."""
        self.create_child(connection, connection.name)

    def suspend(self, connection: Connection) -> None:
        """Drop the IKE SA and keep its ticket."""
        self._start(f"--name {connection.name} --suspend")

    def create_child(self, connection: Connection, name: str) -> None:
        """Start the exchange for one more Child SA; the initial ones where there is no IKE SA."""
        self._start(f"--name {section_name(connection, name)} --initiate")

    def rekey_ike(self, connection: Connection) -> None:
        """Start a rekey of the IKE SA."""
        self._start(f"--name {connection.name} --rekey-ike")

    def rekey_child(self, connection: Connection, name: str = "") -> None:
        """Start a rekey of the Child SA of that policy."""
        word = "--rekey-child" if self._major >= 5 else "--rekey-ipsec"
        self._start(f"--name {section_name(connection, name)} {word}")

    def delete_ike(self, connection: Connection) -> None:
        """Start the deletion of the IKE SA."""
        self._delete(connection.name, "--delete-ike", child=False)

    def delete_child(self, connection: Connection, name: str = "") -> None:
        """Start the deletion of the Child SA of that policy."""
        self._delete(section_name(connection, name), "--delete-child", child=True)

    def echo(self, connection: Connection, name: str = "") -> None:
        """Have the target's side send one echo request."""
        self._machine.run(echo_script(connection, self.network_behind, name))

    def challenge_with_cookies(self, enabled: bool) -> None:
        """Have pluto ask for cookies or not."""
        self._whack("--ddos-busy" if enabled else "--ddos-unlimited")
        self._challenging = enabled

    def sas(self, connection: Connection) -> Sequence[IkeSaState]:
        """List the connection's IKE SAs, half-open ones too."""
        shown = self._whack("--showstates")
        # The kernel counts packets; asking it costs as much again, and only Child SAs need it.
        kernel = self._machine.run("ip -statistics xfrm state") if " esp" in shown else ""
        return ike_sas(connection, shown, kernel)

    def counters(self) -> Mapping[str, int]:
        """Read the kernel's counters of dropped packets (XfrmIn..., and those of its states)."""
        return kernel_counters(self._machine)

    def log(self, start: float, end: float) -> str:
        """Give the log between two times."""
        return self._machine.read_log(start, end)

    def restart(self) -> None:
        """Restart pluto and load again what was loaded."""
        files_are_lost = self._machine.restart_daemon()
        self._wait_until_ready()
        for connection in self._loaded.values():
            if files_are_lost:
                self._write(connection)
            self._load(connection)
        if self._challenging:
            self.challenge_with_cookies(True)

    def reachable(self) -> bool:
        """Say whether the machine answers."""
        return self._machine.answers()

    def alive(self) -> bool:
        """Say whether pluto still is the process that was started, and answers.

        While it ends it already answers nothing, though its process is still there.
        """
        deadline = time.monotonic() + ENDING
        while self._machine.daemon_is_the_same():
            status, _ = self._machine.attempt(f"timeout 5 {WHACK} --briefstatus >/dev/null")
            if status == 0:
                return self._machine.daemon_is_the_same()
            if time.monotonic() > deadline:
                return False
            self._machine.log.wait(0.1)
        return False

    def _wait_until_ready(self) -> None:
        # Until pluto listens, a request would be dropped.
        self._machine.until(self._is_listening, "pluto does not answer")
        # Initiating once says "stay up" to pluto; a test must not see it come back by itself.
        for each in ("revival", *self._impairment.words):
            self._whack(f"--impair {each}")

    def _is_listening(self) -> bool:
        status, output = self._machine.attempt(f"{WHACK} --status")
        return status == 0 and str(self._machine.place.ipv6) in output

    def _load(self, connection: Connection) -> None:
        file, names = f"{FOLDER}/{connection.name}.conf", section_names(connection)
        loading = [f"{ADDCONN} --config {file} {name}" for name in names]
        self._machine.run(" && ".join([f"{WHACK} --rereadsecrets", *loading]))
        for name in names if connection.on_demand else ():
            self._whack(f"--name {name} --route")

    def _delete(self, section: str, word: str, *, child: bool) -> None:
        if self._major >= 5:
            self._start(f"--name {section} {word}")
        else:
            self._start(f"--deletestate {self._newest(section, child=child)}")

    def _newest(self, section: str, *, child: bool) -> int:
        """Give the number of the newest established Child or IKE SA of a section."""
        found = [
            each.number
            for each in parse_states(self._whack("--showstates"))
            if each.name == section and each.is_child is child and each.established
        ]
        if not found:
            kind = "Child" if child else "IKE"
            raise Inconclusive(f"{section} has no established {kind} SA")
        return max(found)

    def _start(self, arguments: str) -> None:
        """Have pluto start an exchange.

        Before version 5 whack may wait for an answer that only comes after it, and pluto may end
        when whack goes before that: what has not failed by then is left to itself.
        """
        if self._major >= 5:
            self._whack(f"{arguments} --asynchronous")
        else:
            self._machine.run(
                f"setsid {WHACK} {arguments} --asynchronous >/dev/null 2>&1 &\n"
                f"sleep {WHACK_4_FAILS_WITHIN}\nkill -0 $! 2>/dev/null || wait $!"
            )

    def _whack(self, arguments: str) -> str:
        return self._machine.run(f"{WHACK} {arguments}")

    def _describe(self) -> TargetInfo:
        package, version = self._machine.run("dpkg-query -W libreswan").split()
        self._major = int(version.partition(".")[0])
        impaired = [f"impaired: {each}" for each in self._impairment.words]
        return TargetInfo(
            name=self._machine.name,
            version=f"Libreswan {version.partition('-')[0]}",
            kernel=self._machine.kernel,
            image=self._machine.image,
            notes=(f"{package} {version}", *impaired),
        )


def _begins_anew(connection: Connection) -> bool:
    """Say whether pluto needs what keeps a connection up.

    It does for a redirect, for a ticket that is refused, and to go on over TCP.
    """
    waits = connection.follows_redirects or connection.session_resumption
    return waits or connection.tcp is Tcp.FALLBACK
