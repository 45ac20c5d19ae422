"""`Pricer`: what every source of prices answers, and the `Cost` it answers with."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

from otel_sessions.counting.tokens import Usage


class Cost(NamedTuple):
    """What one model call costs, in USD, and who says so.

    `input` and `output` are `None` where only a total is known. `total` can exceed their sum: some models also charge
    per request.
    """

    input: Decimal | None
    output: Decimal | None
    total: Decimal
    source: str


class Pricer(Protocol):
    """Anything that can say what a model call costs."""

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call, or `None` if it is unknown: never 0 for that, and never an exception.

        Args:
            provider: who served the call, as the span names it; any spelling.
            model: the model's name, as the span names it; any spelling.
            usage: the tokens of the call.
            at: when the call started, in nanoseconds UTC: prices change over time.
            context: what else decides the price, such as `(("service_tier", "flex"),)` or `(("processing", "batch"),)`.
        """
        ...
