"""Pricing again shows on a terminal how far it is."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from otel_sessions.cli.recomputing import recompute_prices


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


class Double:
    """A server that prices two of four traces for each request."""

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Price two more."""
        done, following = (4, None) if "cursor" in body else (2, "next")
        counts = {"trace_count": 2, "changed_trace_count": 1, "done": done, "total": 4}
        return {"data": {**counts, "costs": [], "next": following}}


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar counts the traces of all requests."""
    for name, value in {"TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    client: Any = Double()
    assert recompute_prices(client, {}).to_dict() == {"trace_count": 4, "changed_trace_count": 2, "costs": []}
    assert "traces" in stderr.getvalue()
    assert "4/4" in stderr.getvalue()
