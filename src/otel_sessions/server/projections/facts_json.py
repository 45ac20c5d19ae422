"""The facts of spans as compact JSON: enough to roll a trace up again without reading its spans.

`SpanFacts` consists of tuples, which become lists. Amounts are strings, so that nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.units import as_cell

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[SpanFacts])


class WrittenFacts(NamedTuple):
    """The facts of spans of one unit: first start and last end in nanoseconds UTC, the facts as JSON, and whether it is a cell."""

    start: int
    end: int
    json: bytes
    is_cell: bool = False


def write_facts(unit: int, spans: Collection[SpanFacts]) -> WrittenFacts:
    """The facts of at least one span or record of a unit, in the form in which they are stored."""
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    return WrittenFacts(start, end, to_json(spans), as_cell(unit, spans) is not None)


def to_json(spans: Collection[SpanFacts]) -> bytes:
    """The facts of spans as JSON, in one line."""
    return _ENCODER.encode(list(spans))


def from_json(written: str | bytes) -> list[SpanFacts]:
    """The facts that `to_json` wrote, the same to the last digit."""
    return _DECODER.decode(written)
