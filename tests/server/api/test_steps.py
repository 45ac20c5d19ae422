"""The steps of a session, one span, and messages by their conditions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from tests.mcp.world import FAILED_TRACE, TOOL_SPAN, TROUBLE, fill
from tests.server.conversing import Talks


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    """A server with the sessions of the tools for agents."""
    folder: Path = tmp_path_factory.mktemp("steps")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    talks = Talks(f"chdb://{folder}", "steps", folder)
    fill(talks)
    yield talks
    talks.backend.close()
    client.close()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["invoke_agent", "execute_tool read_file"]),
        ("failed=true&kind=tool", ["execute_tool read_file"]),
        ("failed=false", []),
        ("q=INVOKE", ["invoke_agent"]),
        (f"trace_id={FAILED_TRACE:032x}&order=desc&limit=1", ["execute_tool read_file"]),
        (f"trace_id={1:032x}", []),
        ("sort=duration&limit=1&offset=1", ["execute_tool read_file"]),
    ],
)
def test_steps_by_condition(query: str, names: list[str], talks: Talks) -> None:
    """A page has the steps that meet all conditions, in the order that is asked for."""
    assert [step["name"] for step in talks.get(f"/sessions/broken/steps?{query}")["data"]] == names


def test_a_step_tells_what_went_wrong(talks: Talks) -> None:
    """A step has the message of its status, and the tools of the session are counted."""
    page = talks.get("/sessions/broken/steps?kind=tool")
    (step,) = page["data"]
    assert (step["message"], step["message_length"], step["tool"]) == (TROUBLE, len(TROUBLE), "read_file")
    assert page["tools"][0]["failed_count"] == 1
    span = talks.get(f"/traces/{FAILED_TRACE:032x}/spans/{TOOL_SPAN:016x}")["data"]
    assert span["status"]["message"] == TROUBLE


@pytest.mark.parametrize(
    "path",
    [
        "/sessions/nothing/steps",
        "/sessions/broken/steps?trace_id=x",
        f"/traces/{FAILED_TRACE:032x}/spans/{99:016x}",
        f"/traces/{FAILED_TRACE:032x}/spans/x",
        "/sessions/cheap/messages?trace_id=x",
    ],
)
def test_what_does_not_exist_or_is_not_valid(path: str, talks: Talks) -> None:
    """The answer is an error with a message."""
    assert talks.get(path)["error"]["message"]


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("role=user", [0, 2, 4]),
        ("turn=1", [2, 3]),
        ("q=ANSWER+1", [3]),
        ("role=assistant&turn=2", [5]),
        ("until=2026-01-01", []),
        ("since=2026-01-01&role=user&limit=1&offset=1", [2]),
    ],
)
def test_messages_by_condition(query: str, indexes: list[int], talks: Talks) -> None:
    """A message keeps its place in the whole conversation; the page counts those that meet all conditions."""
    page: Any = talks.get(f"/sessions/cheap/messages?{query}")
    assert [message["index"] for message in page["data"]] == indexes
