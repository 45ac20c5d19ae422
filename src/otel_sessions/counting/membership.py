"""`sessions_of`: the sessions that each span of a trace belongs to.

A span that is cut from a session key belongs to no session of that key, and its descendants inherit none from it. Any
other span has its own value of the key, else its nearest ancestor's, else the value of the trace if the trace has
exactly one, else none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_sessions.attributes import ALL_KEYS
from otel_sessions.counting.facts import SpanFacts

Pair = tuple[str, str]
"""A session: the session key and its value."""

_CUT: Final = ""
"""Stands for "cut" among the values, which are never empty."""


def sessions_of(spans: Mapping[int, SpanFacts]) -> dict[int, tuple[Pair, ...]]:
    """The (key, value) pairs of every span's sessions, by span id, in alphabetical order of the keys."""
    first = next(iter(spans.values())).values
    for span in spans.values():
        if span.cut or span.values != first:
            break
    else:
        return dict.fromkeys(spans, first)
    keys = sorted({key for span in spans.values() for key, _ in span.values})
    members: dict[int, list[tuple[str, str]]] = {span_id: [] for span_id in spans}
    for key in keys:
        for span_id, value in _values(spans, key).items():
            if value is not None and value != _CUT:
                members[span_id].append((key, value))
    return {span_id: tuple(pairs) for span_id, pairs in members.items()}


def _values(spans: Mapping[int, SpanFacts], key: str) -> dict[int, str | None]:
    """Every span's value of one key, its own or inherited."""
    found: dict[int, str | None] = {}
    lent: set[str] = set()
    for span_id, span in spans.items():
        if span.cut and (key in span.cut or ALL_KEYS in span.cut):
            found[span_id] = _CUT
            continue
        for name, value in span.values:
            if name == key:
                found[span_id] = value
                lent.add(value)
                break
    default = next(iter(lent)) if len(lent) == 1 else None
    for span_id, span in spans.items():
        if span_id in found:
            continue
        path = [span_id]
        parent_id = span.parent_id
        while parent_id is not None and parent_id not in found:
            parent = spans.get(parent_id)
            if parent is None:
                parent_id = None
                break
            path.append(parent_id)
            parent_id = parent.parent_id
        value_found = default if parent_id is None else found[parent_id]
        found.update(dict.fromkeys(path, value_found))
    return found
