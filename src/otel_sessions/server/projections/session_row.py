"""`session_row`: the row of `sessions` for a session all of whose trace groups are at hand.

It is the row that `write_session_rows.sql` makes of the rows of these groups, without a look into the store.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from struct import Struct
from typing import Final

from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.row_binary import array, raw_string, string, strings
from otel_sessions.server.projections.group_rows import (
    KNOWN,
    NANOSECONDS,
    NULL,
    Pair,
    cost_units,
    metadata_json,
    models_of,
    totals_of,
)

_VERSIONS_AND_TIMES: Final = Struct("<QQQQ").pack
"""Version, Born, LastActive, Created."""

_COUNTS: Final = Struct("<QQ").pack
"""Traces, FailedTraces."""

_UINT64: Final = Struct("<Q").pack


def id_hash(id_: bytes) -> bytes:
    """`IdHash` of the session with this id, which ClickHouse computes alike."""
    return sha256(id_).digest()[:16]


def session_row(session: Pair, groups: Collection[TraceGroup], *, version: int, born: int) -> bytes:
    """The row in RowBinary, its columns in the order of `columns.COLUMNS`.

    Args:
        session: key and id.
        groups: all of the session, at least one.
        version: up to which commit these are all.
        born: the version of the session's first row.
    """
    key, value = session
    id_ = value.encode()
    tokens: int | None = None
    cost: int | None = None
    failed = 0
    name: tuple[int, bytes] | None = None
    users: set[str] = set()
    services: set[str] = set()
    environments: set[str] = set()
    tags: set[str] = set()
    models: set[str] = set()
    metadata: dict[str, tuple[int, bytes]] = {}
    for group in groups:
        total = totals_of(group)
        if total.total_tokens is not None:
            tokens = (tokens or 0) + total.total_tokens
        if total.total_cost is not None:
            cost = (cost or 0) + cost_units(total.total_cost)
        failed += group.failed
        if group.name is not None:
            named = (group.name[0] & NANOSECONDS, group.name[1].encode())
            name = named if name is None else max(name, named)
        users |= group.user_ids
        services |= group.services
        environments |= group.environments
        tags |= group.tags
        models.update(models_of(group))
        for item, (at, said) in group.metadata.items():
            last = (at & NANOSECONDS, metadata_json(said).encode())
            metadata[item] = max(metadata.get(item, last), last)
    items = sorted(metadata.items())
    return b"".join(
        (
            string(key),
            raw_string(id_),
            id_hash(id_),
            _VERSIONS_AND_TIMES(
                version, born, max([group.end for group in groups]), min([group.start for group in groups])
            ),
            NULL if cost is None else KNOWN + cost.to_bytes(32, "little"),
            NULL if tokens is None else KNOWN + _UINT64(tokens),
            _COUNTS(len(groups), failed),
            NULL if name is None else KNOWN + raw_string(name[1]),
            strings(sorted(users)),
            strings(sorted(services)),
            strings(sorted(environments)),
            strings(sorted(tags)),
            strings(sorted(models)),
            strings([item for item, _ in items]),
            array([raw_string(said) for _, (_, said) in items]),
        )
    )
