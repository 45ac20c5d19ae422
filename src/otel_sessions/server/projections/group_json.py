"""The JSON in the column `Content` of `session_traces`. Amounts are strings, so that nothing is rounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.excerpts import Excerpt


class Used(NamedTuple):
    """The calls of one model, added up."""

    provider: str | None
    model: str | None
    call_count: int
    unpriced_call_count: int
    tokens: tuple[int | None, int | None, int | None, int | None, int | None]
    costs: tuple[Decimal | None, Decimal | None, Decimal | None]
    sources: frozenset[str]


class Content(NamedTuple):
    """The content of the JSON, which is a list in this order; rows of older versions lack the last ones."""

    conflict: bool
    operations: frozenset[str]
    services: frozenset[str]
    environments: frozenset[str]
    user_ids: frozenset[str]
    tags: frozenset[str]
    name: tuple[int, str] | None
    metadata: list[tuple[str, int, str | int | float | bool]]
    models: list[Used]
    lanes: tuple[tuple[str | None, Used], ...] = ()
    turns: list[tuple[int, int]] | None = None
    busy: tuple[tuple[int, int], ...] | None = None
    listed: int | None = None
    time: tuple[int, int, int, int, int] | None = None
    cache: tuple[CacheUse, ...] = ()
    title: tuple[int, str] | None = None
    first_operation: tuple[int, str] | None = None
    first_input: Excerpt | None = None
    last_output: Excerpt | None = None


_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Content)


def to_json(content: Content) -> bytes:
    """The content as JSON; equal contents give equal bytes."""
    return _ENCODER.encode(content)


def from_json(written: str | bytes) -> Content:
    """The content that `to_json` wrote."""
    return _DECODER.decode(written)
