"""Reading a span's attributes: one pass over all dialects at once, with one lookup per attribute.

The tables of `names` and `kinds` are inverted once: each attribute name leads to the fields that it is a candidate of,
its place in their order, and its parser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

from otel_sessions.dialects import emitters, names
from otel_sessions.dialects.emitters import Emitter
from otel_sessions.dialects.events import emitter_of
from otel_sessions.dialects.targets import (
    BARE_MODEL,
    COST,
    DOCUMENT,
    FIELD,
    METADATA,
    SESSION_ID,
    SESSION_KEY,
    TOKENS,
    USAGE,
    Target,
    document_reader,
    entries,
    entries_of,
    prefixed,
)
from otel_sessions.rules import DEFAULT_LIMITS, MetadataValue

_REMEMBERED_NAMES: Final = 4_096
_REMEMBERED_PLANS: Final = 1_024
_WHO: Final = frozenset({"user_id", "session_name", "session_title", "tags", "environment", "cut"})
_KIND: Final = "kind"
_LANE: Final = frozenset({"agent", "turn"})
_OF_NO_CALL: Final = _LANE | {"server_address"}


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


def read_attributes(attributes: Mapping[str, Any], scope: str = "", service: str | None = None) -> Read:
    """The fields of a span with these attributes, in any dialect; `scope` is the name of the instrumentation scope.

    Never raises for any value of an attribute.
    """
    return read_planned(attributes, plan_of(attributes, scope, service).steps)


def is_read(name: str) -> bool:
    """Return True if `read_attributes` reads attributes of this name, in any instrumentation scope of any service."""
    return bool(_ANY[name])


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
        for what in (TOKENS, COST)
    )
    return Ranked(
        tuple((name, target.slot, target.parse) for name, target in by_rank if target.what == FIELD),
        tokens,
        costs,
        # The entries of a document compete with the other names, so all of them are read one by one.
        steps if any(target.what == USAGE for _, target in by_rank) else None,
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


class Part:
    """The part of a plan that tells what is the same in many spans; plans share it.

    Attributes:
        steps: the steps of the names that tell of it.
        pick: picks their values from the attributes of a span.
    """

    __slots__ = ("pick", "steps")

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.pick = _picker(tuple(name for name, _ in steps))


class Plan:
    """The steps to read spans whose attributes have certain names; spans of one place in the code share a plan.

    Attributes:
        steps: all names that are candidates of a field.
        who: tells session, user and labels; `None` if a document may hold some of them, or the kind.
        kind: tells the kind; `None` if nothing does, or if `who` is `None`.
        is_kept: the next span with these names gets the same plan.
        others: the candidates in all other names, if `who` is not `None`.
        is_request: some of these attributes are only on spans that are a request to a model.
        names_lane: some of them are candidates of the agent or the turn.
        emitter: the program that writes these names.
        names: all names of the attributes.
    """

    __slots__ = ("emitter", "is_kept", "is_request", "kind", "names", "names_lane", "others", "steps", "who")

    def __init__(
        self,
        steps: Steps,
        who: Part | None,
        kind: Part | None,
        *,
        is_kept: bool,
        is_request: bool,
        emitter: Emitter,
        names: tuple[str, ...],
    ) -> None:
        self.names = names
        self.steps = steps
        self.who = who
        self.kind = kind
        self.emitter = emitter
        self.names_lane = any(target.slot in _LANE for _, targets in steps for target in targets)
        self.is_request = is_request
        self.is_kept = is_kept
        self.others = _ranked(_part(steps, lambda target: not _tells_who(target) and not _tells_kind(target)))


def _picker(wanted: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if not wanted:
        return lambda _: ()
    if len(wanted) == 1:  # `itemgetter` returns no tuple for one name
        (only,) = wanted
        return lambda attributes: (attributes[only],)
    return itemgetter(*wanted)


def plan_of(attributes: Mapping[str, Any], scope: str = "", service: str | None = None) -> Plan:
    """The plan for a span with attributes of these names, by the names of its instrumentation scope and its service."""
    table = _table_of(scope, service)
    given = tuple(attributes)
    plan = table.plans.get(given)
    return table.plan(given) if plan is None else plan


def plan_by(emitter: Emitter, attributes: Mapping[str, Any]) -> Plan:
    """The plan for a log record of a known emitter."""
    table = _OWN.get(emitter.prefix, _TABLE)
    given = tuple(attributes)
    plan = table.plans.get(given)
    return table.plan(given) if plan is None else plan


def _part(steps: Steps, wanted: Callable[[Target], bool]) -> Steps:
    parts = ((name, tuple(target for target in targets if wanted(target))) for name, targets in steps)
    return tuple((name, targets) for name, targets in parts if targets)


def _tells_who(target: Target) -> bool:
    return target.what in (SESSION_ID, SESSION_KEY, METADATA) or (target.what == FIELD and target.slot in _WHO)


def _tells_kind(target: Target) -> bool:
    return target.what == FIELD and target.slot == _KIND


def _may_be_a_call(target: Target) -> bool:
    """Whether a span with this target may be one call of a model."""
    return target.slot == _KIND or not (_tells_who(target) or target.slot in _OF_NO_CALL)


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
            if what == FIELD:
                fields[slot] = parsed
            elif what == TOKENS:
                if read.tokens is None:
                    read.tokens = {}
                if family in read.tokens:
                    read.tokens[family][slot] = parsed
                else:
                    read.tokens[family] = {slot: parsed}
            elif what == COST:
                read.costs = read.costs or {}
                read.costs.setdefault(family, {})[slot] = (parsed, name)
            elif what == SESSION_ID:
                read.session_ids = read.session_ids or {}
                read.session_ids[rank] = parsed
                fields["session_id"] = read.session_ids[min(read.session_ids)]
            elif what == SESSION_KEY:
                read.session_keys = read.session_keys or {}
                if len(read.session_keys) < DEFAULT_LIMITS.session_keys:
                    read.session_keys[slot] = parsed
            elif what == METADATA:
                read.metadata = read.metadata or {}
                if slot in read.metadata or len(read.metadata) < DEFAULT_LIMITS.metadata:
                    read.metadata[slot] = parsed
            else:
                _fill(read, ranks, parsed, plan_of(parsed).steps)


class _Table(dict[str, tuple[Target, ...]]):
    """Attribute name to targets. The targets of a name with a prefix are found once and then kept, within bounds."""

    def __init__(self, entries: Iterable[tuple[str, Target]], emitter: Emitter) -> None:
        self._emitter = emitter
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
            what = DOCUMENT if document + "#*" in names.METADATA or any(map(_tells_who, inside)) else USAGE
            by_name.setdefault(document, []).append(
                Target(what, document, document, 0, document_reader(document, paths), -1)
            )
        super().__init__({name: tuple(targets) for name, targets in by_name.items()})
        self._bound = len(self) + _REMEMBERED_NAMES
        self.plans: dict[tuple[str, ...], Plan] = {}
        self._parts: dict[tuple[bool, tuple[str, ...]], Part] = {}

    def plan(self, attributes: tuple[str, ...]) -> Plan:
        """A new plan, kept within bounds."""
        is_kept = len(self.plans) < _REMEMBERED_PLANS and sum(map(len, attributes)) < _REMEMBERED_NAMES
        steps = tuple((name, targets) for name in attributes if (targets := self[name]))
        if any(name.startswith(names.CODEX_TURN) for name in attributes):
            steps += (("model", (BARE_MODEL,)),) if "model" in attributes and not self["model"] else ()
        if not any(_may_be_a_call(target) for _, targets in steps for target in targets):
            steps = tuple(step for step in steps if step[0] not in names.SERVER_ADDRESS)
        is_request = any(name.startswith(names.MESSAGES) for name in attributes)
        who, kind = self._shared(steps, is_kept=is_kept)
        plan = Plan(steps, who, kind, is_kept=is_kept, is_request=is_request, emitter=self._emitter, names=attributes)
        if is_kept:
            self.plans[attributes] = plan
        return plan

    def _shared(self, steps: Steps, *, is_kept: bool) -> tuple[Part | None, Part | None]:
        """What tells who, and what tells the kind; the same objects for all kept plans whose names of these are the same."""
        # The content of a document is known only after it was read, and may compete with any other name.
        if any(target.what == DOCUMENT for _, targets in steps for target in targets):
            return None, None
        parts = []
        for tells in (_tells_who, _tells_kind):
            of_part = _part(steps, tells)
            place = (tells is _tells_kind, tuple(name for name, _ in of_part))
            part = self._parts.get(place) or Part(of_part)
            if is_kept:
                self._parts[place] = part
            parts.append(part)
        who, kind = parts
        return who, kind if kind.steps else None

    def __missing__(self, name: str) -> tuple[Target, ...]:
        targets = tuple(prefixed(name))
        if len(self) < self._bound and len(name) < _REMEMBERED_NAMES:
            self[name] = targets
        return targets


_TABLE: Final = _Table(entries(), emitters.ANY)
_OWN: Final = {
    emitter.prefix: _Table(entries_of(emitter), emitter) for emitter in emitters.EMITTERS if emitter.has_own_names
}
_ANY: Final = _Table(chain(entries(), *(entries_of(emitter) for emitter in emitters.EMITTERS)), emitters.ANY)
"""Everything that some table reads."""


@lru_cache(maxsize=1_024)
def _table_of(scope: str, service: str | None) -> _Table:
    """The table for an instrumentation scope and a service: some emitters use names in a meaning of their own."""
    return _OWN.get(emitter_of(scope, service).prefix, _TABLE)
