"""`recompute_prices`: the requests that price again what is counted already, one after another, with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from otel_sessions.cli.client import Client
from otel_sessions.cli.shown import decimal
from otel_sessions.money import EXACT, shown_money


@dataclass
class Recomputed:
    """What all requests did.

    Attributes:
        trace_count: how many traces, and five minutes of log records in no trace, were priced again.
        changed_trace_count: how many of them cost something else than before.
        costs: as in the answers, by session key.
    """

    trace_count: int = 0
    changed_trace_count: int = 0
    costs: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Add what one request did."""
        self.trace_count += answer["trace_count"]
        self.changed_trace_count += answer["changed_trace_count"]
        known = {one["key"]: one for one in self.costs}
        for more in answer["costs"]:
            before = known.get(more["key"])
            if before is None:
                self.costs.append(dict(more))
                continue
            for name, value in more.items():
                if name.startswith("total_cost"):
                    before[name] = shown_money(_sum(decimal(before[name]), decimal(value)))
                elif name != "key":
                    before[name] += value


class _Progress(Protocol):
    def __call__(self, done: int, total: int) -> object: ...


def recompute_prices(client: Client, body: Mapping[str, Any]) -> Recomputed:
    """Have a server price again what `body` names, to the end.

    Raises:
        CommandError: the server cannot be asked, or refuses.
    """
    found = Recomputed()
    following: str | None = None
    with _shown() as progress:
        while True:
            more = {} if following is None else {"cursor": following}
            answer = client.post("/v1/prices/recompute", {**body, **more})["data"]
            found.add(answer)
            progress(answer["done"], answer["total"])
            following = answer["next"]
            if following is None:
                return found


@contextmanager
def _shown() -> Iterator[_Progress]:
    """A progress bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, as is the next one
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("traces", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _silent(done: int, total: int) -> None:
    """Show nothing."""


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return EXACT.add(one, other)
