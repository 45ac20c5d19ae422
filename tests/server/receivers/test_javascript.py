"""Spans of the official JavaScript exporters, JSON and protobuf, read back from the store as they were sent."""

from __future__ import annotations

import math
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import processes
from tests.processes import ROOT
from tests.server.receivers.reading import stored_span
from tests.server.receivers.serving import DEADLINE, Server

from otel_sessions.server.queries.spans import session_spans

INSTALL = ROOT / ".ci" / "install-javascript"
SCRIPT = Path(__file__).with_name("javascript") / "send.js"
REQUIRE = "OTEL_SESSIONS_REQUIRE_JAVASCRIPT"

TRACE_ID, SPAN_ID = "0123456789abcdef0123456789abcdef", "0123456789abcdef"
START = 1_795_000_000_000_000_000
ATTRIBUTES: dict[str, Any] = {
    "text": "plain",
    "unicode": "Grüße 😀 \u0000 <script>alert(1)</script>",
    "no text": "",
    "true": True,
    "false": False,
    "zero": 0,
    "number": -42,
    "safe integer": 2**53 - 1,
    "large integer": 2**62,
    "too large for an integer": 1e20,
    "largest": sys.float_info.max,
    "double": 0.1,
    "small": 5e-324,
    "texts": ["a", "", "ü"],
    "numbers": [1, -2],
    "mixed": [1, 2.5],
    "bools": [True, False],
    "holes": ["a", None],
    "none": [],
    "bytes": b"\x00\xff",
    "map": {"a": 1, "b": {"c": [True, 0.5, "x"]}},
    "not a number": math.nan,
    "infinite": -math.inf,
    **{f"too many {number}": number for number in range(12)},
}
AS_JSON = {"not a number": None, "infinite": None, "large integer": 4_611_686_018_427_388_000}
"""The values that `JSON.stringify` writes for these: `null`, and the shortest digits that JavaScript reads back."""


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder of the installed exporters; skips without them, or fails where they are required."""
    printed = processes.run(INSTALL, "--path")
    assert printed.returncode == 0, printed.stderr
    folder = Path(printed.stdout.strip())
    if shutil.which("node") is None:
        advice = "Node.js is not installed: see https://nodejs.org, then run `.ci/install-javascript`"
    elif not folder.exists():
        advice = "the JavaScript exporters are not installed: run `.ci/install-javascript` (needs Node.js and npm)"
    else:
        return folder / "node_modules"
    if os.environ.get(REQUIRE):
        pytest.fail(f"{advice}; {REQUIRE} is set")
    pytest.skip(advice)


@pytest.mark.parametrize("kind", ["http", "proto"])
def test_spans_read_back_as_sent(modules: Path, shared: Server, kind: str) -> None:
    """Every attribute type, events, links, flags, dropped counts, resource and scope are stored, in both formats."""
    session = f"javascript-{kind}"
    environment = processes.environment(NODE_PATH=str(modules))
    sent = processes.run("node", SCRIPT, kind, f"{shared.url}/v1/traces", session, env=environment, timeout=DEADLINE)
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, "", "")
    shared.backend.settle()
    (row,) = session_spans(shared.backend.store, session).spans
    span = stored_span(row)
    assert int(span.pop("span_id"), 16)
    resource = span.pop("resource")
    assert (resource["service.name"], resource["texts"], resource["number"]) == ("shop", ["a", "b"], 1)
    attributes = {"session.id": session, **ATTRIBUTES, **(AS_JSON if kind == "http" else {})}
    assert repr(span.pop("attributes")) == repr(attributes)
    link = (TRACE_ID, SPAN_ID, "vendor=state")
    assert span == {
        "trace_id": TRACE_ID,
        "parent_id": SPAN_ID,
        "trace_state": "vendor=state",
        "name": "everything",
        "kind": "Producer",
        "start": START + 123_456_789,
        "end": START + 1_000_000_005,
        "status": ("Error", "went wrong"),
        "flags": 0x301,
        "dropped": (8, 1, 1),
        "events": [(START + 200_000_000 + number, f"event {number}", {"a": number, "b": 0.5}, 1) for number in (1, 2)],
        "links": [(*link, {"link": 1, "ratio": 0.5}, 0, 0x301), (*link, {}, 0, 0x301)],
        "resource_schema": "",
        "scope": ("scope", "1.2", "https://example.com/scope"),
        "scope_attributes": {},
    }


@pytest.mark.parametrize("required", [False, True])
def test_without_the_exporters_tests_skip_and_say_how_to_get_them(tmp_path: Path, *, required: bool) -> None:
    """Without the exporters tests skip and name the command to install them, or fail where they are required."""
    environment = processes.environment(**{"XDG_CACHE_HOME": str(tmp_path), REQUIRE: "1" if required else ""})
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", __file__]
    result = processes.run(*pytest_command, "-k", "read_back and http", env=environment)
    assert "install-javascript" in result.stdout
    assert ("1 skipped" in result.stdout) is not required
    assert (result.returncode == 0) is not required


def test_installing_needs_npm(tmp_path: Path) -> None:
    """Without npm the script says what to install, and leaves nothing behind."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "sha256sum", "shasum", "cut", "mkdir", "mktemp", "rm"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    result = processes.run(INSTALL, env={"PATH": str(tools), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert (result.returncode, result.stdout) == (1, "")
    assert "nodejs.org" in result.stderr
    assert not (tmp_path / "cache").exists()
