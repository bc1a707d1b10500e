"""Every format of a run's report, from one call."""

from __future__ import annotations

from pathlib import Path

from reports.allure import write_allure
from reports.html import write_html
from reports.junit import write_junit
from reports.model import Run


def write_all(run: Run, folder: Path) -> list[Path]:
    """Write results.json, index.html, junit.xml and allure-results/ into a run's folder.

    Gives their paths in this order. The results come first: whatever fails later, they are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results, page = folder / "results.json", folder / "index.html"
    junit, allure = folder / "junit.xml", folder / "allure-results"
    run.dump(results)
    write_html(run, page)
    write_junit(run, junit)
    write_allure(run, allure, folder)
    return [results, page, junit, allure]
