"""Reading a span's attributes: one pass over all dialects at once, with one lookup per attribute.

The tables of `names` and `kinds` are inverted once: each attribute name leads to the fields that it is a candidate of,
its place in their order, and its parser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import SESSION_CUT, SESSION_KEY_PREFIX
from otel_sessions.dialects import documents, families, kinds, names, values
from otel_sessions.given import check_cut
from otel_sessions.rules import DEFAULT_LIMITS, MetadataValue

_REMEMBERED_NAMES: Final = 4_096
_REMEMBERED_PLANS: Final = 1_024
_ENTRIES: Final = 64
"""Entries examined of one document of metadata; at most `Limits.metadata` of them are kept."""

_WHO: Final = frozenset({"user_id", "session_name", "tags", "environment", "cut", "kind"})

_FIELD, _TOKENS, _COST, _SESSION_ID, _SESSION_KEY, _METADATA, _DOCUMENT, _USAGE = range(8)
"""What an attribute fills; a document is `_USAGE` if none of its entries tells who."""

FAMILIES: Final = (*families.FAMILIES.values(), families.CLAUDE_CODE)


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


class Read:
    """The fields read from the attributes of one span; an absent field is not in its mapping, an empty mapping is `None`."""

    __slots__ = ("costs", "fields", "metadata", "session_ids", "session_keys", "tokens")

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        # Most spans have none of these, so each is made with its first value.
        self.session_ids: dict[int, str] | None = None
        self.session_keys: dict[str, str] | None = None
        self.metadata: dict[str, MetadataValue] | None = None
        self.tokens: dict[int, dict[str, int]] | None = None
        self.costs: dict[int, dict[str, tuple[Decimal, str]]] | None = None


def read_attributes(attributes: Mapping[str, Any], scope: str = "") -> Read:
    """The fields of a span with these attributes, in any dialect; `scope` is the name of the instrumentation scope.

    Never raises for any value of an attribute.
    """
    return read_planned(attributes, plan_of(attributes, scope).steps)


def is_read(name: str) -> bool:
    """Return True if `read_attributes` reads attributes of this name, in any instrumentation scope."""
    return any(table[name] for table in (_TABLE, _CLAUDE_CODE, _CODEX))


def read_planned(attributes: Mapping[str, Any], steps: Steps) -> Read:
    """The fields in some of a span's attributes: those of a plan, or of a part of a plan."""
    read = Read()
    _fill(read, {}, attributes, steps)
    return read


Steps = tuple[tuple[str, tuple[Target, ...]], ...]
"""Attribute names, each with the fields that it is a candidate of."""


class Ranked(NamedTuple):
    """Candidates of fields, tokens and costs, the best first: the first valid one wins."""

    fields: tuple[tuple[str, str, Callable[[Any], Any]], ...]
    tokens: tuple[tuple[str, str, Callable[[Any], Any], int], ...]
    costs: tuple[tuple[str, str, Callable[[Any], Any], int], ...]
    documents: Steps | None


def _ranked(steps: Steps) -> Ranked | None:
    """The candidates by rank; `None` without any."""
    by_rank = sorted(
        ((name, target) for name, targets in steps for target in targets), key=lambda candidate: candidate[1].rank
    )
    if not by_rank:
        return None
    tokens, costs = (
        tuple((name, target.slot, target.parse, target.family) for name, target in by_rank if target.what == what)
        for what in (_TOKENS, _COST)
    )
    return Ranked(
        tuple((name, target.slot, target.parse) for name, target in by_rank if target.what == _FIELD),
        tokens,
        costs,
        # The entries of a document compete with the other names, so all of them are read one by one.
        steps if any(target.what == _USAGE for _, target in by_rank) else None,
    )


