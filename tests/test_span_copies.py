"""Copies of finished spans."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, StatusCode
from tests.exporting import finished

from otel_sessions.span_copies import FAILED, emptied, redacted, with_attributes

PARTS = ("context", "parent", "resource", "kind", "start_time", "end_time", "instrumentation_scope", "dropped_events")


def rich_span() -> ReadableSpan:
    """A span with everything in it, and with things that the limits took."""
    taken = BoundedAttributes(attributes={"email": "a@example.com", "n": 1})
    taken.dropped = 3
    link = Link(finished(8).context, taken)
    return finished(
        2,
        1,
        name="mail to a@example.com",
        attributes={"email": "a@example.com", "n": 1, "list": ["a@example.com", "b"], "flag": True},
        failed=True,
        description="a@example.com bounced",
        events=BoundedList.from_seq(2, [Event("one"), Event("sent to a@example.com", taken, 5), Event("three", {}, 7)]),
        links=[link],
        lost=4,
    )


def identity(name: str, value: Any) -> Any:
    """Redacts nothing."""
    return value


def never(error: Exception) -> None:
    """No fault is expected."""
    raise AssertionError from error


def contents(span: ReadableSpan) -> tuple[object, ...]:
    """Name, attributes, events, links and status, comparable."""
    return (
        span.name,
        dict(span.attributes or {}),
        [(event.name, dict(event.attributes or {}), event.timestamp) for event in span.events],
        [(link.context, dict(link.attributes or {})) for link in span.links],
        (span.status.status_code, span.status.description),
    )


def test_a_copy_is_the_same_in_every_part() -> None:
    """A copy that redacts nothing equals the span, also in the numbers of dropped parts."""
    span = rich_span()
    copy = redacted(span, identity, never)
    assert copy is not span
    assert [getattr(copy, part) for part in PARTS] == [getattr(span, part) for part in PARTS]
    assert contents(copy) == contents(span)
    assert (copy.dropped_attributes, copy.dropped_events, copy.dropped_links) == (4, 1, 0)
    assert copy.events[0].dropped_attributes == span.events[0].dropped_attributes == 3
    assert copy.links[0].dropped_attributes == 3
    assert copy.to_json() == span.to_json()
    assert copy.get_span_context() == span.get_span_context()


def test_everything_that_holds_text_is_redacted() -> None:
    """Name, status, event names and all attributes are redacted in the copy, and the span keeps them."""
    span = rich_span()
    asked: list[tuple[str, Any]] = []

    def redact(name: str, value: Any) -> Any:
        asked.append((name, value))
        return None if name == "n" else "x"

    copy = redacted(span, redact, never)
    ended = [("x", {"email": "x"}, 5), ("x", {}, 7)]
    assert contents(copy)[:3] == ("x", {"email": "x", "list": "x", "flag": "x"}, ended)
    assert contents(copy)[3] == [(span.links[0].context, {"email": "x"})]
    assert contents(copy)[4] == (StatusCode.ERROR, "x")
    assert ("span.name", "mail to a@example.com") in asked
    assert ("event.name", "sent to a@example.com") in asked
    assert ("status.description", "a@example.com bounced") in asked
    assert "a@example.com" not in copy.to_json()
    assert "a@example.com" in span.to_json()


def test_a_status_without_a_description() -> None:
    """A status without a description is not redacted."""
    asked: list[str] = []

    def redact(name: str, value: Any) -> Any:
        asked.append(name)
        return value

    redacted(finished(1), redact, never)
    assert asked == ["span.name"]


def test_values_that_redact_raises_for() -> None:
    """Each value that `redact` raises for is replaced by a fixed text and reported, and the others stay."""
    errors: list[Exception] = []

    def redact(name: str, value: Any) -> Any:
        if "@" in str(value):
            raise ValueError(value)
        return value

    copy = redacted(rich_span(), redact, errors.append)
    assert contents(copy) == (
        FAILED,
        {"email": FAILED, "n": 1, "list": FAILED, "flag": True},
        [(FAILED, {"email": FAILED, "n": 1}, 5), ("three", {}, 7)],
        [(finished(8).context, {"email": FAILED, "n": 1})],
        (StatusCode.ERROR, FAILED),
    )
    assert len(errors) == 7
    assert "@" not in copy.to_json()


@pytest.mark.parametrize("answer", [None, 5, ["x"], b"x"])
def test_a_name_that_is_no_text(answer: object) -> None:
    """A redacted name or description that is not text is replaced, and the original never sent."""
    copy = redacted(rich_span(), lambda name, value: answer if "." in name else value, never)
    assert (copy.name, copy.status.description, copy.events[0].name) == (FAILED, FAILED, FAILED)


@pytest.mark.parametrize("answer", [5, 0.5, False, ["x", "y"]])
def test_attributes_may_become_any_value(answer: object) -> None:
    """A redacted attribute may be a number, a flag or a list."""
    copy = redacted(finished(1, attributes={"a": "x"}), lambda name, value: answer if name == "a" else value, never)
    found = (copy.attributes or {})["a"]
    assert (list(found) if isinstance(found, tuple) else found) == answer


def test_attributes_to_add() -> None:
    """The span's own attributes win, the copy may exceed the limit, and nothing else differs."""
    span = rich_span()
    added = {f"a{i}": i for i in range(200)} | {"n": 99}
    copy = with_attributes(span, MappingProxyType(added))
    assert dict(copy.attributes or {}) == {**added, **dict(span.attributes or {})}
    assert (copy.attributes or {})["n"] == 1
    assert [getattr(copy, part) for part in PARTS] == [getattr(span, part) for part in PARTS]
    assert contents(copy)[2:] == contents(span)[2:]
    assert (copy.dropped_attributes, copy.dropped_events) == (4, 1)
    assert with_attributes(ReadableSpan("bare"), {"a": 1}).attributes == {"a": 1}


def test_an_emptied_span() -> None:
    """An emptied copy has ids, times and outcome, and no text."""
    copy = emptied(rich_span())
    assert contents(copy) == (FAILED, {}, [], [], (StatusCode.ERROR, None))
    assert [getattr(copy, part) for part in PARTS] == [getattr(rich_span(), part) for part in PARTS]
    assert "a@example.com" not in copy.to_json()
