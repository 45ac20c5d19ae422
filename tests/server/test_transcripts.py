"""One conversation is one transcript, whatever dialect or instrumentation told it to the server, and wherever: in attributes, events or logs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from tests.content.telling import DIALECTS, fixture
from tests.server.conversing import AT, CALL, Talks, key_values, record, span

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.signals import TRACES

CAPTURES = sorted(Path(__file__).with_name("transcripts").glob("*.json"))
"""What real instrumentations sent of one script, alone and two or three at once; a file is a script."""

IN_A_SPAN = {"opentelemetry_event", "opentelemetry_message_events", "semantic_kernel"}
"""Dialects of log records that are written in the span of their call."""

WITHOUT_IMAGE = {"semantic_kernel": "its log records have the texts of a message only"}
"""Dialects that tell no image, with the reason."""

NO_WORDS = "it captured no content"
APART = {
    "openai-v2-chat": NO_WORDS,
    "openai-gen-responses": NO_WORDS,
    "anthropic-gen-create": NO_WORDS,
    "gemini-gen-man": NO_WORDS,
    "adk2-none": NO_WORDS,
    "openai-v2-tl-chat": "Traceloop ends the span of a stream that openai-v2 wraps before the answer has come",
    "agents-tl-chat": "it sends no answers; all but the last of a turn are repeated by the next call",
    "gemini-tl-man": "Traceloop has the last piece of a streamed answer alone",
    "gemini-gen-tl-man": "Traceloop has the last piece of a streamed answer alone",
}
"""Captures whose transcript differs from that of the others, with what their emitter does."""

_databases = count()


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    """A server that all of it is sent to."""
    folder = tmp_path_factory.mktemp("transcripts")
    engine = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    talks = Talks(f"chdb://{folder}", "transcripts", folder)
    yield talks
    talks.backend.close()
    engine.close()


def in_dialect(talks: Talks, path: Path, number: int) -> None:
    """Send the conversation of a fixture as a session of its name."""
    told = fixture(path)
    service = told.get("service") or "app"
    session = {"session.id": path.stem}
    if "span" in told:
        events = [{"name": name, "attributes": key_values(said)} for name, said in told["span"]["events"]]
        talks.send(span(number, number, {**session, **told["span"]["attributes"]}, events=events), service=service)
        return
    where = {}
    if path.stem in IN_A_SPAN:
        talks.send(span(number, number, {**CALL, **session}), service=service)
        where = {"traceId": f"{number:032x}", "spanId": f"{number:016x}"}
        session = {}
    for place, one in enumerate(told["records"]):
        body = key_values({"body": one["body"]})[0]["value"] if one["body"] is not None else None
        made = record(
            {**session, **one["attributes"]},
            event=one["event_name"],
            at=AT + place,
            **({"body": body} if body else {}),
            **where,
        )
        talks.send_logs(made, service=service)


@pytest.fixture(scope="module")
def dialects(talks: Talks) -> dict[str, list[Any]]:
    """By dialect, the messages of the conversation."""
    for number, path in enumerate(DIALECTS, 1):
        in_dialect(talks, path, number)
    return {path.stem: [_without_types(one) for one in talks.messages(path.stem)] for path in DIALECTS}


def _without_types(message: dict[str, Any]) -> tuple[Any, ...]:
    """What a message says, without the types of media, which not all dialects tell."""
    parts = [{name: value for name, value in part.items() if name != "mime_type"} for part in message["parts"]]
    return message["role"], message["branch"], message["turn"], message["lane"], parts


@pytest.mark.parametrize("dialect", [path.stem for path in DIALECTS])
def test_every_dialect(dialects: dict[str, list[Any]], dialect: str) -> None:
    """System, user with an image, tool call, tool answer and answer are equal in every dialect, ids of tools included."""
    expected = list(dialects["opentelemetry_structured"])
    assert [one[0] for one in expected] == ["system", "user", "assistant", "tool", "assistant"]
    if dialect in WITHOUT_IMAGE:
        role, branch, turn, lane, parts = expected[1]
        expected[1] = role, branch, turn, lane, parts[:1]
    assert dialects[dialect] == expected


def transcript(talks: Talks, name: str, capture: dict[str, Any]) -> list[Any]:
    """The messages of a captured session; ids of tools, and blanks at the ends of texts, are those of the run."""
    talks.backend.receive(TRACES, json.dumps(capture["otlp"]).encode(), Format.JSON)
    return [
        (one["role"], one["turn"], one["branch"], one.get("content"), [_part(part, name) for part in one["parts"]])
        for one in talks.messages(capture["session"])
    ]


def _part(part: dict[str, Any], name: str) -> str:
    told = json.dumps({key: value for key, value in part.items() if key != "id"}, sort_keys=True)
    told = re.sub(rf"(S=)?{re.escape(name)}-1", "S", told)
    return re.sub(r'\s+"', '"', told)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_every_instrumentation(talks: Talks, path: Path) -> None:
    """A script is one transcript, plain and streamed, with tools, told by one, two or three instrumentations at once."""
    captures = json.loads(path.read_text(encoding="utf-8"))["captures"]
    told = {name: transcript(talks, name, capture) for name, capture in captures.items()}
    alike = {name: found for name, found in told.items() if name not in APART}
    expected = next(iter(alike.values()))
    assert {"user", "assistant", "tool"} <= {role for role, *_ in expected}
    assert alike == dict.fromkeys(alike, expected)
    assert [name for name, found in told.items() if name in APART and found == expected] == []
    silent = {name: found for name, found in told.items() if APART.get(name) == NO_WORDS}
    assert [name for name, found in silent.items() if not found or any(parts for *_, parts in found)] == []
