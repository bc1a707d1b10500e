"""What the tests of redirects share."""

import pytest


@pytest.fixture
def second(station, family, peer):
    """Give another address of the peer: that of a second gateway."""
    address = station.addresses.of(family)[1]
    peer.also_at(address)
    return address
