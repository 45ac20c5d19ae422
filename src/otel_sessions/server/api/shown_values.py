"""How much of the texts of a span or log record is shown: enough for what people send, and bounded for what anybody can send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def longest_value(values: Iterable[str]) -> int:
    """How many characters of each of the values of a span or log record are shown: fewer if all together would be more than a page."""
    lengths = list(map(len, values))
    if sum(lengths) <= PAGE_BYTES:
        return LONGEST_VALUE
    return max(SHORTEST_VALUE, min(LONGEST_VALUE, PAGE_BYTES // len(lengths)))


def values_of_span(row: Row) -> Iterator[str]:
    """The values in a row of `otel_traces`, as texts."""
    yield row["StatusMessage"]
    for texts in chain((row[name] for name in _OF_SPAN), *(row[name] for name in _OF_PARTS)):
        yield from texts.values()
