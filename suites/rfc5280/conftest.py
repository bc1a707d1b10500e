"""What the tests of RFC 5280 share."""

import pytest

from suites.revocation import Scene


@pytest.fixture
def scene(station):
    """Give who signs CRLs in a test."""
    return Scene.of(station.link.now())
