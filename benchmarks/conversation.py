"""`python -m benchmarks.conversation`: the time that it takes to put the messages of long sessions together.

Every call of the first session repeats all that was said before, those of the second one a window of it, those of the third one nothing;
in the fourth one every answer is given again, so that each turn starts a branch; in the fifth one an agent calls tools in every turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Final

from benchmarks.tables import Row, Table

from otel_sessions.conversation.chains import Chain, Links
from otel_sessions.conversation.conversation import Member, conversation
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.model_call import ModelCall

AT: Final = 1_795_000_000_000_000_000
SECOND: Final = 1_000_000_000
_BIG: Final = 1 << 61
TARGETS: Final = {"whole history": "< 50"}


@dataclass
class Session:
    """What a conversation is put together from."""

    members: list[Member]
    calls: list[ModelCall]
    chains: list[Chain]

    def add(self, unit: int, given: list[int], answer: int, *, tool: int | None = None) -> None:
        """Add a call that was given these messages, and a tool behind it."""
        number = len(self.members) + 1
        start = AT + number * SECOND
        self._add(unit, number, start, "llm", given, [answer])
        known: dict[str, Any] = dict.fromkeys(ModelCall.__dataclass_fields__)
        known.update(trace_id=unit, span_id=number, start=start, duration_ms=500.0, counted=True, failed=False)
        self.calls.append(ModelCall(**known))
        if tool is not None:
            self._add(unit, number + 1, start + SECOND // 2, "tool", [], [tool])

    def _add(self, unit: int, number: int, start: int, kind: str, given: list[int], came: list[int]) -> None:
        facts = SpanFacts(number, None, start, start + SECOND // 2, failed=False, kind=kind, scope="app", name=kind)
        self.members.append(Member(unit, facts))
        self.chains.append(Chain(unit, number, 0, start, _links(given), _links(came)))


def _links(messages: list[int]) -> Links:
    """Every third message is a user's, the next one a model's, the third one a tool's."""
    roles = [("user", "assistant", "tool")[one % 3] for one in messages]
    return Links.of_columns([_BIG + 7 * one for one in messages], [_BIG + 11 * one for one in messages], roles)


def session(turns: int, *, window: int | None = None, twice: bool = False, tools: int = 0) -> Session:
    """A session of this many turns; `window` is how many messages a call is given at most, by default all."""
    made = Session([], [], [])
    said: list[int] = []
    for turn in range(turns):
        said.append(3_000 * turn)
        for step in range(tools):
            answer, tool = 3_000 * turn + 3 * step + 1, 3_000 * turn + 3 * step + 2
            made.add(turn + 1, said, answer, tool=tool)
            said += [answer, tool]
        for again in range(2 if twice else 1):
            made.add(turn + 1, said if window is None else said[-window:], 3_000 * turn + 2_001 + 3 * again)
        said.append(3_000 * turn + 2_001)
    return made


SESSIONS: Final[dict[str, Callable[[int], Session]]] = {
    "whole history": session,
    "a window of 20": partial(session, window=20),
    "what is new alone": partial(session, window=1),
    "answers given twice": partial(session, twice=True),
    "whole history, 3 tools a turn": lambda turns: session(turns // 4, tools=3),
}


def measure(turns: int, rounds: int) -> Table:
    """Milliseconds for each kind of session."""
    rows = []
    for name, make in SESSIONS.items():
        made = make(turns)
        times = []
        lines = 0
        for _ in range(rounds):
            start = time.process_time()
            lines = len(conversation(made.members, made.calls, made.chains))
            times.append((time.process_time() - start) * 1e3)
        links = sum(len(chain.input) + len(chain.output) for chain in made.chains)
        figures = (f"{len(made.calls):,}", f"{links:,}", f"{lines:,}", f"{median(times):.1f}")
        rows.append(Row(name, figures, TARGETS.get(name, "")))
    return Table(f"a conversation of {turns:,} turns", ("calls", "messages given", "lines", "ms of CPU"), rows, ())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversation", description=__doc__)
    parser.add_argument("--turns", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(measure(options.turns, options.rounds))


if __name__ == "__main__":
    main()
