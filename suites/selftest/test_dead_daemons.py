"""A daemon that is found dead when its connection is unloaded ended because of the test."""

from types import SimpleNamespace

import pytest

from peers.reference.errors import Inconclusive
from suites import fixtures
from suites.stash import CASE


class Target:
    """A target whose control interface refuses, alive or not, on a machine that answers or not."""

    def __init__(self, alive, reachable=True):
        self._alive = alive
        self._reachable = reachable
        self.restarts = 0

    def forget(self, connection):
        raise Inconclusive("connection refused")

    def reachable(self):
        return self._reachable

    def alive(self):
        return self._alive

    def restart(self):
        self.restarts += 1


def _case():
    case = SimpleNamespace(daemon_died=False, record=None)
    return case, SimpleNamespace(stash={CASE: case})


def test_a_dead_daemon_is_a_finding_and_is_started_again():
    target = Target(alive=False)
    case, node = _case()

    fixtures._forget(node, SimpleNamespace(target=target), None)

    assert case.daemon_died
    assert target.restarts == 1


def test_a_refusal_by_a_living_daemon_is_the_labs_trouble():
    target = Target(alive=True)
    case, node = _case()

    with pytest.raises(Inconclusive):
        fixtures._forget(node, SimpleNamespace(target=target), None)

    assert not case.daemon_died
    assert target.restarts == 0


def test_a_machine_that_hangs_is_no_finding_and_is_started_anew():
    target = Target(alive=False, reachable=False)
    case, node = _case()

    fixtures._forget(node, SimpleNamespace(target=target), None)

    assert not case.daemon_died, "the lab's trouble is put down to the daemon"
    assert target.restarts == 1