def read_ranked(attributes: Mapping[str, Any], ranked: Ranked) -> Read:
    """The fields in the attributes that `Plan.who` does not pick."""
    if ranked.documents is not None:
        return read_planned(attributes, ranked.documents)
    read = Read()
    fields = read.fields
    for name, slot, parse in ranked.fields:
        if slot not in fields:
            parsed = parse(attributes[name])
            if parsed is not None:
                fields[slot] = parsed
    if ranked.tokens:
        by_family: dict[int, dict[str, int]] = {}
        for name, slot, parse, family in ranked.tokens:
            parsed = parse(attributes[name])
            if parsed is not None:
                by_family.setdefault(family, {}).setdefault(slot, parsed)
        read.tokens = by_family
    for name, slot, parse, family in ranked.costs:
        parsed = parse(attributes[name])
        if parsed is not None:
            read.costs = read.costs or {}
            read.costs.setdefault(family, {}).setdefault(slot, (parsed, name))
    return read


class Plan:
    """The steps to read spans whose attributes have certain names; spans of one place in the code share a plan.

    Attributes:
        steps: all names that are candidates of a field.
        who: picks the values that give session, user, labels and kind, which are the same in many spans; `None` if
            there is no such value, or if a document may hold some of them.
        is_kept: the next span with these names gets the same plan.
        who_steps: the steps of the names that `who` picks.
        others: the candidates in all other names.
        is_request: some of these attributes are only on spans that are a request to a model.
    """

    __slots__ = ("is_kept", "is_request", "others", "steps", "who", "who_steps")

    def __init__(self, steps: Steps, *, is_kept: bool, is_request: bool) -> None:
        self.steps = steps
        self.is_request = is_request
        self.is_kept = is_kept
        self.who_steps = _part(steps, who=True)
        self.others = _ranked(_part(steps, who=False))
        self.who: Callable[[Mapping[str, Any]], tuple[Any, ...]] | None = None
        # The content of a document is known only after it was read, and may compete with any other name.
        if self.who_steps and not any(target.what == _DOCUMENT for _, targets in steps for target in targets):
            self.who = _picker(tuple(name for name, _ in self.who_steps))


