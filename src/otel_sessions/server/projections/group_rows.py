"""Trace groups as rows of `session_traces`.

`Content` is JSON, from which a group is read back to the last digit. The other columns are for ClickHouse to fold into rows of `sessions`;
amounts are `Decimal(76, 38)`, which holds every amount exactly (see `otel_sessions.money`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from struct import Struct
from typing import Final

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.metadata import metadata_json
from otel_sessions.counting.model_names import Model
from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.money import EXACT
from otel_sessions.server.clickhouse.row_binary import array, raw_string, string, strings
from otel_sessions.server.projections.group_json import Content, Used, to_json

NANOSECONDS: Final = 2**64 - 1
"""Times are unsigned and wrap: a time before the start has a distance from it that adds up to that time again."""

_NUMBERS: Final = Struct("<QBQQQB").pack
"""Version, Deleted, Start, End, SpanCount, Failed."""

_UINT64: Final = Struct("<Q").pack
NULL: Final = b"\x01"
KNOWN: Final = b"\0"
"""The marker of a `Nullable` whose value follows."""

_NOT_A_CELL: Final = bytes(3)
"""The last columns, which tell of turns."""

_NO_CONTENT: Final = NULL + bytes(8) + NULL * 2 + bytes(9) + _NOT_A_CELL + NULL + bytes(9)
"""The columns from `Name` to the last one, all empty."""

_EXACT: Final = b"\0"
_INEXACT: Final = b"\x01"

_NO_MODEL: Final = (None, None)


def group_rows(written: Sequence[TraceGroup], gone: Sequence[tuple[int, Pair]], version: int) -> list[bytes]:
    """The rows of trace groups, and the rows that mark groups as deleted.

    Args:
        written: the groups as they are now.
        gone: trace and session of the groups to mark.
        version: of the change.
    """
    return [
        *(_row(group, version) for group in written),
        *(_gone(trace_id, pair, version) for trace_id, pair in gone),
    ]


def _row(group: TraceGroup, version: int) -> bytes:
    total = group.totals
    start = group.start
    metadata = sorted(group.metadata.items())
    tokens, cost, name = total.total_tokens, total.total_cost, group.name
    return b"".join(
        (
            string(group.key),
            string(group.value),
            group.trace_id.to_bytes(16, "little"),
            _NUMBERS(version, 0, start, group.end, group.span_count, group.failed),
            NULL + bytes(8) if name is None else KNOWN + string(name[1]) + _UINT64(name[0] - start & NANOSECONDS),
            NULL if tokens is None else KNOWN + _UINT64(tokens),
            NULL if cost is None else KNOWN + cost_units(cost).to_bytes(32, "little"),
            _texts(group.user_ids),
            _texts(group.services),
            _texts(group.environments),
            _texts(group.tags),
            strings(sorted(group.model_names)),
            array([string(key) for key, _ in metadata]),
            array([_UINT64(at - start & NANOSECONDS) for _, (at, _) in metadata]),
            array([string(metadata_json(value)) for _, (_, value) in metadata]),
            raw_string(_content(group)),
            _NOT_A_CELL if group.turns is None else _cell(group.turns),
            NULL if group.listed is None else KNOWN + _UINT64(group.listed),
            _UINT64(total.unpriced_call_count),
            _EXACT if total.cost_exact else _INEXACT,
        )
    )


def _cell(turns: Mapping[int, int]) -> bytes:
    states = sorted(turns.items())
    return b"\x01" + array([_UINT64(turn) for turn, _ in states]) + array([_UINT64(state) for _, state in states])


def _content(group: TraceGroup) -> bytes:
    content = Content(
        bool(group.conflict),
        group.operations,
        group.services,
        group.environments,
        group.user_ids,
        group.tags,
        group.name,
        sorted((name, at, value) for name, (at, value) in group.metadata.items()),
        [_used(model, totals) for model, totals in group.models.items()],
        tuple((lane, _used(_NO_MODEL, totals)) for lane, totals in group.lanes.items()),
        None if group.turns is None else sorted(group.turns.items()),
        group.busy,
        group.listed,
        group.time,
        group.cache,
        group.title,
        group.first_operation,
        group.first_input,
        group.last_output,
    )
    return to_json(content)


def _used(model: Model, totals: Totals) -> Used:
    return Used(
        *model,
        totals.call_count,
        totals.unpriced_call_count,
        tuple(getattr(totals, name) for name in TOKENS),
        tuple(getattr(totals, name) for name in COSTS),
        totals.sources,
    )


def _gone(trace_id: int, pair: Pair, version: int) -> bytes:
    id_ = string(pair[0]) + string(pair[1]) + trace_id.to_bytes(16, "little")
    return id_ + _NUMBERS(version, 1, 0, 0, 0, 0) + _NO_CONTENT


@lru_cache(maxsize=4_096)
def _texts(texts: frozenset[str]) -> bytes:
    return strings(sorted(texts))


def cost_units(cost: Decimal) -> int:
    """The integer of an amount in USD in a `Decimal(76, 38)`, which takes 32 bytes."""
    return int(EXACT.scaleb(cost, 38))
