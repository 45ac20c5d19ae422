"""`used_models`: the models of the calls in a store, those with calls without a price first."""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.statements import statement

MOST_MODELS: Final = 10_000


class UsedModel(NamedTuple):
    """A model, and the calls of it.

    Attributes:
        provider: as the calls name it; `None` if they name none.
        model: the same of its name.
        calls: how many there are.
        unpriced: how many of them have no known cost.
        last_seen: the end of the last trace with one, nanoseconds UTC.
        sources: where the costs of the others come from, sorted, at most 32.
    """

    provider: str | None
    model: str | None
    calls: int
    unpriced: int
    last_seen: int
    sources: list[str]


def used_models(store: Store, key: str = ID_KEY, *, since: int = 0) -> list[UsedModel]:
    """The models in the sessions of a key, those with the most calls without a price first.

    Args:
        store: where the trace groups are.
        key: the session key.
        since: only traces that went on at or after this time, nanoseconds UTC.
    """
    parameters = {"key": key, "since": since, "limit": MOST_MODELS}
    with store.reading() as client:
        rows = client.query(statement("used_models"), parameters=parameters).result_rows
    return [UsedModel(*row) for row in rows]
