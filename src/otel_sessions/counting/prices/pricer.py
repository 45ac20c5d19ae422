"""`Pricer`: the protocol of every source of prices, and the `Cost` that it returns."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

from otel_sessions.counting.tokens import Usage


class Cost(NamedTuple):
    """The cost of one model call in USD, and its source.

    Attributes:
        input: the cost of the input tokens; `None` if only the total is known.
        output: the cost of the output tokens; `None` if only the total is known.
        total: the whole cost; more than input and output where a model also charges per request.
        source: where the cost comes from, such as `genai-prices 0.2.3` or `reported:gen_ai.usage.cost`.

    Example:
        >>> from decimal import Decimal
        >>> from otel_sessions import Cost
        >>> Cost(None, None, Decimal("0.002"), "our price list").total
        Decimal('0.002')
    """

    input: Decimal | None
    output: Decimal | None
    total: Decimal
    source: str


class Pricer(Protocol):
    """The protocol of a source of prices: any object with this method `price` can be the `price=` of `SessionExporter`.

    Example:
        >>> from decimal import Decimal
        >>> from otel_sessions import Cost, SessionExporter
        >>> class FlatPrice:
        ...     def price(self, *, provider, model, usage, at, context=()):
        ...         return Cost(None, None, Decimal("0.01"), "flat price") if model == "our-own-model" else None
        >>> exporter = SessionExporter(price=FlatPrice())
    """

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; `None`, not 0, if it is unknown. Must not raise.

        Args:
            provider: the provider, in any spelling that spans use; `None` if the span has none.
            model: the name of the model, in any spelling that spans use.
            usage: the tokens of the call.
            at: the start of the call in nanoseconds UTC: prices change over time.
            context: further conditions of the price, such as `(("service_tier", "flex"),)` or
                `(("processing", "batch"),)`.
        """
        ...
