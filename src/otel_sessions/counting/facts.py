"""`SpanFacts`: the parts of a span or log record that counting needs; compact, immutable, the same for the exporter and the server."""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_sessions.content.content import Said
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import MetadataValue

Values = tuple[tuple[str, str], ...]
"""Session keys and values, in the order of the keys."""


class Call(NamedTuple):
    """What a span says of model usage: of a single call, if the span's kind is one.

    Attributes:
        usage: its tokens.
        model: the model that answered, else the one that was asked for.
        request_model: the model that was asked for.
        provider: the provider, as the span names it.
        response_id: the provider's id of the response.
        call_id: the client's id of the call.
        context: further conditions of the price, such as `(("service_tier", "flex"),)`.
        reported: a cost that the span itself reports; its source names the attribute.
        cache_hit: the answer came from a cache of the client or gateway, so no model was called.
        is_request: the span has something that only a request has, such as messages or a reason why the answer ended.
        time_to_first_token: nanoseconds from the request to the first part of the answer.
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
    is_request: bool = False
    time_to_first_token: int | None = None

    @property
    def says_something(self) -> bool:
        """True if it reports tokens above zero, or a cost."""
        return bool(self.reported is not None or (self.usage is not None and self.usage.total_tokens))


class Labels(NamedTuple):
    """The session fields of a span other than its keys; equal ones are one object.

    Attributes:
        title: what the program calls the session, which is not a name that it was given.
    """

    name: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, MetadataValue], ...] = ()
    service: str | None = None
    environment: str | None = None
    title: str | None = None


NO_LABELS: Final = Labels()


class SpanFacts(NamedTuple):
    """One span, or one log record that tells of a call: ids as integers, times in nanoseconds UTC.

    The id of a log record is computed from what it says, and its parent is the span that it was written in.

    Attributes:
        parent_id: the id of its parent, also of a remote one; `None` for a root.
        failed: its status is ERROR.
        kind: one of `otel_sessions.dialects.kinds`.
        scope: the name of the instrumentation scope.
        values: the session keys that it carries itself.
        cut: the session keys that neither it nor its descendants take from its ancestors; `*` is all.
        labels: its other session fields.
        call: what it says of model usage, if only the name of a model; `None` for most spans.
        rank: the place of the name that gives its value of the key `id` among all such names; 0 is the highest.
        consumer: its kind is CONSUMER: a job, whose producer cannot know that it failed.
        event: the name of the event that a log record tells of; empty for a span.
        turn: the id of the turn that it names: of what one message of a user set off.
        agent: the agent or sub-agent that it is of, as it names it; `None` for the main one.
        said: the first words of a user and the last ones of a model in it; `None` for most spans.
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
    rank: int = 0
    consumer: bool = False
    event: str = ""
    turn: str | None = None
    agent: str | None = None
    said: Said | None = None
