"""The second witness: impaired targets, and who saw them."""

import pytest

from peers.lab.errors import SetupError
from peers.lab.lab import Spec
from peers.stations import check_spec
from peers.targets.impairments import IMPAIRMENTS
from reports.verdicts import Verdict
from suites.selftest.reports_sample import result
from suites.witness import red_cases, sighting


def test_a_target_may_be_impaired():
    spec = Spec.parse("libreswan@trixie!minor-version")
    assert (spec.name, spec.release, spec.impairment) == ("libreswan", "trixie", "minor-version")
    assert spec.container == "libreswan-trixie-minor-version"
    check_spec("libreswan!minor-version")


@pytest.mark.parametrize("text", ["libreswan!no-such-thing", "strongswan!minor-version"])
def test_what_cannot_be_impaired_so_is_refused_with_the_list(text):
    with pytest.raises(SetupError, match="minor-version, major-version"):
        check_spec(text)


def test_twenty_impairments_break_a_requirement():
    assert len(IMPAIRMENTS) >= 20
    assert all(each.words and each.breaks.startswith("RFC") for each in IMPAIRMENTS.values())


def _case(number, verdict):
    return result(number, "libreswan", verdict, "why", id=f"suites/test_x.py::test_a[{number}]")


def test_only_what_was_not_red_before_is_a_sighting():
    before = [_case(0, Verdict.DEVIATES), _case(1, Verdict.CONFORMS), _case(2, Verdict.CONFORMS)]
    after = [
        _case(0, Verdict.DEVIATES),
        _case(1, Verdict.DIFFERS),
        _case(2, Verdict.INCONCLUSIVE),
    ]

    said = sighting("minor-version", after, red_cases(before))

    assert said.red == ("suites/test_x.py::test_a",)
    assert said.rows == after[1].requirements[:1]
    assert sighting("minor-version", before, red_cases(before)).red == ()
