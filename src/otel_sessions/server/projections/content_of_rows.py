"""`remove_content`: take what holds content out of the rows of spans and log records.

Names of attributes stay, since what a record is counted as depends on them; numbers and settings stay. What holds content is data of
`otel_sessions.content.names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from otel_sessions.content import names
from otel_sessions.server.projections.statements import statement

_AT_ONCE: Final = {"mutations_sync": 2}
"""A statement returns when it is done, not when it is planned."""


class Rows(NamedTuple):
    """Rows that hold content, as statements.

    Attributes:
        counting: counts the records.
        removing: removes it.
    """

    counting: str
    removing: str


def remove_content(client: Client, rows: Rows, parameters: dict[str, Any]) -> int:
    """Remove the content of these rows; return how many records held any.

    Args:
        client: to write with.
        rows: which.
        parameters: of the condition that chooses them.
    """
    parameters = {**parameters, **_names()}
    found = int(client.query(rows.counting, parameters=parameters).result_rows[0][0])
    if found:
        client.command(rows.removing, parameters=parameters, settings=_AT_ONCE)
    return found


def spans_with_content(which: str) -> Rows:
    """The spans that meet a condition and hold content."""
    is_content, settings = statement("is_content"), statement("settings_without_content")
    of_span = {"is_content": is_content, "settings": settings, "attributes": "SpanAttributes"}
    of_event = {**of_span, "attributes": "attributes"}
    which = statement(
        "span_holds_content",
        which=which,
        of_span=statement("attributes_hold_content", **of_span),
        of_event=statement("attributes_hold_content", **of_event),
    )
    return Rows(
        statement("count_spans_with_content", which=which),
        statement(
            "remove_content_of_spans",
            which=which,
            attributes=statement("attributes_without_content", **of_span),
            types=statement("types_without_content", is_content=is_content, types="SpanAttributeTypes"),
            attributes_of_event=statement("attributes_without_content", **of_event),
            types_of_event=statement("types_without_content", is_content=is_content, types="types"),
        ),
    )


def logs_with_content(which: str) -> Rows:
    """The log records that meet a condition and hold content."""
    is_message = statement("log_is_message")
    is_content = statement("is_content_of_log", is_content=statement("is_content"), is_message=is_message)
    of_log = {
        "is_content": is_content,
        "settings": statement("settings_without_content"),
        "attributes": "LogAttributes",
    }
    which = statement(
        "log_holds_content",
        which=which,
        of_log=statement("attributes_hold_content", **of_log),
        is_message=is_message,
    )
    return Rows(
        statement("count_logs_with_content", which=which),
        statement(
            "remove_content_of_logs",
            which=which,
            attributes=statement("attributes_without_content", **of_log),
            types=statement("types_without_content", is_content=is_content, types="LogAttributeTypes"),
            is_message=is_message,
        ),
    )


def _names() -> dict[str, list[str] | str]:
    """The parameters that tell what holds content."""
    return {
        "content_names": sorted(names.NAMES),
        "content_names_like": "^(?:" + "|".join(_patterns()) + ")",
        "content_events": sorted(names.EVENTS),
        "content_messages": sorted(names.MESSAGES),
        "content_of_messages": sorted(names.OF_MESSAGES),
        "content_settings": sorted(names.PARTLY),
        "content_members": sorted(names.MEMBERS),
        "content_members_quoted": [f"{mark}{name}{mark}" for name in sorted(names.MEMBERS) for mark in "\"'"],
    }


def _patterns() -> Iterator[str]:
    """What the names of attributes that hold content start with, as regular expressions."""
    for prefix in dict.fromkeys(names.PREFIXES):
        yield re.escape(prefix) + "[0-9]"
    for start in names.STARTS:
        yield re.escape(start)
