"""What the hooks and the fixtures of a run keep for each other."""

from __future__ import annotations

import pytest

from reports.recorder import Case
from suites.session import Session

SESSION = pytest.StashKey[Session]()
CASE = pytest.StashKey[Case]()
STARTED = pytest.StashKey[float]()
MORE_CONFIGURATION = pytest.StashKey[str]()
"""What the target was told besides, for a second peer."""
ERROR = pytest.StashKey[tuple[BaseException, bool]]()
"""What ended a test, and whether that was in the test proper."""
