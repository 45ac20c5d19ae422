"""`get_payload` lists the fields of what an id names, and reads each of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.mcp.asks import PAGES, error_of, told_of
from tests.mcp.stored import SPAN_ID, Stored, log, message, session, span, trace
from tests.mcp.synthetic import SPAN, TIME, TRACE

from otel_sessions.mcp.logs_shown import log_ref
from otel_sessions.mcp.refs import SessionRef

TEXT = {"type": "text", "content": "hello"}


def _fields(told: Any) -> dict[str, tuple[int, Any]]:
    return {row["field"]: (row["length"], row["value"]) for row in told["fields"]}


def test_the_fields_of_a_span_are_listed() -> None:
    """Its attributes come first, those of generative AI before others; events and links are named by their place."""
    one = span(
        attributes={"a.b": "x", "gen_ai.system": "openai"},
        events=[{"name": "exception", "attributes": {"exception.message": "boom"}}],
        links=[{"trace_id": TRACE, "span_id": SPAN}],
        resource={"service_name": "agent", "attributes": {"service.name": "agent"}},
    )
    told = told_of(Stored(span=one), "get_payload", id=SPAN_ID)
    assert list(_fields(told).items()) == [
        ("attributes.gen_ai.system", (6, "openai")),
        ("attributes.a.b", (1, "x")),
        ("events.0.name", (9, "exception")),
        ("events.0.attributes.exception.message", (4, "boom")),
        ("links.0", (len(SPAN_ID), SPAN_ID)),
        ("resource.attributes.service.name", (5, "agent")),
        ("scope.name", (5, "scope")),
    ]
    assert (told["of"], told["total"], told["next"]) == (SPAN_ID, 7, None)
    assert told["link"] == f"{PAGES}/traces/{TRACE}"


def test_the_fields_of_a_message_are_listed() -> None:
    """Each field of each part has the name that reads it."""
    stored = Stored(messages=[message(TEXT, {"type": "tool_call", "arguments": {"q": 1}})])
    fields = _fields(told_of(stored, "get_payload", id="message:0:s"))
    assert fields["parts.0.content"] == (5, "hello")
    assert fields["parts.1.arguments"] == (8, {"q": 1})
    assert fields["role"] == (9, "assistant")
    assert told_of(stored, "get_payload", id="message:0:s", field="parts.1.arguments.q")["value"] == "1"
    assert told_of(stored, "get_payload", id="message:0:s", field="parts.0")["value"].endswith('"content": "hello"}')


def test_the_fields_of_a_log_record_are_listed() -> None:
    """Attributes are named one by one."""
    one = log(body="disk full", attributes={"host.name": "a"})
    ref = log_ref(one, SessionRef("id", "s"))
    fields = _fields(told_of(Stored(logs=[one]), "get_payload", id=str(ref)))
    assert (fields["body"], fields["attributes.host.name"]) == ((9, "disk full"), (1, "a"))


def test_a_log_record_is_found_among_others_of_its_time() -> None:
    """The digest chooses between records of the same time."""
    first, second = log(body="first"), log(body="second")
    ref = log_ref(second, SessionRef("id", "s"))
    assert told_of(Stored(logs=[first, second]), "get_payload", id=str(ref), field="body")["value"] == "second"


def test_a_turn_has_fields() -> None:
    """A turn is read by its trace, its number, or the start of log records in no trace."""
    cell = trace(trace_id=None, start=TIME, tags=["night"])
    stored = Stored(traces=[trace(tags=["day"]), cell])
    for ref, tags in ((TRACE, '["day"]'), ("0", '["day"]'), ("1", '["night"]'), (TIME, '["night"]')):
        assert told_of(stored, "get_payload", id=f"turn:{ref}:s", field="tags")["value"] == tags


def test_a_turn_is_found_on_a_later_page() -> None:
    """A session may have more turns than a page of REST."""
    stored = Stored(traces=[trace(trace_id=f"{number:032x}") for number in range(1_001)])
    assert told_of(stored, "get_payload", id=f"turn:{1_000:032x}:s", field="trace_id")["value"] == f"{1_000:032x}"
    assert stored.asked_of("traces")["offset"] == "1000"


def test_a_list_of_fields_goes_on() -> None:
    """Following `next` names every field once."""
    one = span(attributes={f"a{number:03}": number for number in range(450)})
    arguments: dict[str, Any] = {"id": SPAN_ID, "budget": 5_000}
    names: list[str] = []
    while arguments:
        told = told_of(Stored(span=one), "get_payload", arguments)
        names += [row["field"] for row in told["fields"]]
        arguments = told["next"] and told["next"]["arguments"]
    assert names == [*(f"attributes.a{number:03}" for number in range(450)), "scope.name"]


def test_a_list_of_fields_ends() -> None:
    """Beyond the last field there is nothing, and nothing follows."""
    told = told_of(Stored(span=span()), "get_payload", id=SPAN_ID, offset=9)
    assert (told["fields"], told["total"], told["next"]) == ([], 1, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attributes.a.b.c", "whole name"),
        ("attributes.a.x", "of the map"),
        ("events.1.name", "second"),
        ("events.1", '{"name": "second", "attributes": {}}'),
        ("error", "refused"),
    ],
)
def test_a_name_may_have_dots(field: str, value: str) -> None:
    """A path is read whether its dots are between names or within one."""
    one = span(
        attributes={"a": {"x": "of the map"}, "a.b.c": "whole name"},
        events=[{"name": "first", "attributes": {}}, {"name": "second", "attributes": {}}],
        status={"code": "error", "message": "refused"},
    )
    assert told_of(Stored(span=one), "get_payload", id=SPAN_ID, field=field)["value"] == value


@pytest.mark.parametrize("field", ["attributes.a.y", "events.2.name", "events.x", "events.9999999999", "name.more"])
def test_a_field_that_is_not_there_is_named(field: str) -> None:
    """The error has the fields that there are, and the call that lists them."""
    one = span(attributes={"a": {"x": 1}}, events=[{"name": "first", "attributes": {}}])
    told = error_of(Stored(span=one), "get_payload", id=SPAN_ID, field=field)
    assert told["error"].endswith(f"has no field {field!r}; it has attributes.a, events.0.name, scope.name")
    assert told["next"] == [{"tool": "get_payload", "arguments": {"id": SPAN_ID}}]


def test_a_value_that_the_server_cuts_says_so() -> None:
    """At the end of what the server shows, the answer tells that there is more."""
    told = told_of(Stored(session=session(title="abc… (70,000 characters)")), "get_payload", id="s", field="title")
    assert told["notes"] == ["The server shows only this much of the value; its last characters say how long it is."]
    assert "notes" not in told_of(Stored(session=session(title="abc")), "get_payload", id="s", field="title")


def test_pages_that_nobody_can_open_have_no_link() -> None:
    """Without pages there is no link."""
    assert "link" not in told_of(Stored(span=span(), session=session(), pages=None), "get_payload", id=SPAN_ID)
    assert "link" not in told_of(Stored(span=span(), session=session(), pages=None), "get_payload", id="s")
