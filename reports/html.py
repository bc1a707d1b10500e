"""The page of a run: one self-contained HTML file that asks no network for anything."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.model import Run
from reports.pages import page
from reports.verdicts import Verdict

_TEMPLATES = Path(__file__).with_name("templates")


def render(run: Run) -> str:
    """Give the page as text. Everything that comes from the run is escaped."""
    environment = _environment()
    policy = _policy(environment.get_template("report.js").render())
    template = environment.get_template("index.html.j2")
    return template.render(page=page(run), verdicts=list(Verdict), policy=policy)


def write_html(run: Run, path: Path) -> None:
    """Write the page of a run."""
    path.write_text(render(run), encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": _duration, "moment": _moment, "offset": _offset}
    return environment


def _policy(script: str) -> str:
    """Allow the page its own style and this very script, and nothing from anywhere else."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _moment(time: datetime) -> str:
    return f"{time.day} {time:%B %Y, %H:%M} {time.tzname()}"


def _offset(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    return f"{milliseconds:.1f} ms" if abs(seconds) < 10 else f"{seconds:.1f} s"
