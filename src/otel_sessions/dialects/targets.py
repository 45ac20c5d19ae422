"""Targets: which field an attribute is a candidate of, made from the tables of `names`, `families`, `kinds` and `emitters`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import SESSION_CUT, SESSION_KEY_PREFIX, SESSION_PREVIOUS_ID
from otel_sessions.dialects import documents, families, kinds, names, values
from otel_sessions.dialects.emitters import Emitter
from otel_sessions.given import check_cut
from otel_sessions.rules import MetadataValue

_ENTRIES: Final = 64
"""Entries examined of one document of metadata; at most `Limits.metadata` of them are kept."""

PREVIOUS_ID: Final = "previous_id"
"""The name among the metadata of the session that one follows."""

FIELD, TOKENS, COST, SESSION_ID, SESSION_KEY, METADATA, DOCUMENT, USAGE = range(8)
"""What an attribute fills; a document is `USAGE` if none of its entries tells who."""

FAMILIES: Final = (*families.FAMILIES.values(), *families.OWN)


class Target(NamedTuple):
    """One field that an attribute is a candidate of.

    Attributes:
        what: the part of `Read` that it fills.
        slot: the name in that part: of the field, of the session key, of the metadata entry.
        key: a unique name of the field, for the comparison of ranks.
        rank: its place in the order of the field's candidates, lowest first.
        parse: from the attribute's value to the field's; `None` for an invalid value.
        family: its index in `FAMILIES`, for tokens and costs.
    """

    what: int
    slot: str
    key: str
    rank: int
    parse: Callable[[Any], Any]
    family: int


_TIMES_TO_FIRST_TOKEN: Final = (
    *((name, values.seconds) for name in names.SECONDS_TO_FIRST_TOKEN),
    *((name, values.milliseconds) for name in names.MS_TO_FIRST_TOKEN),
)

BARE_MODEL: Final = Target(FIELD, "model", "model", len(names.MODEL), values.name, -1)


def prefixed(name: str) -> Iterator[Target]:
    """The targets of a name that is not in a table: those of its prefix."""
    if name.startswith(SESSION_KEY_PREFIX):
        key = values.checked_key(name.removeprefix(SESSION_KEY_PREFIX))
        if key is not None:
            yield Target(SESSION_KEY, key, name, 0, values.checked_keyed_value, -1)
        return
    for rank, pattern in enumerate(names.METADATA):
        prefix = pattern.removesuffix("*")
        if name.startswith(prefix) and name != prefix:
            slot = values.checked_metadata_name(name.removeprefix(prefix))
            if slot is not None:
                yield Target(METADATA, slot, "metadata:" + slot, rank, _metadata, -1)
            return


def document_reader(document: str, paths: list[str]) -> Callable[[Any], Any]:
    """A parser from a JSON string or a mapping to attributes named `document#path`, for the paths that are candidates.

    In a document that is metadata, every entry is a candidate.
    """
    summed = documents.SUMMED.get(document)
    if summed is not None:
        return _summed_reader(summed, {path: f"{document}#{path}" for path in paths})
    is_metadata = document + "#*" in names.METADATA
    split = [(f"{document}#{path}", tuple(path.split("."))) for path in paths]

    def read(value: Any) -> dict[str, Any] | None:
        parsed = values.from_json(value)
        if not isinstance(parsed, Mapping):
            return None
        entries = islice(parsed.items(), _ENTRIES) if is_metadata else ()
        named = {f"{document}#{key}": value for key, value in entries if isinstance(key, str)}
        return {**named, **{name: values.inside(parsed, path) for name, path in split}}

    return read


def _summed_reader(
    summed: Callable[[Mapping[str, Any]], Mapping[str, Any]], named: Mapping[str, str]
) -> Callable[[Any], Any]:
    def read(value: Any) -> dict[str, Any] | None:
        parsed = values.from_printed(value)
        if not isinstance(parsed, Mapping):
            return None
        return {named[slot]: found for slot, found in summed(parsed).items() if found is not None and slot in named}

    return read


def _cut(value: object) -> tuple[str, ...] | None:
    return check_cut(value, strict=False) or None


def _metadata(value: object) -> MetadataValue | None:
    return values.checked_metadata(value) if isinstance(value, str | bool | int | float) else None


def _environment(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _kind_parser(table: Mapping[str, str]) -> Callable[[Any], str | None]:
    def parse(value: object) -> str | None:
        if type(value) is str and value in table:
            return table[value]
        name = values.text(value)
        return None if name is None else table.get(name) or table.get(name.lower())

    return parse


def _pending(value: object) -> str | None:
    return kinds.PENDING if value == "pending_span" else None


def _string_id(value: object) -> str | None:
    return values.checked_id(value) if isinstance(value, str) else None


def _field(slot: str, candidates: tuple[str, ...], parse: Callable[[Any], Any]) -> Iterator[tuple[str, Target]]:
    for rank, name in enumerate(candidates):
        document, _, key = name.partition("#")
        if document in documents.LAZY:
            yield document, Target(FIELD, slot, slot, rank, _member_parser(key, parse), -1)
        else:
            yield name, Target(FIELD, slot, slot, rank, parse, -1)


def _member_parser(key: str, parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A parser of one member of a JSON object; the text is searched first, since few objects have the member."""
    quoted = f'"{key}"'

    def read(value: Any) -> Any:
        if isinstance(value, str) and quoted not in value:
            return None
        return parse(values.inside(values.from_json(value), (key,)))

    return read


