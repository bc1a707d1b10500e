"""The secret that a value outside the subgroup makes is one of the two that a test tries."""

import pytest

from peers.reference.errors import InvalidPublicValue
from peers.reference.key_exchange import modp
from peers.reference.key_exchange.subgroups import SUBGROUPS
from suites.small_subgroups import NegatedSeventhPower, SeventhPower


@pytest.mark.parametrize("group", SUBGROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize(("private", "even"), [(2**160 - 2, True), (2**160 - 1, False)])
def test_who_uses_the_value_has_the_secret_that_goes_with_its_private_value(group, private, even):
    half = NegatedSeventhPower(group, even=even)
    used = int.from_bytes(half.public, "big")

    secret = modp.GROUPS[group].power(private, used)

    assert half.shared(modp.GROUPS[group].power(private)) == secret
    other = NegatedSeventhPower(group, even=not even)
    assert other.shared(modp.GROUPS[group].power(private)) != secret


@pytest.mark.parametrize("group", SUBGROUPS, ids=lambda group: group.name)
def test_only_the_negated_value_is_outside_the_subgroup(group):
    modp.GROUPS[group].check(SeventhPower(group).public)
    with pytest.raises(InvalidPublicValue, match="outside the subgroup"):
        modp.GROUPS[group].check(NegatedSeventhPower(group, even=True).public)
