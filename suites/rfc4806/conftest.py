"""What the tests of RFC 4806 share."""

import pytest

from suites.revocation import Scene


@pytest.fixture
def scene(station):
    """Give who signs responses in a test."""
    return Scene.of(station.link.now())
