"""Calls that spans, log records or both tell of, as emitters send them; used by several tests of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.counting.building import AT, MS

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.units import CELL_NS, unit_of

SECOND = 1_000 * MS
SESSION = "s-1"
IN_SESSION = (("id", SESSION),)


@dataclass(frozen=True)
class OneCall:
    """A call: when it ended in ms, its tokens, whether it has an id, and which of its tellings arrive."""

    number: int
    end: int
    usage: Usage
    has_id: bool
    spans: bool
    records: bool
    twins: bool
    in_trace: bool

    @property
    def trace_id(self) -> int:
        """Three calls are in one trace."""
        return 0xA000 + self.number // 3

    def told(self) -> list[tuple[int, SpanFacts]]:
        """What arrives of it, each with its unit."""
        call = Call(self.usage, "m-1", response_id=f"req_{self.number:020d}" if self.has_id else None)
        end = AT + self.end * MS
        fields: dict[str, Any] = {"failed": False, "kind": "llm", "scope": "agent", "values": IN_SESSION}
        found: list[tuple[int, SpanFacts]] = []
        if self.spans:
            span = SpanFacts(self.number + 1, None, end - SECOND, end, name="chat", call=call, **fields)
            found.append((self.trace_id, span))
        priced = call._replace(reported=Cost(None, None, Decimal(self.number + 1), "reported:cost"))
        events = [("agent.answered", priced, 0)] if self.records else []
        events += [("agent.details", call._replace(response_id=None), 3)] if self.twins else []
        for place, (event, say, later) in enumerate(events):
            record = SpanFacts(
                10_000 * (place + 1) + self.number,
                None,
                end - SECOND,
                end + later * MS,
                name=event,
                call=say,
                event=event,
                turn=f"t-{self.number // 3}",
                **fields,
            )
            found.append((self.trace_id if self.in_trace else unit_of(record), record))
        return found


_TOLD = [
    *((True, False, False), (False, True, False), (True, True, False)),
    *((True, True, True), (False, True, True), (True, False, True)),
]
"""Whether spans, records and records of a second event arrive."""


@st.composite
def calls(draw: st.DrawFn, *, most: int = 12) -> list[OneCall]:
    """Calls of one session, some around the borders of cells; each is told at least once."""
    found: list[OneCall] = []
    end = draw(st.integers(0, 400_000))
    for number in range(draw(st.integers(1, most))):
        end += draw(st.sampled_from([0, 1, 900, 40_000, 290_000]))
        if draw(st.booleans()):
            # Its tellings may lie on both sides of a border of cells.
            border = (AT + end * MS) // CELL_NS * CELL_NS + CELL_NS
            end = (border - AT) // MS - draw(st.integers(0, 3))
        spans, records, twins = draw(st.sampled_from(_TOLD))
        # Without an id, only the tokens tell two calls apart that are seconds apart.
        usage = Usage(1_000 + number, draw(st.integers(1, 9)))
        found.append(OneCall(number, end, usage, draw(st.booleans()), spans, records, twins, draw(st.booleans())))
    return found
