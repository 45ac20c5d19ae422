"""What was said in sessions is read, searched, removed, dropped and rebuilt."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from tests.server.conversing import AT, CALL, SECOND, Talks, call, record, said, span, turns
from tests.server.dying_store import dying_at

DAY = 86_400 * SECOND
_databases = count()

TALK = [
    ("user", "Question 0 "),
    ("assistant", "Answer 0 "),
    ("user", "Question 1 "),
    ("assistant", "Answer 1 "),
    ("user", "Question 2 "),
    ("assistant", "Answer 2 "),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("messages")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def talks(engine: str, tmp_path: Path) -> Iterator[Talks]:
    """An empty server."""
    talks = Talks(engine, f"messages_{next(_databases)}", tmp_path)
    yield talks
    talks.backend.close()


def test_each_message_once(talks: Talks) -> None:
    """Every call repeats the history; the conversation has each message once, an answer with its call."""
    talks.send(*turns("s", 3))
    assert talks.told("s") == TALK
    messages = talks.messages("s")
    assert [one["index"] for one in messages] == list(range(6))
    assert [one["turn"] for one in messages] == [0, 0, 1, 1, 2, 2]
    assert [one["call"] and one["call"]["input_tokens"] for one in messages] == [None, 12] * 3
    assert talks.rows("messages") == 6


def test_in_any_order_any_number_of_times(talks: Talks) -> None:
    """Spans in any order, in any number of requests, some of them twice, also after a restart, tell the same."""
    spans = turns("s", 3)
    talks.send(*turns("t", 3))
    expected = talks.messages("t")
    rng = random.Random(7)
    for _ in range(2):
        for one in rng.sample([*spans, *spans], 6):
            talks.send(one)
        talks.messages("s")
        talks.reopen()
    assert [without_ids(one) for one in talks.messages("s")] == [without_ids(one) for one in expected]
    assert talks.rows("message_chains") == 6


def without_ids(message: dict[str, Any]) -> dict[str, Any]:
    """A message without the ids of its trace and span."""
    return {**message, "trace_id": None, "call": message["call"] and {**message["call"], "trace_id": None}}


def test_pages(talks: Talks) -> None:
    """Pages follow one another by cursor and by offset; a session that does not exist is 404, an index that it lacks too."""
    talks.send(*turns("s/a", 3))
    first = talks.get("/sessions/s%2Fa/messages?limit=4")
    assert first["pagination"]["total"] == 6
    rest = talks.get(f"/sessions/s%2Fa/messages?limit=4&cursor={first['pagination']['next']}")
    assert [one["index"] for one in first["data"] + rest["data"]] == list(range(6))
    assert rest["pagination"]["next"] is None
    assert talks.get("/sessions/s%2Fa/messages?offset=5")["data"] == rest["data"][1:]
    assert talks.get("/sessions/s%2Fa/messages/5")["data"] == rest["data"][1]
    assert talks.client.get("/v1/sessions/s%2Fa/messages/6").status_code == 404
    assert talks.client.get("/v1/sessions/none/messages").status_code == 404
    assert talks.client.get("/v1/sessions/none/messages/0").status_code == 404


def test_a_message_of_5_mb(talks: Talks) -> None:
    """A page shows the beginning of a huge part, and its size; the whole of it is at its index. It is searched to its end."""
    text = "x" * 5_000_000 + " quasar"
    talks.send(span(1, 1, call([said("user", text)], [said("assistant", "ok")], session_id="s")))
    first, _ = talks.messages("s")
    assert (len(first["parts"][0]["content"]), first["size"], first["truncated"]) == (20_000, len(text), True)
    whole = talks.get("/sessions/s/messages/0")["data"]
    assert (whole["parts"][0]["content"], whole["truncated"]) == (text, False)
    assert talks.found("QUASAR") == ["s"]


def test_pages_are_bounded(talks: Talks) -> None:
    """A page ends where its messages are larger than a page may be, and the next one goes on."""
    for number in range(4):
        given = [said("user", str(number) + "x" * 6_000_000)]
        talks.send(span(number + 1, 1, call(given, [said("assistant", "ok")], session_id="s"), at=AT + number * SECOND))
    page = talks.get("/sessions/s/messages")
    assert [one["index"] for one in page["data"]] == list(range(4))
    assert page["pagination"]["total"] == 8
    rest = talks.get(f"/sessions/s/messages?cursor={page['pagination']['next']}")
    assert [one["index"] for one in rest["data"]] == list(range(4, 8))


def test_many_traces(talks: Talks) -> None:
    """A session of 5,000 traces has all its messages, in their order."""
    spans = [
        span(
            number + 1,
            1,
            call([said("user", f"Question {number}")], [said("assistant", f"Answer {number}")], session_id="s"),
            at=AT + number * SECOND,
        )
        for number in range(5_000)
    ]
    talks.send(*spans)
    page = talks.get("/sessions/s/messages?limit=2&offset=9998")
    assert page["pagination"]["total"] == 10_000
    assert [one["parts"][0]["content"] for one in page["data"]] == ["Question 4999", "Answer 4999"]


@pytest.mark.parametrize(
    "given",
    [
        "not JSON",
        "[",
        "{}",
        "[]",
        "null",
        "7",
        '"text"',
        '[["a"]]',
        '{"a": {"b": [1, null]}}',
        '[{"role": "martian", "content": "hi"}]',
        '[{"role": 7}]',
        "\ud800",
    ],
)
def test_what_is_no_message(talks: Talks, given: str) -> None:
    """Whatever a value is, the span is stored and counted, and its conversation can be read."""
    attributes = {**CALL, "session.id": "s", "gen_ai.input.messages": given.encode("utf-8", "replace").decode()}
    talks.send(span(1, 1, attributes))
    assert talks.get("/sessions/s")["data"]["input_tokens"] == 12
    assert talks.client.get("/v1/sessions/s/messages").status_code == 200


def test_half_a_character(talks: Talks) -> None:
    """JSON can name half of a character, which no text can hold; it is replaced."""
    talks.send(span(1, 1, call([said("user", "half \ud83d here")], [], session_id="s")))
    assert talks.told("s")[0] == ("user", "half \ufffd here")
    assert talks.found("\ufffd here") == ["s"]


def test_not_captured(talks: Talks) -> None:
    """A call whose content was not sent is there without parts, and says so."""
    talks.send(span(1, 1, {**CALL, "session.id": "s"}))
    (message,) = [one for one in talks.messages("s") if one["role"] == "assistant"]
    assert (message["parts"], message["content"]) == ([], "not captured")
    assert message["call"]["output_tokens"] == 3
    assert message["switch"] is None


def test_how_to_have_content_sent(talks: Talks) -> None:
    """Where content was not captured, the switch of the program that made the call is named; where it was, none is."""
    talks.send(span(1, 1, {**CALL, "session.id": "s"}), scope="gcp.vertex.agent")
    talks.send(
        span(2, 2, call([said("user", "Hi")], [said("assistant", "Ho")], session_id="told")), scope="gcp.vertex.agent"
    )
    for _ in range(2):
        (answer,) = [one for one in talks.messages("s") if one["role"] == "assistant"]
        assert (answer["content"], answer["switch"]) == (
            "not captured",
            "set ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS=true",
        )
        assert {one["switch"] for one in talks.messages("told")} == {None}
        talks.rebuild()


def send_events(talks: Talks) -> None:
    """Send a conversation in span events, and one in log records that are not counted."""
    events = [
        {
            "name": "gen_ai.user.message",
            "attributes": [{"key": "content", "value": {"stringValue": "Why is Zürich wet?"}}],
        },
        {"name": "gen_ai.choice", "attributes": [{"key": "message", "value": {"stringValue": '{"content": "Rain"}'}}]},
    ]
    talks.send(span(1, 1, {**CALL, "session.id": "events"}, events=events))
    talks.send(span(2, 2, {**CALL, "session.id": "logs"}))
    in_span = {"traceId": f"{2:032x}", "spanId": f"{2:016x}"}
    talks.send_logs(
        record({}, event="gen_ai.user.message", at=AT + 1, body={"stringValue": '{"content": "A quasar?"}'}, **in_span),
        record(
            {}, event="gen_ai.choice", at=AT + 2, body={"stringValue": '{"message": {"content": "Bright"}}'}, **in_span
        ),
    )


def test_span_events_and_log_records(talks: Talks) -> None:
    """Messages in span events, and in log records that are known by their span alone, are read, found and rebuilt."""
    send_events(talks)
    for _ in range(2):
        assert talks.told("events") == [("user", "Why is Zürich wet?"), ("assistant", "Rain")]
        assert talks.told("logs") == [("user", "A quasar?"), ("assistant", "Bright")]
        assert (talks.found("zÜRICH"), talks.found("quasar")) == (["events"], ["logs"])
        talks.rebuild()


def agent_records(session: str) -> list[Any]:
    """What Claude Code sends of one turn, in no trace."""
    at = {"session.id": session, "prompt.id": f"p {session}"}
    return [
        record({**at, "event.name": "user_prompt", "prompt": f"Fix the {session} build", "prompt_length": 9}, at=AT),
        record(
            {
                **at,
                "event.name": "api_request",
                "model": "claude-sonnet-4-5",
                "input_tokens": 10,
                "output_tokens": 5,
                "duration_ms": 900,
                "request_id": f"r {session}",
            },
            at=AT + 2 * SECOND,
        ),
        record({**at, "event.name": "assistant_response", "response": "Done"}, at=AT + 2 * SECOND + 1),
    ]


AGENT = {"scope": "com.anthropic.claude_code.events", "service": "claude-code"}


def test_records_of_an_agent(talks: Talks) -> None:
    """The words of an agent's log records in no trace are its conversation, live and rebuilt."""
    talks.send_logs(*agent_records("alpha"), **AGENT)
    for _ in range(2):
        assert talks.told("alpha") == [("user", "Fix the alpha build"), ("assistant", "Done")]
        assert talks.found("fix the ALPHA b") == ["alpha"]
        talks.rebuild()


