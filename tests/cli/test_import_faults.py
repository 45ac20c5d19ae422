"""Imports that end early, or leave parts out: what is told, and the status."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from tests.cli.terminal import in_pipe
from tests.server.otlp.building import as_json, traces

from otel_sessions.cli import import_files
from otel_sessions.cli.errors import INTERRUPTED
from otel_sessions.cli.files import compressed


class Double:
    """A server that takes everything."""

    url = "http://double"

    def send(self, path: str, body: bytes, **_: Any) -> bytes:
        """Take a request."""
        return b""


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports go to a double."""
    monkeypatch.setattr(import_files, "asking", lambda *_: nullcontext(Double()))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a request of two spans, one of which is wrong, and a request of one span."""
    said = json.loads(as_json(traces({"name": "wrong"}, {"name": "right"})))
    said["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] = []
    path = tmp_path / "spans.jsonl"
    path.write_bytes(json.dumps(said).encode() + b"\n" + as_json(traces({"name": "later"})) + b"\n")
    return path


def test_a_part_that_is_left_out(file: Path) -> None:
    """A wrong span costs itself alone, and the import says so; a strict one stops there."""
    lenient, strict = in_pipe("import", str(file)), in_pipe("import", "--strict", str(file))
    assert (lenient.status, strict.status) == (1, 1)
    assert f"{file}: line 1: " in lenient.err
    assert "imported 2 spans and 0 log records; 1 part was left out" in lenient.err
    assert "imported 1 span and 0 log records; 1 part was left out" in strict.err


def test_only_the_first_parts_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """All parts that are left out are counted, and only the first are told one by one."""
    tally = import_files.Tally(strict=False)
    for number in range(import_files.MOST_SHOWN + 5):
        tally.leave_out("file", f"line {number}", "no")
    assert tally.left_out == import_files.MOST_SHOWN + 5
    assert capsys.readouterr().err.count("file: line ") == import_files.MOST_SHOWN


def test_interrupted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C says what was imported, and how to go on."""

    def interrupted(name: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(compressed, "opened", interrupted)
    ran = in_pipe("import", str(file))
    assert ran.status == INTERRUPTED
    assert ran.error == ("imported 0 spans and 0 log records; interrupted, run the same command again to go on")


def test_a_file_that_cannot_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file and what the system says of it."""

    def refused(name: str) -> Any:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(compressed, "opened", refused)
    ran = in_pipe("import", str(file))
    assert ran.status == 1
    assert ran.error.startswith(f"{file} cannot be read: Permission denied; imported 0 spans")
