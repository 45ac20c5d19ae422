"""No text that is stored acts on a terminal, whatever command shows it, on a terminal and in a pipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.cli.answering import Answer, Answering, Asked, Stream, page
from tests.cli.sending import a_call, a_log, a_message
from tests.cli.terminal import acts_on_a_terminal, in_pipe, in_terminal
from tests.cli.test_get import SESSION

SAMPLES = (
    "\x1b[2J",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x9d52;c;aGk=\x9c",
    "\x1bP+q544e\x1b\\",
    "\r",
    "\b\b",
    "\x7f",
    "\x00",
    "\u202etxt",
    "\u2066\u2069",
    "\u2028\u2029",
    "\u200f",
    "\ud800",
    "\n",
    "\t",
    "日本語",
)
TEXTS = st.text(st.characters(codec=None) | st.sampled_from("\x1b\x9b\r\n\x07\u202e"), max_size=20)
HOSTILE = st.lists(st.sampled_from(SAMPLES) | TEXTS, min_size=1, max_size=6).map("".join)

COMMANDS = (
    ("list",),
    ("list", "--fields", "id,title,models"),
    ("get", "x"),
    ("calls", "x"),
    ("messages", "x"),
    ("messages", "x", "--full"),
    ("logs", "x"),
    ("tail", "--once"),
    ("query", "SELECT 1"),
    ("query", "SELECT 1", "--csv"),
    ("score", "x", "name", "1"),
    ("annotate", "x", "note"),
    ("rename", "x", "name"),
    ("rm", "x", "--yes"),
    ("open", "x", "--no-browser"),
)


@dataclass
class Told:
    """What the server says wherever it can say a text."""

    text: str = ""

    def hostile(self, value: Any) -> Any:
        """The value with the text in place of its texts, except for times, amounts and what tells kinds of parts apart."""
        if isinstance(value, dict):
            kept = ("type", "content") if value.get("content") == "not captured" else ("type",)
            told = {
                name if name.isidentifier() else self.text: one if name in kept else self.hostile(one)
                for name, one in value.items()
            }
            # The id of a session is always valid UTF-8.
            return {**told, "id": self.text.encode(errors="replace").decode()} if "span_count" in told else told
        if isinstance(value, list):
            return [self.hostile(one) for one in value]
        if isinstance(value, str) and not value[:4].isdigit() and not value.replace(".", "").isdigit():
            return self.text
        return value

    def answer(self, asked: Asked) -> Answer:
        """A server whose texts are all this one."""
        part = asked.path.rpartition("/")[2]
        if asked.method != "GET":
            if part == "query":
                return 200, {"columns": ["a", self.text], "data": [["b", self.text], [1, [self.text]]]}
            return 200, {"data": self.hostile({"id": "x", "span_count": 1, "text": "y"})}
        if part == "live":
            changed = json.dumps({"sessions": [{"key": "id", "id": "x"}], "more": False})
            return 200, Stream([":\n\n", f"data: {changed}\n\n"])
        if part in ("messages", "logs", "calls", "sessions"):
            found = {
                "messages": [
                    a_message(0, "user", "x", lane="x", branch=1, fork={"kind": "x", "index": 0}, call=a_call()),
                    a_message(1, "x", {"type": "tool_call", "id": "x", "name": "x", "arguments": {"x y": "x"}}),
                    a_message(2, "tool", {"type": "tool_call_response", "id": "x", "content": "x"}, {"type": "x"}),
                    a_message(3, "user", {"type": "media", "modality": "x", "mime_type": "x", "uri": "x"}),
                    a_message(4, "assistant", content="not captured", switch="x"),
                ],
                "logs": [a_log("x", event_name="x"), a_log({"x y": ["x"]})],
                "calls": [a_call(lane="x", cost_note="x"), a_call(counted=False, reason="x")],
                "sessions": [SESSION],
            }[part]
            return page(self.hostile(found))
        return 200, {"data": {**self.hostile(SESSION), "span_count": asked.path.count("x")}}


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Told, str]]:
    """The server, and its address."""
    told = Told()
    with Answering(told.answer) as server:
        yield told, server.url


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@given(text=HOSTILE)
@example(text="".join(SAMPLES))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_acts_on_a_terminal(
    told: tuple[Told, str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], text: str
) -> None:
    """Lines have no control character but tabs in a pipe, and on a terminal they are no wider than it."""
    server, url = told
    server.text = text
    shown = in_terminal(monkeypatch, 60, *command, "--url", url)
    assert shown.status == 0, shown.err
    lines = shown.out.split("\n")
    assert not any(map(acts_on_a_terminal, [*lines, *shown.err.split("\n")])), shown.out
    if "--csv" not in command and command[0] not in ("score", "annotate", "rename", "rm", "open"):
        assert max(map(cell_len, lines)) <= 60
    piped = in_pipe(*command, "--url", url)
    assert piped.status == 0, piped.err
    assert not any(map(acts_on_a_terminal, piped.out.replace("\t", "").split("\n"))), piped.out


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one[0] in ("list", "get", "messages", "logs", "query")], ids=" ".join
)
@given(text=HOSTILE)
@example(text="".join(SAMPLES))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_json_has_the_texts_as_they_are(told: tuple[Told, str], command: tuple[str, ...], text: str) -> None:
    """JSON reads back as what is stored, and is written without characters that act on a terminal."""
    server, url = told
    server.text = text
    ran = in_pipe(*[one for one in command if one != "--csv"], "--jsonl", "--url", url)
    assert ran.status == 0, ran.err
    assert not any(map(acts_on_a_terminal, ran.out.split("\n")))
    assert text in texts_of(json.loads(ran.out.splitlines()[0]))


def texts_of(value: Any) -> list[str]:
    """All texts in a value, also its names."""
    if isinstance(value, dict):
        return [one for pair in value.items() for part in pair for one in texts_of(part)]
    if isinstance(value, list):
        return [one for part in value for one in texts_of(part)]
    return [value] if isinstance(value, str) else []