@pytest.mark.parametrize(
    "text", ["Question 1", "qUESTION 1", "uestion", "1 100%", "%", "_ off", "a\\b", "東京の", "ÄPFEL", "it's", "\nline"]
)
def test_search(talks: Talks, text: str) -> None:
    """A search finds any part of a message, in upper or lower case, and takes no character for a pattern."""
    talks.send(*turns("s", 2, about="100% of _ off a\\b 東京の天気 äpfel it's two\nlines"))
    talks.send(*turns("t", 1, about="nothing"))
    assert talks.found(text) == (["s", "t"] if text == "uestion" else ["s"])
    assert talks.found("no such text") == []


def test_search_by_other_keys(talks: Talks) -> None:
    """A message is found by every key of its span, also one that only a span above it names, and by no other session."""
    for number, word in ((1, "apple"), (2, "pear")):
        top = {"session.id": f"s{number}", "session.key.ticket": f"t{number}", "session.key.team": "one"}
        talks.send(
            span(number, 1, top),
            span(number, 2, call([said("user", word)], []), parentSpanId=f"{1:016x}"),
            span(
                number, 3, call([said("user", f"more {word}")], [], session_id=f"s{number}"), parentSpanId=f"{1:016x}"
            ),
        )
    for word in ("apple", "more apple"):
        assert [talks.found(word, key) for key in ("id", "ticket", "team")] == [["s1"], ["t1"], ["one"]]
    assert talks.get("/cohorts?by=service&q=pear")["data"][0]["session_count"] == 1


