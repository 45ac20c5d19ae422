"""`span_facts`: from the attributes of a span to its facts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facts import Call, Labels, SpanFacts, Values
from otel_sessions.counting.model_names import thinks_beside
from otel_sessions.counting.prices.local_servers import LOCAL_SERVER, runs_locally
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.usage import normalise
from otel_sessions.dialects import kinds
from otel_sessions.dialects.read import Part, Plan, Read, plan_of, read_planned, read_ranked
from otel_sessions.dialects.values import checked_id
from otel_sessions.drops import drops
from otel_sessions.long_texts import cut
from otel_sessions.money import EXACT
from otel_sessions.rules import DEFAULT_LIMITS, LONGEST_LABEL


def span_facts(
    attributes: Mapping[str, Any],
    *,
    span_id: int,
    parent_id: int | None,
    start: int,
    end: int,
    failed: bool,
    scope: str,
    name: str,
    service: str | None = None,
    environment: str | None = None,
    session_id: str | None = None,
    consumer: bool = False,
    plan: Plan | None = None,
    kind: str | None = None,
) -> SpanFacts:
    """The facts of a span with these attributes; `service`, `environment` and `session_id` are those of its resource.

    The attributes are read by `plan`, if it is given, else by scope and service; `kind` is the kind if they name none.
    Never raises for any value of an attribute.
    """
    if plan is None:
        plan = plan_of(attributes, scope, service)
    by = plan.who
    if by is None:
        read = read_planned(attributes, plan.steps)
        who = _who(read, service, environment)
        kind = read.fields.get("kind", kind)
    else:
        given = by.pick(attributes)
        try:
            who = _seen[by, given, service, environment]
        except (KeyError, TypeError):  # a list is not hashable
            who = _look(attributes, by, given, service, environment, is_kept=plan.is_kept)
        if plan.kind is not None:
            kind = _kind(attributes, plan.kind, is_kept=plan.is_kept) or kind
        read = _NOTHING if plan.others is None else read_ranked(attributes, plan.others)
    values, cuts, labels, rank = who
    if session_id is not None and (not values or all(key != ID_KEY for key, _ in values)):
        values, rank = _with_id_of_resource(values, session_id)
    call = None
    if read.tokens or read.costs or kind in kinds.CALLS:
        call = _call(read, plan, start)
        if kind is None and call.usage is not None and call.model is not None:
            kind = kinds.LLM
        if kind == kinds.POLL or (kind not in kinds.CALLS and not call.says_something):
            call = None
    if call is None and kind != kinds.POLL and "model" in read.fields:
        call = _model_only(read.fields["model"], read.fields.get("provider", plan.emitter.provider))
    if len(name) > LONGEST_LABEL:
        name = cut(name, LONGEST_LABEL)
    if len(scope) > LONGEST_LABEL:
        scope = cut(scope, LONGEST_LABEL)
    turn = agent = None
    if plan.names_lane:
        turn, agent = _lane(read, plan, values)
    return SpanFacts(
        span_id,
        parent_id,
        start,
        end,
        failed,
        kind or kinds.OTHER,
        scope,
        name,
        values,
        cuts,
        labels,
        call,
        rank,
        consumer,
        "",
        turn,
        agent,
    )


def _lane(read: Read, plan: Plan, values: Values) -> tuple[str | None, str | None]:
    """The turn and the sub-agent that the span names. A main agent may have the id of its session, or the program's name."""
    agent = read.fields.get("agent")
    if agent is not None and (agent in plan.emitter.main_agents or (ID_KEY, agent) in values):
        agent = None
    return read.fields.get("turn"), agent


class _Who(NamedTuple):
    """The facts that are the same in many spans: session and labels."""

    values: Values
    cut: tuple[str, ...]
    labels: Labels
    rank: int


_CONDITIONS: Final = frozenset({"service_tier", "requested_tier", "batch", "speed", "server_address"})
"""The fields that a price may depend on beside the model."""

REPEATED: Final = 1
"""The rank of a `session.id` that another name on the span repeats; the other names follow."""

OF_RESOURCE: Final = 1_000
"""The rank of a `session.id` on the resource, which is the lowest."""

_NOTHING: Final = Read()
_TEXTS: Final = frozenset({str})
"""Only texts are cached: values of other types may be equal but not the same, such as `1` and `True`."""

_SEEN_KEPT: Final = 8_192
_SEEN_LENGTH: Final = 1_024
_seen: Final[dict[tuple[Part, tuple[Any, ...], str | None, str | None], _Who]] = {}
_kinds: Final[dict[tuple[Part, tuple[Any, ...]], str | None]] = {}


def _look(
    attributes: Mapping[str, Any],
    by: Part,
    given: tuple[Any, ...],
    service: str | None,
    environment: str | None,
    *,
    is_kept: bool,
) -> _Who:
    """Read these facts, and cache them if the next span may have the same."""
    dropped = drops.events
    who = _who(read_planned(attributes, by.steps), service, environment)
    # A dropped value must be counted every time, and long texts and plans that are not kept must not fill the memory.
    if (
        is_kept
        and drops.events == dropped
        and _TEXTS.issuperset(map(type, given))
        and sum(map(len, given)) + _length(service, environment) <= _SEEN_LENGTH
    ):
        if len(_seen) >= _SEEN_KEPT:
            _seen.clear()
        _seen[by, given, service, environment] = who
    return who


