"""Spans and log records without a session, by service."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from otel_sessions.attributes import SESSION_KEY_PREFIX
from otel_sessions.dialects.names import SESSION_ID
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.unassigned import LONGEST_NAME, MOST_SCOPES
from otel_sessions.server.queries.assigning import hint
from otel_sessions.server.queries.statements import statement

MOST_SERVICES: Final = 1_000
"""Services that are told apart, of each signal those with the most records."""


class Unassigned(NamedTuple):
    """What a service sent that is in no session; times in nanoseconds UTC.

    Attributes:
        service: its name, empty for records that name none.
        spans: the number of spans.
        logs: the number of log records that name no session and are in no trace of one.
        traces: the number of traces that these spans are in.
        scopes: names of the instrumentation scopes, sorted.
        hint: what would give them a session.
    """

    service: str
    spans: int
    logs: int
    traces: int
    first_seen: int
    last_seen: int
    scopes: tuple[str, ...]
    hint: str


def unassigned(store: Store) -> list[Unassigned]:
    """What is in no session, by service, the one with the most records first."""
    bounds = {"services": MOST_SERVICES, "scopes": MOST_SCOPES}
    of_logs: dict[str, Any] = {
        **bounds,
        "longest": LONGEST_NAME,
        "names": [name for name in SESSION_ID if "#" not in name],
        "prefix": SESSION_KEY_PREFIX,
    }
    with store.reading() as client:
        spans = client.query(statement("unassigned_spans"), parameters=bounds).result_rows
        logs = client.query(statement("unassigned_logs"), parameters=of_logs).result_rows
    found = {
        service: Unassigned(service, count, 0, traces, first, last, tuple(scopes), "")
        for service, count, traces, first, last, scopes in spans
    }
    for service, count, first, last, scopes in logs:
        name = service[:LONGEST_NAME]
        known = found.get(name, Unassigned(name, 0, 0, 0, first, last, (), ""))
        found[name] = known._replace(
            logs=known.logs + count,
            first_seen=min(known.first_seen, first),
            last_seen=max(known.last_seen, last),
            scopes=tuple(sorted({*known.scopes, *scopes})[:MOST_SCOPES]),
        )
    hinted = [one._replace(hint=hint(one.scopes, has_spans=one.spans > 0)) for one in found.values()]
    return sorted(hinted, key=lambda one: (-one.spans - one.logs, one.service))
