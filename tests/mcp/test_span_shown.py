"""A span as answers show it."""

from __future__ import annotations

from typing import Any

from tests.mcp.asks import told_of
from tests.mcp.stored import SPAN_ID, Stored, span
from tests.mcp.synthetic import SPAN


def test_a_span_that_went_well_has_no_error() -> None:
    """It tells what it is, without a parent where it has none."""
    told = told_of(Stored(span=span()), "get_session", id=SPAN_ID)["span"]
    assert (told["id"], told["name"], told["status"], told["parent"]) == (SPAN_ID, "chat", "ok", None)
    assert "error" not in told


def test_the_error_of_a_span_may_be_in_an_exception() -> None:
    """Where its status says nothing, its first exception with a message does."""
    events = [{"name": "e", "attributes": {"exception.message": one}} for one in (3, "", "boom", "later")]
    told = told_of(Stored(span=span(events=events, parent_span_id=SPAN)), "get_session", id=SPAN_ID)["span"]
    assert (told["error"], told["parent"]) == ("boom", SPAN_ID)


def test_the_fields_of_a_span_go_on() -> None:
    """Following `next` names every field once, and an offset below 0 counts from the end."""
    stored = Stored(span=span(attributes={f"a{number}": number for number in range(5)}))
    arguments: dict[str, Any] = {"id": SPAN_ID, "limit": 4}
    names: list[str] = []
    while arguments:
        told = told_of(stored, "get_session", arguments)
        names += [row["field"] for row in told["fields"]]
        arguments = told["next"] and told["next"]["arguments"]
    assert names == ["attributes.a0", "attributes.a1", "attributes.a2", "attributes.a3", "attributes.a4", "scope.name"]
    assert [row["field"] for row in told_of(stored, "get_session", id=SPAN_ID, offset=-1)["fields"]] == ["scope.name"]
