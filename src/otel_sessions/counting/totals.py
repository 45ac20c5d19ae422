"""`Totals`: tokens, costs and numbers of calls, added up so that unknown stays unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.prices.rates import is_doubtful
from otel_sessions.counting.shared_sets import only
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT, shown_money

TOKENS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
COSTS: Final = ("input_cost", "output_cost", "total_cost")

_PARTS: Final = (*TOKENS, *COSTS, "call_count", "sources", "unpriced_call_count")

_ADD: Final = EXACT.add


class Totals:
    """A sum of model calls. Token counts are `None` until a call reports one, costs until one is known.

    Sums do not depend on the order of their parts.

    Attributes:
        call_count: model calls.
        unpriced_call_count: those whose cost is not known.
        input_tokens: includes cache reads and writes.
        output_tokens: includes reasoning.
        cache_read_tokens: input tokens that were read from a cache.
        cache_write_tokens: input tokens that were written to a cache.
        reasoning_tokens: output tokens spent on reasoning.
        input_cost: USD.
        output_cost: USD.
        total_cost: USD.
        sources: where the costs come from.

    Example:
        >>> from otel_sessions import Totals, Usage
        >>> totals = Totals()
        >>> totals.add_call(Usage(input_tokens=1_000, output_tokens=100), None)
        >>> totals.total_tokens, totals.total_cost, totals.unpriced_call_count
        (1100, None, 1)
    """

    __slots__ = _PARTS

    def __init__(self) -> None:
        """Start with no call."""
        self.call_count = 0
        self.unpriced_call_count = 0
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cache_read_tokens: int | None = None
        self.cache_write_tokens: int | None = None
        self.reasoning_tokens: int | None = None
        self.input_cost: Decimal | None = None
        self.output_cost: Decimal | None = None
        self.total_cost: Decimal | None = None
        self.sources: frozenset[str] = frozenset()

    @property
    def total_tokens(self) -> int | None:
        """Input plus output; `None` if no call reported either."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def cost_exact(self) -> bool:
        """False if a call is unpriced, or if the source of a cost says that something is not known about it."""
        return not self.unpriced_call_count and not any(is_doubtful(source) for source in self.sources)

    def add_call(self, usage: Usage | None, cost: Cost | None, *, failed: bool = False) -> None:
        """Add one call; without a cost it is unpriced, unless it failed without usage: such a call is not billed."""
        self.call_count += 1
        if usage is not None:
            self._add_tokens(usage[:5])
        if cost is None:
            self.unpriced_call_count += not failed or (usage is not None and bool(usage.total_tokens))
        else:
            self._add_costs(cost.input, cost.output, cost.total)
            if cost.source not in self.sources:
                self.sources = self.sources | {cost.source} if self.sources else only(cost.source)

    def add(self, other: Totals) -> None:
        """Add another sum."""
        self.call_count += other.call_count
        self.unpriced_call_count += other.unpriced_call_count
        self._add_tokens(
            (
                other.input_tokens,
                other.output_tokens,
                other.cache_read_tokens,
                other.cache_write_tokens,
                other.reasoning_tokens,
            )
        )
        self._add_costs(other.input_cost, other.output_cost, other.total_cost)
        if not other.sources <= self.sources:
            self.sources = self.sources | other.sources if self.sources else other.sources

    def _add_tokens(self, tokens: tuple[int | None, ...]) -> None:
        input_, output, read, write, reasoning = tokens
        if input_ is not None:
            self.input_tokens = (self.input_tokens or 0) + input_
        if output is not None:
            self.output_tokens = (self.output_tokens or 0) + output
        if read is not None:
            self.cache_read_tokens = (self.cache_read_tokens or 0) + read
        if write is not None:
            self.cache_write_tokens = (self.cache_write_tokens or 0) + write
        if reasoning is not None:
            self.reasoning_tokens = (self.reasoning_tokens or 0) + reasoning

    def _add_costs(self, input_: Decimal | None, output: Decimal | None, total: Decimal | None) -> None:
        if input_ is not None:
            self.input_cost = input_ if self.input_cost is None else _ADD(self.input_cost, input_)
        if output is not None:
            self.output_cost = output if self.output_cost is None else _ADD(self.output_cost, output)
        if total is not None:
            self.total_cost = total if self.total_cost is None else _ADD(self.total_cost, total)

    def to_dict(self) -> dict[str, Any]:
        """Every number by its name; money as plain decimal strings."""
        return {
            "call_count": self.call_count,
            "unpriced_call_count": self.unpriced_call_count,
            **{name: getattr(self, name) for name in TOKENS},
            "total_tokens": self.total_tokens,
            **{name: shown_money(getattr(self, name)) for name in COSTS},
            "cost_exact": self.cost_exact,
            "cost_sources": sorted(self.sources),
        }

    def __eq__(self, other: object) -> bool:
        """Equal in every number."""
        return isinstance(other, Totals) and all(getattr(self, n) == getattr(other, n) for n in _PARTS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Totals({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"