def test_search_of_an_outranked_session(talks: Talks) -> None:
    """A span that names a session by a lower name than the span above it is in that span's session, and found there."""
    talks.send(
        span(1, 1, {"session.id": "upper"}),
        span(1, 2, call([said("user", "apple")], [], **{"gen_ai.conversation_id": "lower"}), parentSpanId=f"{1:016x}"),
    )
    assert talks.found("apple") == ["upper"]
    assert talks.told("upper")[0] == ("user", "apple")


def test_a_deleted_session(talks: Talks) -> None:
    """A deletion takes the messages of a session, and none that a session keeps which shares the trace."""
    shared = said("system", "Be brief")
    talks.send(
        span(1, 1, call([shared, said("user", "apple")], [], session_id="gone")),
        span(1, 2, call([shared, said("user", "pear")], [], session_id="stays")),
    )
    talks.send(*turns("gone", 2))
    before = talks.messages("stays")
    deleted = talks.client.delete("/v1/sessions/gone").json()["data"]
    assert deleted["message_count"] == 6
    assert talks.messages("stays") == before
    assert (talks.found("apple"), talks.found("brief"), talks.rows("messages")) == ([], ["stays"], 2)
    assert talks.rows("message_chains") == 1
    talks.send(*turns("gone", 2))
    assert talks.told("gone") == TALK[:4]


