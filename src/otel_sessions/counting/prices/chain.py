"""`default_pricer`: the pricer that is used by default; `FirstPrice`: several pricers as one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

from otel_sessions.counting.prices.custom import PriceFile
from otel_sessions.counting.prices.genai import GenAIPrices
from otel_sessions.counting.prices.penalties import Penalties, penalties_of, probed, tells_penalties
from otel_sessions.counting.prices.pricer import Cost, Pricer
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import is_amount


class FirstPrice:
    """A `Pricer` that asks `pricers` in order and returns the first cost; without pricers every cost is unknown."""

    def __init__(self, *pricers: Pricer) -> None:
        self._pricers = pricers

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`."""
        for pricer in self._pricers:
            cost = pricer.price(provider=provider, model=model, usage=usage, at=at, context=context)
            if cost is not None:
                return cost
        return None

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        for pricer in self._pricers:
            found = penalties_of(
                pricer, provider=provider, model=model, input_tokens=input_tokens, at=at, context=context
            )
            if found is not None:
                return found
        return None


class GuardedPricer:
    """A `Pricer` that never raises, around one that may: if that one raises, `failed` is called and the cost is unknown."""

    def __init__(self, pricer: Pricer, failed: Callable[[Exception], object]) -> None:
        self._pricer = pricer
        self._failed = failed

    def price(
        self, *, provider: str | None, model: str, usage: Usage, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Cost | None:
        """The cost of one call; see `Pricer.price`."""
        try:
            return _checked(self._pricer.price(provider=provider, model=model, usage=usage, at=at, context=context))
        except Exception as error:
            self._failed(error)
            return None

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """What a token costs more if it is written to a cache than if it is read; see `penalties_of`."""
        # The pricers of this package raise nothing.
        ask = self._pricer.cache_penalties if tells_penalties(self._pricer) else partial(probed, self)
        return ask(provider=provider, model=model, input_tokens=input_tokens, at=at, context=context)


def _checked(cost: object) -> Cost | None:
    if cost is None:
        return None
    if not isinstance(cost, Cost):
        raise TypeError(f"a pricer returned {type(cost).__name__}; return a Cost or None")
    if not is_amount(cost.total) or not all(side is None or is_amount(side) for side in cost[:2]):
        raise ValueError("a pricer returned a Cost that is not made of finite Decimals from 0 up")
    return cost


def default_pricer(path: str | None = None) -> Pricer:
    """A pricer that asks the prices file at `path`, if one is given, then genai-prices, if it is installed.

    Raises:
        ValueError: the file cannot be used; the message names the problem.

    Example:
        >>> from otel_sessions import SessionExporter, default_pricer
        >>> exporter = SessionExporter(price=default_pricer())  # the same as SessionExporter()
    """
    pricers: list[Pricer] = [] if path is None else [PriceFile(path)]
    if find_spec("genai_prices") is not None:
        pricers.append(GenAIPrices())
    return pricers[0] if len(pricers) == 1 else FirstPrice(*pricers)
