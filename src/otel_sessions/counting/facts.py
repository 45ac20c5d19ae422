"""What counting needs to know of a span: compact, immutable, the same for the exporter and the server."""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MetadataValue

Values = tuple[tuple[str, str], ...]
"""Session keys and values, in the order of the keys."""


class Call(NamedTuple):
    """What a span says of model usage; of a single call where the span's kind is one.

    `context` is what else sets the price, such as `(("service_tier", "flex"),)`; `reported` is a cost that the span
    itself reports, its source the attribute that said so.
    """

    usage: Usage | None = None
    model: str | None = None
    request_model: str | None = None
    provider: str | None = None
    response_id: str | None = None
    call_id: str | None = None
    context: tuple[tuple[str, str], ...] = ()
    reported: Cost | None = None
    cache_hit: bool = False

    @property
    def says_something(self) -> bool:
        """Whether it reports any tokens above zero, or a cost."""
        return bool(self.reported is not None or (self.usage is not None and self.usage.total_tokens))


class Labels(NamedTuple):
    """What a span says of its session beside its keys; shared by the spans that say the same."""

    name: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, MetadataValue], ...] = ()
    service: str | None = None
    environment: str | None = None


NO_LABELS: Final = Labels()


class SpanFacts(NamedTuple):
    """One span: ids as integers, times in nanoseconds UTC.

    Attributes:
        parent_id: the span's parent in its trace, also a remote one; `None` for a root.
        failed: its status is ERROR.
        kind: one of `otel_sessions.dialects.kinds`.
        scope: name of the instrumentation scope.
        values: the session keys that it carries itself.
        cut: the session keys that it must not take from an ancestor, nor lend; `*` is all.
        call: what it says of model usage, `None` for most spans.
    """

    span_id: int
    parent_id: int | None
    start: int
    end: int
    failed: bool
    kind: str
    scope: str
    name: str
    values: Values = ()
    cut: tuple[str, ...] = ()
    labels: Labels = NO_LABELS
    call: Call | None = None