def test_messages_of_a_shared_trace(talks: Talks) -> None:
    """Of spans that name no session, a message stays as long as one span of the trace that tells it."""
    top = {"session.id": "gone"}
    talks.send(
        span(1, 1, top),
        span(1, 2, call([said("user", "apple")], []), parentSpanId=f"{1:016x}"),
        span(1, 3, {"session.id": "stays"}),
        span(1, 4, call([said("user", "apple")], []), parentSpanId=f"{3:016x}"),
    )
    talks.client.delete("/v1/sessions/gone")
    assert talks.told("stays")[0] == ("user", "apple")
    assert talks.client.delete("/v1/sessions/stays").json()["data"]["message_count"] == 1


def everything(talks: Talks, session: str) -> list[Any]:
    """All numbers of a session: itself, its traces and its calls."""
    found = [talks.get(f"/sessions/{session}{part}") for part in ("", "/traces", "/calls")]
    for name in ("title", "first_input", "last_output"):
        found[0]["data"].pop(name, None)
    return found


WORDS = ("Question", "Zürich", "quasar", "Bright", "Rain", "Fix the", "Done")


def test_content_only(talks: Talks) -> None:
    """The words of a session go for good and its numbers stay, also after a rebuild and where an agent's records come again."""
    talks.send(*turns("s", 3))
    talks.send(*turns("other", 1))
    send_events(talks)
    talks.send_logs(*agent_records("alpha"), **AGENT)
    sessions = ("s", "events", "logs", "alpha")
    before = {one: everything(talks, one) for one in (*sessions, "other")}
    kept = talks.messages("other")
    removed = [talks.client.delete(f"/v1/sessions/{one}?content=only").json()["data"] for one in sessions]
    counts = ("span_count", "log_record_count", "message_count")
    assert [tuple(one[name] for name in counts) for one in removed] == [(3, 0, 6), (1, 0, 2), (0, 2, 2), (0, 2, 2)]
    for one in sessions:
        again = talks.client.delete(f"/v1/sessions/{one}?content=only").json()["data"]
        assert [again[name] for name in counts] == [0, 0, 0]
    for _ in range(2):
        assert {one: everything(talks, one) for one in before} == before
        assert [one for word in WORDS for one in talks.found(word) if one != "other"] == []
        assert talks.messages("other") == kept
        assert [one["parts"] for session in sessions for one in talks.messages(session) if one["parts"]] == []
        stored = json.dumps([talks.get(f"/sessions/{one}/spans") for one in sessions], ensure_ascii=False)
        assert [word for word in WORDS if word in stored] == []
        talks.rebuild()
    talks.send_logs(*agent_records("alpha"), **AGENT)
    talks.send(*turns("s", 3))
    assert {one: everything(talks, one) for one in before} == before
    assert [one["parts"] for session in sessions for one in talks.messages(session) if one["parts"]] == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE otel_traces UPDATE",
        "ALTER TABLE otel_logs UPDATE",
        "DELETE FROM messages",
        "DELETE FROM message_chains",
        "INSERT INTO trace_facts",
        "DELETE FROM trace_facts",
    ],
)
def test_a_removal_that_died(talks: Talks, statement: str) -> None:
    """A removal of words that was cut short is completed when it is asked for again."""
    talks.send(*turns("s", 2))
    talks.send_logs(*agent_records("s"), **AGENT)
    before = everything(talks, "s")
    assert talks.backend.close()
    talks.open(lambda store: dying_at(store, statement))
    with pytest.raises(KeyboardInterrupt):
        talks.backend.delete_content("s")
    talks.reopen()
    talks.backend.delete_content("s")
    for _ in range(2):
        assert everything(talks, "s") == before
        assert [one["parts"] for one in talks.messages("s") if one["parts"]] == []
        assert (talks.rows("messages"), talks.rows("message_chains")) == (0, 0)
        talks.rebuild()


