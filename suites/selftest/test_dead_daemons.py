"""A daemon that is found dead when its connection is unloaded ended because of the test."""

from types import SimpleNamespace

import pytest

from peers.reference.errors import Inconclusive


class Target:
    """A target whose control interface refuses, alive or not."""

    def __init__(self, alive):
        self._alive = alive
        self.restarts = 0

    def forget(self, connection):
        raise Inconclusive("connection refused")

    def alive(self):
        return self._alive

    def restart(self):
        self.restarts += 1


@pytest.fixture
def conftest(request):
    plugins = request.config.pluginmanager.get_plugins()
    return next(each for each in plugins if hasattr(each, "pytest_runtestloop")
                and hasattr(each, "_forget"))  # fmt: skip


def _case(conftest):
    case = SimpleNamespace(daemon_died=False)
    return case, SimpleNamespace(stash={conftest.CASE: case})


def test_a_dead_daemon_is_a_finding_and_is_started_again(conftest):
    target = Target(alive=False)
    case, node = _case(conftest)

    conftest._forget(node, SimpleNamespace(target=target), None)

    assert case.daemon_died
    assert target.restarts == 1


def test_a_refusal_by_a_living_daemon_is_the_labs_trouble(conftest):
    target = Target(alive=True)
    case, node = _case(conftest)

    with pytest.raises(Inconclusive):
        conftest._forget(node, SimpleNamespace(target=target), None)

    assert not case.daemon_died
    assert target.restarts == 0