def _family(index: int, family: families.Family) -> Iterator[tuple[str, Target]]:
    for slot in family._fields:
        candidates = getattr(family, slot)
        if not isinstance(candidates, tuple) or slot == "cost_micros":
            continue
        is_cost = slot.startswith("cost_")
        for rank, name in enumerate(candidates):
            parse = values.money if is_cost else values.tokens
            yield name, Target(COST if is_cost else TOKENS, slot, f"{index}:{slot}", rank, parse, index)
    for place, name in enumerate(family.cost_micros, len(family.cost_total)):
        yield name, Target(COST, "cost_total", f"{index}:cost_total", place, values.micros, index)


def entries(
    session_names: tuple[str, ...] = names.SESSION_ID, parse_id: Callable[[Any], str | None] = values.checked_id
) -> Iterator[tuple[str, Target]]:
    """What spans and records are read by: attribute names, each with a field that it is a candidate of."""
    for rank, name in enumerate(session_names):
        parse = _string_id if name in names.STRINGS_ONLY else parse_id
        # All of them are read, since it matters whether one repeats another.
        yield name, Target(SESSION_ID, name, "session_id:" + name, rank, parse, -1)
    for rank, name in enumerate(names.USER_ID):
        parse_user = values.known_user_id if name in names.UNKNOWN_IS_NONE else values.checked_user_id
        yield name, Target(FIELD, "user_id", "user_id", rank, parse_user, -1)
    yield (
        SESSION_PREVIOUS_ID,
        Target(METADATA, PREVIOUS_ID, "metadata:" + PREVIOUS_ID, len(names.METADATA), values.checked_id, -1),
    )
    yield from _field("session_name", names.SESSION_NAME, values.checked_name)
    yield from _field("session_title", names.SESSION_TITLE, values.title)
    yield from _field("tags", names.TAGS, values.strings)
    yield from _field("environment", names.ENVIRONMENT, _environment)
    yield from _field("model", names.MODEL, values.name)
    yield from _field("request_model", names.REQUEST_MODEL, values.name)
    yield from _field("provider", names.PROVIDER, values.name)
    for provider in documents.RAW_PROVIDERS:
        for name in documents.of_raw_spans("usage", "usageMetadata"):
            if name.startswith(f"llm.{provider}."):
                yield name, Target(FIELD, "provider", "provider", len(names.PROVIDER), _constant(provider), -1)
    yield from _field("response_id", names.RESPONSE_ID, values.name)
    yield from _field("call_id", names.CALL_ID, values.name)
    yield from _field("cache_hit", names.CACHE_HIT, values.flag)
    yield from _field("service_tier", names.SERVICE_TIER, values.name)
    yield from _field("requested_tier", names.REQUESTED_TIER, values.name)
    yield from _field("speed", names.SPEED, values.name)
    yield from _field("batch", names.BATCH, values.flag)
    yield from _field("server_address", names.SERVER_ADDRESS, values.host)
    yield from _field("agent", names.AGENT, values.name)
    for rank, (name, parse_time) in enumerate(_TIMES_TO_FIRST_TOKEN):
        yield name, Target(FIELD, "time_to_first_token", "time_to_first_token", rank, parse_time, -1)
    yield from _field("first_token_at", names.FIRST_TOKEN_AT, values.moment)
    yield from _field("cut", (SESSION_CUT,), _cut)
    for name in names.PENDING:
        yield name, Target(FIELD, "kind", "kind", -1, _pending, -1)
    for rank, (name, table) in enumerate(kinds.KINDS):
        yield name, Target(FIELD, "kind", "kind", rank, _kind_parser(table), -1)
    for kind, present in ((kinds.TOOL, kinds.TOOL_NAMES), (kinds.AGENT, kinds.AGENT_NAMES)):
        for name in present:
            yield name, Target(FIELD, "kind", "kind", len(kinds.KINDS), _constant(kind), -1)
    for index, family in enumerate(families.FAMILIES.values()):
        yield from _family(index, family)


def _constant(value: str) -> Callable[[Any], str]:
    return lambda _: value


def entries_of(emitter: Emitter) -> Iterator[tuple[str, Target]]:
    """What the spans and records of one emitter are read by: the names that all share, then its own."""
    yield from entries(emitter.sessions, values.known_id if emitter.unknown_is_none else values.checked_id)
    for family in emitter.families:
        yield from _family(FAMILIES.index(family), family)
    yield from _after("model", emitter.model, values.name, len(names.MODEL))
    yield from _after("response_id", emitter.response_id, values.name, len(names.RESPONSE_ID))
    yield from _after("call_id", emitter.call_id, values.name, len(names.CALL_ID))
    yield from _after("speed", emitter.speed, values.name, len(names.SPEED))
    yield from _after("turn", emitter.turn, values.name)
    # Its own words for its agents say more than the general ones, which name the program.
    yield from _after("agent", emitter.agent, values.name, -len(emitter.agent))
    yield from _after("agent", emitter.source, values.sub_agent, len(names.AGENT))
    yield from _after(
        "time_to_first_token", emitter.time_to_first_token, values.milliseconds, len(_TIMES_TO_FIRST_TOKEN)
    )
    if emitter.kinds is not None:
        name, table = emitter.kinds
        yield name, Target(FIELD, "kind", "kind", len(kinds.KINDS), _kind_parser(table), -1)


def _after(
    slot: str, candidates: tuple[str, ...], parse: Callable[[Any], Any], rank: int = 0
) -> Iterator[tuple[str, Target]]:
    """Further candidates of a field, from a rank on."""
    for place, name in enumerate(candidates):
        yield name, Target(FIELD, slot, slot, rank + place, parse, -1)