def test_retention(talks: Talks) -> None:
    """Old messages go with their traces; one that a later day repeats can still be read."""
    talks.send(*turns("old", 2))
    spans = turns("s", 3)
    for number, one in enumerate(spans):
        start = AT + number * DAY
        talks.send({**one, "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + SECOND)})
    assert talks.told("s") == TALK
    talks.backend.drop_older(AT + 2 * DAY - DAY // 2)
    assert (talks.told("s"), talks.found("Question 2"), talks.found("old")) == (TALK, ["s"], [])
    assert (talks.rows("message_chains"), talks.rows("messages")) == (1, 6)
    talks.rebuild()
    assert talks.told("s") == TALK


def test_retention_within_a_day(talks: Talks) -> None:
    """A message that is stored for a day stays while a record of that day refers to it."""
    talks.send(*turns("s", 3))
    talks.backend.drop_older(AT + 2 * SECOND - 1)
    assert talks.told("s") == TALK
    talks.backend.drop_older(AT + DAY)
    assert (talks.rows("message_chains"), talks.rows("messages")) == (0, 0)


def test_a_rebuild(talks: Talks) -> None:
    """A rebuild makes the same messages of what is stored, however it came."""
    talks.send(*turns("s", 3))
    talks.send(span(9, 9, call([said("user", "first state")], [], session_id="t")))
    later = span(9, 9, call([said("user", "second state")], [], session_id="t"))
    talks.send({**later, "endTimeUnixNano": str(AT + 5 * SECOND)})
    before = talks.messages("s"), talks.messages("t")
    assert talks.told("t")[0] == ("user", "second state")
    talks.rebuild()
    assert (talks.messages("s"), talks.messages("t")) == before


@pytest.mark.parametrize("table", ["messages", "message_chains", "trace_facts"])
def test_a_commit_that_failed(talks: Talks, table: str) -> None:
    """A commit that failed half way and was done again leaves each message once."""
    assert talks.backend.close()
    talks.open(lambda store: dying_at(store, rf"INSERT INTO {table}\b", error=OSError))
    talks.send(*turns("s", 3))
    talks.send_logs(*agent_records("alpha"), **AGENT)
    assert talks.told("s") == TALK
    assert talks.told("alpha") == [("user", "Fix the alpha build"), ("assistant", "Done")]
    assert talks.backend.commit_retries == 1
    assert (talks.rows("messages"), talks.rows("message_chains")) == (8, 5)
