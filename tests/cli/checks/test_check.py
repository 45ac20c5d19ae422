"""The questions of `doctor`, and the page that lists them."""

from __future__ import annotations

import re
from pathlib import Path

from otel_sessions.cli.checks.check import counted
from otel_sessions.cli.examination import CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"


def test_the_page_has_every_check() -> None:
    """The table has the name and the question of each, in their order, after the one whether a server answers."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows[1:] == [(check.name, check.question) for check in CHECKS]
    assert rows[0][0] == "server"


def test_counts_have_their_plural() -> None:
    """One thing has none."""
    assert (counted(1, "span"), counted(0, "span"), counted(2_000, "span")) == ("1 span", "0 spans", "2,000 spans")
