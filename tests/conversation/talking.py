"""Sessions for tests of conversations, tersely: a message is a word whose first letter is its role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.counting.building import AT, MS, fact

from otel_sessions.content.message import ASSISTANT, SYSTEM, TOOL, USER, Message, Text
from otel_sessions.conversation.chains import Chain, Link, Links
from otel_sessions.conversation.conversation import Line, Member, Switch, conversation
from otel_sessions.counting.calls import CACHE_HIT
from otel_sessions.counting.model_call import ModelCall

ROLES = {"s": SYSTEM, "u": USER, "a": ASSISTANT, "t": TOOL}


def message(word: str) -> Message:
    """The message that a word stands for: `u1` is one of a user."""
    return Message(ROLES[word[0]], (Text(word),))


def links(words: str) -> Links:
    """The messages of several words."""
    return Links.of(Link.of(message(word)) for word in words.split())


WORDS = {message(f"{letter}{number}").digest: f"{letter}{number}" for letter in ROLES for number in ("", *range(1_000))}


def call(span_id: int, trace_id: int | None = 1, at: int = 0, lasts: int = 10, **more: Any) -> ModelCall:
    """An entry of the list of calls; times in ms."""
    known: dict[str, Any] = dict.fromkeys(ModelCall.__dataclass_fields__)
    known.update(
        trace_id=trace_id,
        span_id=span_id,
        start=AT + at * MS,
        duration_ms=float(lasts),
        operation="chat",
        counted=True,
        evidence=("span",),
        cost_exact=True,
        failed=False,
    )
    return ModelCall(**{**known, **more})


def chain(record: int, given: str = "", came: str = "", *, unit: int = 1, at: int = 0, **more: Any) -> Chain:
    """What a record holds."""
    return Chain(unit, record, more.pop("parent", 0), AT + at * MS, links(given), links(came), **more)


@dataclass
class Talk:
    """A session that is told record by record; each begins ten ms after the one before it."""

    members: list[Member] = field(default_factory=list)
    calls: list[ModelCall] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    now: int = 0
    last_id: int = 100

    def record(
        self,
        kind: str,
        given: str = "",
        came: str = "",
        *,
        unit: int = 1,
        lane: str | None = None,
        at: int | None = None,
        lasts: int = 10,
        span_id: int | None = None,
        parent: int | None = None,
        is_new: bool = False,
        compacted: bool = False,
        **facts: Any,
    ) -> int:
        """Add a span or record and what it holds; its id."""
        start = self.now if at is None else at
        self.now = start + lasts + 10
        self.last_id += 1
        id_ = self.last_id if span_id is None else span_id
        times = {"start": AT + start * MS, "end": AT + (start + lasts) * MS}
        self.members.append(Member(unit, fact(id_, parent, kind=kind, **{**times, **facts}), lane))
        if given or came:
            above = (parent or 0) if facts.get("event") else 0
            self.chains.append(
                chain(id_, given, came, unit=unit, at=start, parent=above, is_new=is_new, compacted=compacted)
            )
        return id_

    def call(self, given: str = "", came: str = "", **more: Any) -> int:
        """Add a counted model call."""
        entry = {name: more.pop(name) for name in ("failed", "counted", "reason", "counted_as") if name in more}
        id_ = self.record("llm", given, came, **more)
        facts = self.members[-1].facts
        trace_id = more.get("unit", 1)
        if facts.event and "values" in more:
            trace_id = None
        self.calls.append(
            call(
                id_,
                trace_id,
                (facts.start - AT) // MS,
                (facts.end - facts.start) // MS,
                lane=more.get("lane"),
                **entry,
            )
        )
        return id_

    def lines(self, switch: Switch | None = None) -> list[Line]:
        """Its conversation."""
        if switch is None:
            return conversation(self.members, self.calls, self.chains)
        return conversation(self.members, self.calls, self.chains, switch=switch)

    @property
    def read(self) -> list[str]:
        """Its conversation as texts, such as `2:a1` for a message of branch 2; `a?` is one that was not captured, `a!` a failure."""
        return [shown(line) for line in self.lines()]

    @property
    def forks(self) -> dict[int, tuple[str | None, str]]:
        """By branch, the message that it goes on from, and why."""
        lines = self.lines()
        return {
            line.branch: (None if line.fork[0] is None else shown(lines[line.fork[0]]), line.fork[1])
            for line in lines
            if line.fork is not None
        }


def shown(line: Line) -> str:
    """A line as `Talk.read` shows it."""
    branch = f"{line.branch}:" if line.branch else ""
    if line.digest is not None:
        return branch + WORDS[line.digest]
    return branch + line.role[0] + ("!" if line.captured else "?")


def in_any_order(talk: Talk, orders: Iterable[tuple[list[int], list[int], list[int]]]) -> list[list[Line]]:
    """Its conversation, told in these orders."""
    found = []
    for members, calls, chains in orders:
        other = replace(
            talk,
            members=[talk.members[place] for place in members],
            calls=[talk.calls[place] for place in calls],
            chains=[talk.chains[place] for place in chains],
        )
        found.append(other.lines())
    return found


__all__ = ["CACHE_HIT", "Talk", "call", "chain", "in_any_order", "links", "message", "shown"]
