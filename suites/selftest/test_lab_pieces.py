"""The lab's parts that need no engine: what is ours, versions of images, logs, the link's order."""

import os
import re
import shutil
import socket
import threading
from ipaddress import ip_address

import pytest
from docker.errors import APIError

from peers.lab import images, ownership
from peers.lab.control import Agent
from peers.lab.errors import SetupError, refused
from peers.lab.lab import Lab, Spec
from peers.lab.logs import parse_time
from peers.link import Inbox
from peers.reference.errors import Inconclusive
from peers.reference.events import Carrier, Endpoint, Packet


def test_what_a_living_process_made_is_not_dead():
    assert not ownership.is_dead(ownership.labels("run"))


@pytest.mark.parametrize("change", [{ownership.PID: "99999999"}, {ownership.STARTED: "1"}, {}])
def test_what_a_gone_process_made_is_dead(change):
    """A process number that was given out again is told apart by when its process started."""
    marks = {**ownership.labels("run"), **change} if change else {ownership.RUN: "run"}

    assert ownership.is_dead(marks)


UNKNOWN = [
    (["openswan"], {}, "unknown target 'openswan'.*strongswan"),
    (["strongswan@potato"], {}, "unknown release 'potato'.*bookworm"),
    (["strongswan"], {"kernel": "wasm"}, "unknown kernel 'wasm'.*guest"),
    (["strongswan"], {"subnet": "198.18.0.0/30"}, "--subnet"),
]


@pytest.mark.parametrize(("specs", "options", "line"), UNKNOWN)
def test_what_there_is_not_is_refused_before_anything_is_touched(tmp_path, specs, options, line):
    with pytest.raises(SetupError, match=line) as caught:
        Lab(specs, output=tmp_path, peers=1, say=print, **options)

    assert "\n" not in str(caught.value)


def test_a_target_without_release_is_of_the_default_one():
    assert Spec.parse("libreswan").release == "trixie"


def test_guest_kernel_is_the_newest_that_the_release_can_run_or_one_that_is_built():
    old, new = Spec.parse("libreswan@bookworm"), Spec.parse("libreswan")

    assert old.recipe("auto").arguments["GUEST_RELEASE"] == "bookworm"
    assert new.recipe("auto").arguments == {}
    assert {each.recipe("built").arguments["GUEST_KERNEL"] for each in (old, new)} == {"built"}
    assert new.recipe("built").label != new.recipe("auto").label


REFUSALS = [
    ("write /var/x: no space left on device", "the disk is full"),
    ("pool overlaps", "pool overlaps"),
]


@pytest.mark.parametrize(("reason", "line"), REFUSALS)
def test_the_engines_refusal_becomes_one_line(reason, line):
    error = refused("the network cannot be made", APIError("500", explanation=reason))

    assert line in str(error)
    assert "the network cannot be made" in str(error)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    shutil.copytree(images.FOLDER, tmp_path / "docker")
    monkeypatch.setattr(images, "FOLDER", tmp_path / "docker")
    return images.Recipe("strongswan", "trixie", {"SECCOMP": "1"})


def test_an_images_version_is_what_it_is_built_from(recipe):
    version = recipe.digest("base")

    assert recipe.digest("base") == version
    assert recipe.digest("other base") != version
    assert images.Recipe("strongswan", "sid", recipe.arguments).digest("base") != version
    assert images.Recipe("strongswan", "trixie").digest("base") != version


@pytest.mark.parametrize("name", ["strongswan/ikeproof.conf", "guest/serve"])
def test_an_images_version_changes_with_its_files(recipe, name):
    version = recipe.digest("base")

    with (images.FOLDER / name).open("a") as file:
        file.write("\n")

    assert recipe.digest("base") != version


def test_an_images_version_changes_with_a_files_mode(recipe):
    version = recipe.digest("base")

    (images.FOLDER / "guest/serve").chmod(0o644)

    assert recipe.digest("base") != version


def test_the_engines_times_keep_their_fraction():
    assert parse_time("2026-11-23T23:45:13.380576976Z") == pytest.approx(
        1795477513.380577, abs=1e-6
    )
    assert parse_time("2026-11-23T23:45:13Z") == 1795477513


A, B, C = (ip_address(f"198.18.32.{number}") for number in (1, 2, 3))


def packet(to, octets):
    target = Endpoint(ip_address("198.18.0.16"), 500)
    return Packet(Carrier.UDP, target, Endpoint(to, 500), octets)


def test_the_inbox_gives_the_oldest_packet_to_those_who_are_asked_for():
    inbox = Inbox()
    for to, octets in ((A, b"1"), (B, b"2"), (A, b"3"), (C, b"4")):
        inbox.put(packet(to, octets))

    assert inbox.take([B, C]).octets == b"2"
    assert inbox.take([A, C]).octets == b"1"
    assert inbox.take([B]) is None
    assert [inbox.take([A, B, C]).octets for _ in range(2)] == [b"3", b"4"]
    assert inbox.take([A, B, C]) is None


def test_the_inbox_is_bounded_and_forgets_the_oldest():
    inbox = Inbox(most=2)
    for octets in (b"1", b"2", b"3"):
        inbox.put(packet(A, octets))

    assert [inbox.take([A]).octets for _ in range(2)] == [b"2", b"3"]


@pytest.fixture
def agent():
    """An agent whose far end is a shell here, as socat runs one in a target."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        for descriptor in (0, 1, 2):
            os.dup2(theirs.fileno(), descriptor)
        os.execvp("sh", ["sh"])
    theirs.close()
    with ours:
        yield Agent(ours)
    os.wait()


SCRIPTS = [
    ("true", 0, ""),
    ("false", 1, ""),
    ("printf x; (exit 7)", 7, "x"),
    ("echo one; echo two >&2", 0, "one\ntwo\n"),
    ("cat", 0, ""),
    ("no-such-program 2>/dev/null", 127, ""),
]


@pytest.mark.parametrize(("script", "status", "output"), SCRIPTS)
def test_the_agent_gives_a_scripts_status_and_output(agent, script, status, output):
    reply = agent.run(script)

    assert (reply.status, reply.output) == (status, output)
    assert agent.run("echo again").output == "again\n"


def test_the_agent_carries_long_scripts_and_outputs(agent):
    text = "x" * 60_000

    assert agent.check(f"printf %s {text}; printf %s {text}") == 2 * text


def test_a_script_that_must_succeed_and_does_not_is_the_labs_trouble(agent):
    with pytest.raises(Inconclusive, match="status 3 of: echo no; \\(exit 3\\)\nno"):
        agent.check("echo no; (exit 3)")


def test_a_shell_that_is_gone_is_the_labs_trouble(agent):
    with pytest.raises(Inconclusive, match="control shell"):
        agent.run("exit 0")


def test_a_late_answer_is_not_taken_for_that_of_the_next_script():
    """What a hung guest kernel says once it goes on again."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.01)
    agent = Agent(ours)
    with ours, theirs:
        with pytest.raises(Inconclusive, match="timed out"):
            agent.run("echo one")
        asked = theirs.recv(4096).decode()
        end = re.search(r"end-[0-9a-f]+", asked)[0]
        theirs.sendall(f"one\n\n{end} 0\n".encode())

        with pytest.raises(Inconclusive, match="timed out"):
            agent.run("echo two")


def test_one_script_at_a_time(agent):
    replies = {}

    def run(number):
        replies[number] = agent.run(f"echo {number}").output

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert replies == {number: f"{number}\n" for number in range(8)}