def _kind(attributes: Mapping[str, Any], by: Part, *, is_kept: bool) -> str | None:
    """The kind that a span names, from the cache if it can be."""
    given = by.pick(attributes)
    try:
        return _kinds[by, given]
    except (KeyError, TypeError):
        pass
    kind: str | None = read_planned(attributes, by.steps).fields.get("kind")
    if is_kept and _TEXTS.issuperset(map(type, given)) and sum(map(len, given)) <= _SEEN_LENGTH:
        if len(_kinds) >= _SEEN_KEPT:
            _kinds.clear()
        _kinds[by, given] = kind
    return kind


def _who(read: Read, service: str | None, environment: str | None) -> _Who:
    fields = read.fields
    session_id, rank = _session_id(read.session_ids) if read.session_ids else (None, 0)
    if read.session_keys:
        if session_id is not None and len(read.session_keys) == DEFAULT_LIMITS.session_keys:
            read.session_keys.popitem()  # the id keeps its place
        own = {ID_KEY: session_id, **read.session_keys} if session_id is not None else read.session_keys
        values: Values = tuple(sorted(own.items()))
    else:
        values = () if session_id is None else _id_values(session_id)
    service, environment = _label(service), _label(fields.get("environment", environment))
    name, user_id, tags = fields.get("session_name"), fields.get("user_id"), fields.get("tags", ())
    title = fields.get("session_title")
    # These two may be longer than the other texts.
    if _length(service, environment) <= _SEEN_LENGTH:
        labels = _labels(name, user_id, tags, service, environment, title)
    else:
        labels = Labels(name, user_id, tags, (), service, environment, title)
    if read.metadata:
        labels = labels._replace(metadata=tuple(sorted(read.metadata.items())))
    return _Who(values, fields.get("cut", ()), labels, rank)


def _session_id(ids: Mapping[int, str]) -> tuple[str, int]:
    """The id by the name of the highest rank, and that rank.

    Instrumentations write an id of their own over `session.id` after the start of a span, beside the name that they know it
    by. So a `session.id` that another name on the span repeats ranks between both: it gives way to the `session.id` of an
    ancestor.
    """
    if len(ids) == 1:  # nearly always
        ((rank, value),) = ids.items()
        return value, rank + REPEATED if rank else 0
    rank = min(ids)
    value = ids[rank]
    if rank == 0 and any(other == value for name, other in ids.items() if name):
        return value, REPEATED
    return value, rank + REPEATED if rank else 0


def _with_id_of_resource(values: Values, session_id: str) -> tuple[Values, int]:
    checked = checked_id(session_id)
    if checked is None:
        return values, 0
    return tuple(sorted(((ID_KEY, checked), *values))), OF_RESOURCE


def _label(name: str | None) -> str | None:
    return None if name is None else cut(name, LONGEST_LABEL)


def _length(service: str | None, environment: str | None) -> int:
    return len(service or "") + len(environment or "")


@lru_cache(maxsize=8_192)
def _id_values(session_id: str) -> Values:
    return ((ID_KEY, session_id),)


@lru_cache(maxsize=8_192)
def _labels(
    name: str | None,
    user_id: str | None,
    tags: tuple[str, ...],
    service: str | None,
    environment: str | None,
    title: str | None,
) -> Labels:
    """One object for all equal labels; without metadata, in which `1` would be taken for `True`."""
    return Labels(name, user_id, tags, (), service, environment, title)


@lru_cache(maxsize=1_024)
def _model_only(model: str, provider: str | None) -> Call:
    """What a span says that is no call but names a model; calls below it may lack the name."""
    return Call(model=model, provider=provider)


def _call(read: Read, plan: Plan, start: int) -> Call:
    fields = read.fields
    model, request_model = fields.get("model"), fields.get("request_model")
    provider = fields.get("provider", plan.emitter.provider)
    waited = fields.get("time_to_first_token")
    if waited is None and "first_token_at" in fields and fields["first_token_at"] >= start:
        waited = fields["first_token_at"] - start
    usage = None
    if read.tokens:
        has_total = any("total" in family for family in read.tokens.values())
        usage = normalise(read.tokens, thinks_beside=has_total and thinks_beside(provider, model))
    return Call(
        usage,
        model,
        request_model,
        provider,
        fields.get("response_id"),
        fields.get("call_id"),
        _context(fields, model or request_model),
        _reported(read.costs) if read.costs else None,
        fields.get("cache_hit", False),
        plan.is_request,
        waited,
    )


def _context(fields: Mapping[str, Any], model: str | None) -> tuple[tuple[str, str], ...]:
    """The conditions of the price: the tier that the response names, else the one that was asked for, and so on."""
    context: tuple[tuple[str, str], ...] = ()
    if _CONDITIONS.isdisjoint(fields):
        return context
    tier = fields.get("service_tier") or fields.get("requested_tier")
    if fields.get("batch") or tier == "batch":
        context = (("processing", "batch"),)
    if tier is not None and tier != "batch":
        context = (("service_tier", tier), *context)
    if "speed" in fields:
        context += (("speed", fields["speed"]),)
    if model is not None and "server_address" in fields and runs_locally(fields["server_address"], model):
        context += (LOCAL_SERVER,)
    return context


def _reported(reported: Mapping[int, Mapping[str, tuple[Decimal, str]]]) -> Cost | None:
    """The cost of the first family that has one; without a total it is the sum of input and output."""
    for _, costs in sorted(reported.items()):
        sides = [costs[side] for side in ("cost_input", "cost_output") if side in costs]
        if "cost_total" in costs:
            total, source = costs["cost_total"]
        elif len(sides) == 2:
            total, source = EXACT.add(sides[0][0], sides[1][0]), sides[0][1]
        else:
            continue
        input_, output = costs.get("cost_input"), costs.get("cost_output")
        return Cost(input_ and input_[0], output and output[0], total, f"reported:{source}")
    return None
