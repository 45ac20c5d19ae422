"""Trace groups as rows of `session_traces`, and back, exactly.

What each model was used for is JSON with amounts as strings: a group is read back to the last digit from there, whatever
an amount's scale, and a `Decimal` column's is fixed. Beside it, `TotalCost` and `TotalTokens` are columns to filter and
sort by; a `Decimal(76, 38)` adds exactly all amounts with up to 38 decimals, which is all that a price list makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.counting.trace import Model, TraceGroup
from otel_sessions.money import EXACT
from otel_sessions.rules import MetadataValue
from otel_sessions.server.store.client import Store
from otel_sessions.server.store.columns import COLUMNS, GROUPS
from otel_sessions.server.store.insert import insert_rows
from otel_sessions.server.store.sql import statement
from otel_sessions.server.store.trace_facts import TRACES_PER_QUERY, chunks

Pair = tuple[str, str]
"""A session: key and id."""

_TO_JSON: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False, allow_nan=False)
_SCALE: Final = Decimal(1).scaleb(-38)
_ROUNDING: Final = EXACT.copy()
_ROUNDING.traps = dict.fromkeys(_ROUNDING.traps, False)
_MOST: Final = Decimal(10) ** 30
"""More USD than this in one trace sort as this, so that no sum leaves the column."""

_NOTHING: Final[Mapping[str, Any]] = {
    "String": "",
    "LowCardinality(String)": "",
    "Nullable(String)": None,
    "Nullable(UInt64)": None,
    "Nullable(Decimal(76, 38))": None,
}


def insert_groups(
    store: Store,
    written: Sequence[TraceGroup],
    gone: Sequence[tuple[int, Pair]] = (),
    version: int = 0,
    *,
    into: str | None = None,
) -> None:
    """Write trace groups in place of their older versions, and mark those as deleted that are no more.

    Args:
        store: where to.
        written: the groups as they are now.
        gone: trace, and the session that it left.
        version: a number that grows: of two versions of a group the higher counts, of equal ones the later written.
        into: another table of the same columns.
    """
    rows = [_row(group, version) for group in written]
    rows += [_gone(trace_id, pair, version) for trace_id, pair in gone]
    if rows:
        columns = dict(zip(COLUMNS[GROUPS], zip(*rows, strict=True), strict=True))
        insert_rows(store, GROUPS, columns, into=into)


def trace_group(row: Mapping[str, Any]) -> TraceGroup:
    """The trace group that was written as this row."""
    return TraceGroup(
        key=row["Key"],
        value=row["Id"],
        trace_id=row["TraceId"],
        start=row["Start"],
        end=row["End"],
        span_count=row["SpanCount"],
        failed=bool(row["Failed"]),
        operations=frozenset(row["Operations"]),
        models=_models(row["ModelUsage"]),
        services=frozenset(row["Services"]),
        environments=frozenset(row["Environments"]),
        user_ids=frozenset(row["UserIds"]),
        tags=frozenset(row["Tags"]),
        name=None if row["Name"] is None else (row["NameAt"], row["Name"]),
        metadata={
            name: (at, json.loads(value))
            for name, at, value in zip(row["MetadataKeys"], row["MetadataAt"], row["MetadataValues"], strict=True)
        },
        conflict=bool(row["Conflict"]),
    )


def pairs_of(store: Store, trace_ids: Iterable[int]) -> dict[int, set[Pair]]:
    """The sessions that traces have groups in, by trace id; a trace without any is missing."""
    found: dict[int, set[Pair]] = {}
    for some in chunks(trace_ids, TRACES_PER_QUERY):
        with store.reading() as client:
            rows = client.query(statement("pairs_of_traces"), parameters={"trace_ids": some}).result_rows
        for trace_id, key, value in rows:
            found.setdefault(trace_id, set()).add((key, value))
    return found


def metadata_json(value: MetadataValue) -> str:
    """A metadata value as it is stored; the text tells its type."""
    return _TO_JSON.encode(value)


def compact(store: Store) -> None:
    """Merge all versions of all groups, so that lists are fastest; for when nothing else is to be done."""
    with store.writing() as client:
        client.command(statement("compact"))


def _row(group: TraceGroup, version: int) -> tuple[Any, ...]:
    total = Totals()
    for totals in group.models.values():
        total.add(totals)
    name_at, name = group.name or (0, None)
    metadata = sorted(group.metadata.items())
    return (
        group.key,
        group.value,
        group.trace_id,
        version,
        0,
        group.start,
        group.end,
        group.span_count,
        int(group.failed),
        int(group.conflict),
        name,
        name_at,
        total.total_tokens,
        _column(total.total_cost),
        sorted(group.user_ids),
        sorted(group.services),
        sorted(group.environments),
        sorted(group.tags),
        sorted({model for _, model in group.models if model is not None}),
        sorted(group.operations),
        [key for key, _ in metadata],
        [at for _, (at, _) in metadata],
        [metadata_json(value) for _, (_, value) in metadata],
        _usage(group.models),
    )


def _gone(trace_id: int, pair: Pair, version: int) -> tuple[Any, ...]:
    said = {"Key": pair[0], "Id": pair[1], "TraceId": trace_id, "Version": version, "Deleted": 1}
    return tuple(
        said.get(name, [] if kind.startswith("Array") else _NOTHING.get(kind, 0))
        for name, kind in COLUMNS[GROUPS].items()
    )


def _column(cost: Decimal | None) -> Decimal | None:
    if cost is None or cost > _MOST:
        return cost and _MOST
    return cost if -cost.as_tuple().exponent <= 38 else cost.quantize(_SCALE, ROUND_HALF_EVEN, _ROUNDING)  # type: ignore[operator]


def _usage(models: Mapping[Model, Totals]) -> str:
    return _TO_JSON.encode(
        [
            [
                *model,
                totals.call_count,
                totals.unpriced_call_count,
                *(getattr(totals, name) for name in TOKENS),
                *(None if (cost := getattr(totals, name)) is None else str(cost) for name in COSTS),
                sorted(totals.sources),
            ]
            for model, totals in sorted(models.items(), key=lambda item: repr(item[0]))
        ]
    )


def _models(written: str) -> dict[Model, Totals]:
    models: dict[Model, Totals] = {}
    for provider, model, call_count, unpriced, *numbers, sources in json.loads(written):
        totals = models[provider, model] = Totals()
        totals.call_count = call_count
        totals.unpriced_call_count = unpriced
        for name, value in zip(TOKENS, numbers[: len(TOKENS)], strict=True):
            setattr(totals, name, value)
        for name, value in zip(COSTS, numbers[len(TOKENS) :], strict=True):
            setattr(totals, name, None if value is None else Decimal(value))
        totals.sources = frozenset(sources)
    return models