def _picker(wanted: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(wanted) == 1:  # `itemgetter` returns no tuple for one name
        (only,) = wanted
        return lambda attributes: (attributes[only],)
    return itemgetter(*wanted)


def plan_of(attributes: Mapping[str, Any], scope: str = "") -> Plan:
    """The plan for a span with attributes of these names; `scope` is the name of the instrumentation scope."""
    table = _table_of(scope)
    given = tuple(attributes)
    plan = table.plans.get(given)
    return table.plan(given) if plan is None else plan


def _part(steps: Steps, *, who: bool) -> Steps:
    parts = ((name, tuple(target for target in targets if _tells_who(target) is who)) for name, targets in steps)
    return tuple((name, targets) for name, targets in parts if targets)


def _tells_who(target: Target) -> bool:
    return target.what in (_SESSION_ID, _SESSION_KEY, _METADATA) or (target.what == _FIELD and target.slot in _WHO)


_BARE_MODEL: Final = Target(_FIELD, "model", "model", len(names.MODEL), values.name, -1)


def _may_be_a_call(target: Target) -> bool:
    """Whether a span with this target may be one call of a model."""
    return target.slot == "kind" or not (_tells_who(target) or target.slot == "server_address")


def _fill(read: Read, ranks: dict[str, int], attributes: Mapping[str, Any], steps: Steps) -> None:
    fields = read.fields
    for name, targets in steps:
        value = attributes[name]
        for what, slot, key, rank, parse, family in targets:
            if key in ranks and ranks[key] <= rank:
                continue
            parsed = parse(value)
            if parsed is None:
                continue
            ranks[key] = rank
            if what == _FIELD:
                fields[slot] = parsed
            elif what == _TOKENS:
                if read.tokens is None:
                    read.tokens = {}
                if family in read.tokens:
                    read.tokens[family][slot] = parsed
                else:
                    read.tokens[family] = {slot: parsed}
            elif what == _COST:
                read.costs = read.costs or {}
                read.costs.setdefault(family, {})[slot] = (parsed, name)
            elif what == _SESSION_ID:
                read.session_ids = read.session_ids or {}
                read.session_ids[rank] = parsed
                fields["session_id"] = read.session_ids[min(read.session_ids)]
            elif what == _SESSION_KEY:
                read.session_keys = read.session_keys or {}
                if len(read.session_keys) < DEFAULT_LIMITS.session_keys:
                    read.session_keys[slot] = parsed
            elif what == _METADATA:
                read.metadata = read.metadata or {}
                if slot in read.metadata or len(read.metadata) < DEFAULT_LIMITS.metadata:
                    read.metadata[slot] = parsed
            else:
                _fill(read, ranks, parsed, plan_of(parsed).steps)


class _Table(dict[str, tuple[Target, ...]]):
    """Attribute name to targets. The targets of a name with a prefix are found once and then kept, within bounds."""

    def __init__(self, entries: Iterable[tuple[str, Target]]) -> None:
        by_name: dict[str, list[Target]] = {}
        documents: dict[str, list[str]] = {}
        for name, target in entries:
            by_name.setdefault(name, []).append(target)
            document, mark, path = name.partition("#")
            if mark and path not in documents.setdefault(document, []):
                documents[document].append(path)
        for pattern in names.METADATA:
            document, mark, _ = pattern.partition("#")
            if mark:
                documents.setdefault(document, [])
        for document, paths in documents.items():
            inside = (target for path in paths for target in by_name[f"{document}#{path}"])
            what = _DOCUMENT if document + "#*" in names.METADATA or any(map(_tells_who, inside)) else _USAGE
            by_name.setdefault(document, []).append(
                Target(what, document, document, 0, _document_reader(document, paths), -1)
            )
        super().__init__({name: tuple(targets) for name, targets in by_name.items()})
        self._bound = len(self) + _REMEMBERED_NAMES
        self.plans: dict[tuple[str, ...], Plan] = {}

    def plan(self, attributes: tuple[str, ...]) -> Plan:
        """A new plan, kept within bounds."""
        is_kept = len(self.plans) < _REMEMBERED_PLANS and sum(map(len, attributes)) < _REMEMBERED_NAMES
        steps = tuple((name, targets) for name in attributes if (targets := self[name]))
        if any(name.startswith(names.CODEX_TURN) for name in attributes):
            steps += (("model", (_BARE_MODEL,)),) if "model" in attributes and not self["model"] else ()
        if not any(_may_be_a_call(target) for _, targets in steps for target in targets):
            steps = tuple(step for step in steps if step[0] not in names.SERVER_ADDRESS)
        is_request = any(name.startswith(names.MESSAGES) for name in attributes)
        plan = Plan(steps, is_kept=is_kept, is_request=is_request)
        if is_kept:
            self.plans[attributes] = plan
        return plan

    def __missing__(self, name: str) -> tuple[Target, ...]:
        targets = tuple(_prefixed(name))
        if len(self) < self._bound and len(name) < _REMEMBERED_NAMES:
            self[name] = targets
        return targets


def _prefixed(name: str) -> Iterator[Target]:
    if name.startswith(SESSION_KEY_PREFIX):
        key = values.checked_key(name.removeprefix(SESSION_KEY_PREFIX))
        if key is not None:
            yield Target(_SESSION_KEY, key, name, 0, values.checked_keyed_value, -1)
        return
    for rank, pattern in enumerate(names.METADATA):
        prefix = pattern.removesuffix("*")
        if name.startswith(prefix) and name != prefix:
            slot = values.checked_metadata_name(name.removeprefix(prefix))
            if slot is not None:
                yield Target(_METADATA, slot, "metadata:" + slot, rank, _metadata, -1)
            return


def _document_reader(document: str, paths: list[str]) -> Callable[[Any], Any]:
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
            yield document, Target(_FIELD, slot, slot, rank, _member_parser(key, parse), -1)
        else:
            chosen = _string_id if name in names.STRINGS_ONLY else parse
            yield name, Target(_FIELD, slot, slot, rank, chosen, -1)


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
        if not isinstance(candidates, tuple):
            continue
        is_cost = slot.startswith("cost_")
        for rank, name in enumerate(candidates):
            parse = values.money if is_cost else values.tokens
            yield name, Target(_COST if is_cost else _TOKENS, slot, f"{index}:{slot}", rank, parse, index)


def _entries(session_names: tuple[str, ...] = names.SESSION_ID) -> Iterator[tuple[str, Target]]:
    for rank, name in enumerate(session_names):
        parse = _string_id if name in names.STRINGS_ONLY else values.checked_id
        # All of them are read, since it matters whether one repeats another.
        yield name, Target(_SESSION_ID, name, "session_id:" + name, rank, parse, -1)
    yield from _field("user_id", names.USER_ID, values.checked_user_id)
    yield from _field("session_name", names.SESSION_NAME, values.checked_name)
    yield from _field("tags", names.TAGS, values.strings)
    yield from _field("environment", names.ENVIRONMENT, _environment)
    yield from _field("model", names.MODEL, values.name)
    yield from _field("request_model", names.REQUEST_MODEL, values.name)
    yield from _field("provider", names.PROVIDER, values.name)
    for provider in documents.RAW_PROVIDERS:
        for name in documents.of_raw_spans("usage", "usageMetadata"):
            if name.startswith(f"llm.{provider}."):
                yield name, Target(_FIELD, "provider", "provider", len(names.PROVIDER), _constant(provider), -1)
    yield from _field("response_id", names.RESPONSE_ID, values.name)
    yield from _field("call_id", names.CALL_ID, values.name)
    yield from _field("cache_hit", names.CACHE_HIT, values.flag)
    yield from _field("service_tier", names.SERVICE_TIER, values.name)
    yield from _field("requested_tier", names.REQUESTED_TIER, values.name)
    yield from _field("speed", names.SPEED, values.name)
    yield from _field("batch", names.BATCH, values.flag)
    yield from _field("server_address", names.SERVER_ADDRESS, values.host)
    yield from _field("cut", (SESSION_CUT,), _cut)
    for name in names.PENDING:
        yield name, Target(_FIELD, "kind", "kind", -1, _pending, -1)
    for rank, (name, table) in enumerate(kinds.KINDS):
        yield name, Target(_FIELD, "kind", "kind", rank, _kind_parser(table), -1)
    for kind, present in ((kinds.TOOL, kinds.TOOL_NAMES), (kinds.AGENT, kinds.AGENT_NAMES)):
        for name in present:
            yield name, Target(_FIELD, "kind", "kind", len(kinds.KINDS), _constant(kind), -1)
    for index, family in enumerate(families.FAMILIES.values()):
        yield from _family(index, family)


def _constant(value: str) -> Callable[[Any], str]:
    return lambda _: value


def _claude_code_entries() -> Iterator[tuple[str, Target]]:
    yield from _entries(names.CLAUDE_CODE_SESSION_ID)
    yield from _family(len(FAMILIES) - 1, families.CLAUDE_CODE)
    yield "model", _BARE_MODEL
    yield "request_id", Target(_FIELD, "response_id", "response_id", len(names.RESPONSE_ID), values.name, -1)
    yield "speed", Target(_FIELD, "speed", "speed", len(names.SPEED), values.name, -1)
    claude = {
        "llm_request": kinds.LLM,
        "tool": kinds.TOOL,
        "interaction": kinds.AGENT,
        "tool.blocked_on_user": kinds.HUMAN,
    }
    for name in (*claude,):
        claude["claude_code." + name] = claude[name]
    yield "span.type", Target(_FIELD, "kind", "kind", len(kinds.KINDS), _kind_parser(claude), -1)


_TABLE: Final = _Table(_entries())
_CLAUDE_CODE: Final = _Table(_claude_code_entries())
_CODEX: Final = _Table(_entries(names.CODEX_SESSION_ID))


@lru_cache(maxsize=1_024)
def _table_of(scope: str) -> _Table:
    """The table for an instrumentation scope: some emitters use names in a meaning of their own."""
    if scope.startswith(names.CLAUDE_CODE_SCOPE):
        return _CLAUDE_CODE
    return _CODEX if scope.startswith(names.CODEX_SCOPE) else _TABLE
