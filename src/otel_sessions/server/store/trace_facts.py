"""The facts of spans by trace, as compact JSON: what rolling a trace up anew takes, without reading its spans.

`SpanFacts` consists of tuples, which JSON writes as lists by position; amounts are strings, so that nothing is rounded.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from otel_sessions.counting.facts import NO_LABELS, Call, Labels, SpanFacts
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.server.store.client import Store
from otel_sessions.server.store.columns import FACTS
from otel_sessions.server.store.insert import insert_rows
from otel_sessions.server.store.sql import statement

TRACES_PER_QUERY: Final = 500

_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), default=str, check_circular=False).encode


def to_json(spans: Collection[SpanFacts]) -> str:
    """The facts of spans as JSON."""
    return _ENCODE(tuple(spans))


def from_json(written: str) -> list[SpanFacts]:
    """The facts that `to_json` wrote, the same to the last digit."""
    shared: dict[Labels, Labels] = {}
    return [_span(span, shared) for span in json.loads(written)]


def insert_facts(
    store: Store, facts: Mapping[int, Collection[SpanFacts]], segment: int, *, into: str | None = None
) -> None:
    """Add facts of spans, by trace id; the same facts may come again.

    Args:
        store: where to.
        facts: by trace id.
        segment: a number that grows; what is kept of a trace that is deleted in part has a later one.
        into: another table of the same columns.
    """
    columns: dict[str, list[Any]] = {
        "TraceId": list(facts),
        "Segment": [segment] * len(facts),
        "End": [max(span.end for span in spans) for spans in facts.values()],
        "Facts": [to_json(spans) for spans in facts.values()],
    }
    if facts:
        insert_rows(store, FACTS, columns, into=into)


def facts_of(store: Store, trace_ids: Iterable[int]) -> dict[int, list[SpanFacts]]:
    """All stored facts of these traces, repetitions included; a trace without any is missing."""
    found: dict[int, list[SpanFacts]] = {}
    for some in chunks(trace_ids, TRACES_PER_QUERY):
        with store.reading() as client:
            rows = client.query(statement("facts_of_traces"), parameters={"trace_ids": some}).result_rows
        for trace_id, written in rows:
            found.setdefault(trace_id, []).extend(from_json(written))
    return found


def known_traces(store: Store) -> array[int]:
    """The lower 64 bits of the ids of all traces with facts, sorted."""
    known = array("Q")
    with store.reading() as client:
        known.frombytes(client.raw_query(statement("known_traces"), fmt="RowBinary"))
    return known


def chunks(values: Iterable[int], size: int) -> Iterator[list[int]]:
    """The values in lists of so many at most."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def _span(written: list[Any], shared: dict[Labels, Labels]) -> SpanFacts:
    span_id, parent_id, start, end, failed, kind, scope, name, values, cut, labels, call = written
    return SpanFacts(
        span_id,
        parent_id,
        start,
        end,
        failed,
        kind,
        scope,
        name,
        tuple((key, value) for key, value in values),
        tuple(cut),
        _labels(labels, shared),
        None if call is None else _call(call),
    )


def _labels(written: list[Any], shared: dict[Labels, Labels]) -> Labels:
    """One object for all spans that say the same; without metadata, where `1` and `True` would be taken for equal."""
    name, user_id, tags, metadata, service, environment = written
    if metadata:
        return Labels(name, user_id, tuple(tags), tuple((key, value) for key, value in metadata), service, environment)
    labels = Labels(name, user_id, tuple(tags), (), service, environment)
    return NO_LABELS if labels == NO_LABELS else shared.setdefault(labels, labels)


def _call(written: list[Any]) -> Call:
    usage, model, request_model, provider, response_id, call_id, context, reported, cache_hit = written
    return Call(
        None if usage is None else Usage(*usage),
        model,
        request_model,
        provider,
        response_id,
        call_id,
        tuple((name, value) for name, value in context),
        None if reported is None else _cost(*reported),
        cache_hit,
    )


def _cost(input_: str | None, output: str | None, total: str, source: str) -> Cost:
    return Cost(
        None if input_ is None else Decimal(input_), None if output is None else Decimal(output), Decimal(total), source
    )
