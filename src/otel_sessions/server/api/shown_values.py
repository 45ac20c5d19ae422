"""How much of a span's texts is shown: enough for what people send, and bounded for what anybody can send."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from otel_sessions.long_texts import cut
from otel_sessions.rules import LONGEST_LABEL
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.queries.spans import PAGE_BYTES

LONGEST_VALUE: Final = 1 << 20
"""Characters of a value that are shown."""

SHORTEST_VALUE: Final = 64
"""Characters of a value that are shown, however many values a span has."""

_OF_SPAN: Final = ("SpanAttributes", "ResourceAttributes", "ScopeAttributes")
_OF_PARTS: Final = ("Events.Attributes", "Links.Attributes")


def shown_name(name: str) -> str:
    """A name as lists show it; this is also the text that a filter finds it by."""
    return cut(name, LONGEST_LABEL)


def longest_value(row: Row) -> int:
    """How many characters of a value of this span are shown: fewer if all together would be more than a page."""
    lengths = list(map(len, _values(row)))
    if sum(lengths) <= PAGE_BYTES:
        return LONGEST_VALUE
    return max(SHORTEST_VALUE, min(LONGEST_VALUE, PAGE_BYTES // len(lengths)))


def _values(row: Row) -> Iterator[str]:
    yield row["StatusMessage"]
    for texts in chain((row[name] for name in _OF_SPAN), *(row[name] for name in _OF_PARTS)):
        yield from texts.values()
