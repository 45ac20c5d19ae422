"""`Check`: a question about what would explain an empty or wrong list; `Seen`: what it is answered from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from otel_sessions.cli.shown import number

Item = Mapping[str, Any]


class Told(NamedTuple):
    """What a check found.

    Attributes:
        finding: what is so, for people.
        fix: the command, or the setting, that changes it.
    """

    finding: str
    fix: str


class Uncaptured(NamedTuple):
    """A session of which no words were captured.

    Attributes:
        session: its id.
        switch: what turns it on, `None` if that is not known.
    """

    session: str
    switch: str | None


@dataclass(frozen=True)
class Seen:
    """What a server answered, and what this shell has.

    Attributes:
        url: the address of the server; `None` for a folder.
        now: by the clock of this machine, nanoseconds UTC.
        version: of the command.
        has_key: an API key was sent.
        wants_key: the server tells nothing without one.
        health: of the server, `None` if it does not answer.
        unassigned: services with records in no session.
        keys: the session keys.
        key: the session key that was looked at.
        sessions: those of this key that were last active.
        services: of all sessions.
        models: of the calls, with their prices.
        uncaptured: sessions without words.
        environment: the variables of this shell.
        closed: addresses of this shell's variables at which nothing listens.
        missing: packages that the variables of this shell need, and are not installed.
    """

    url: str | None
    now: int
    version: str
    has_key: bool = False
    wants_key: bool = False
    health: Item | None = None
    unassigned: Sequence[Item] = ()
    keys: Sequence[Item] = ()
    key: str = "id"
    sessions: Sequence[Item] = ()
    services: frozenset[str] = frozenset()
    models: Sequence[Item] = ()
    uncaptured: Sequence[Uncaptured] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()

    def counts(self, name: str) -> Sequence[Item]:
        """A list of the health; empty if the server does not tell."""
        return (self.health or {}).get(name) or ()


class Check(NamedTuple):
    """A question.

    Attributes:
        name: a word for programs, which stays the same.
        question: what it asks.
        look: answers it; nothing if all is well.
    """

    name: str
    question: str
    look: Callable[[Seen], Iterable[Told]]


class Finding(NamedTuple):
    """What a check found, with its name and question."""

    check: str
    question: str
    finding: str
    fix: str


def findings(checks: Iterable[Check], seen: Seen) -> list[Finding]:
    """All that these checks find, in their order."""
    return [Finding(check.name, check.question, *told) for check in checks for told in check.look(seen)]


def counted(count: int, what: str) -> str:
    """A number of things whose plural ends in s: `1 span`, `2 spans`."""
    return f"{number(count)} {what}" + ("" if count == 1 else "s")
