"""`penalties_of`: what a token costs more if it is written to a provider's cache than if it is read from it."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeGuard

from otel_sessions.counting.prices.rates import charge
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_sessions.counting.prices.pricer import Cost, Pricer
    from otel_sessions.counting.prices.rates import Rates


Penalties = tuple[Decimal, Decimal | None]
"""USD that one token costs more if it is written than if it is read: for the usual time, and for an hour.

The second is `None` if the price list has no price of its own for it.
"""


class KnowsPenalties(Protocol):
    """A `Pricer` that tells penalties itself, faster than by pricing calls."""

    def cache_penalties(
        self, *, provider: str | None, model: str, input_tokens: int, at: int, context: tuple[tuple[str, str], ...] = ()
    ) -> Penalties | None:
        """The penalties in a call; see `penalties_of`."""
        ...


def tells_penalties(pricer: object) -> TypeGuard[KnowsPenalties]:
    """Return True if a pricer's own penalties can be used: a class derived from it may price differently."""
    return "cache_penalties" in vars(type(pricer))


def penalties_of(
    pricer: Pricer,
    *,
    provider: str | None,
    model: str,
    input_tokens: int,
    at: int,
    context: tuple[tuple[str, str], ...] = (),
) -> Penalties | None:
    """The penalties in a call with this many input tokens, on which prices may depend; `None` if a price is unknown.

    Args:
        pricer: the source of prices.
        provider: as in `Pricer.price`, as all that follow.
        model: the name of the model.
        input_tokens: all input of the call.
        at: the start of the call.
        context: further conditions of the price.
    """
    if tells_penalties(pricer):
        return pricer.cache_penalties(provider=provider, model=model, input_tokens=input_tokens, at=at, context=context)
    return probed(pricer, provider=provider, model=model, input_tokens=input_tokens, at=at, context=context)


def probed(
    pricer: Pricer,
    *,
    provider: str | None,
    model: str,
    input_tokens: int,
    at: int,
    context: tuple[tuple[str, str], ...] = (),
) -> Penalties | None:
    """The penalties by the cost of calls that read one token, or write one."""
    return _compared(
        lambda usage: pricer.price(provider=provider, model=model, usage=usage, at=at, context=context),
        max(input_tokens, 1),
    )


@lru_cache(maxsize=1_024)
def penalties_at(rates: Rates) -> Penalties | None:
    """The penalties at these rates."""
    return _compared(lambda usage: charge(rates, usage, ""), 1)


def _compared(price: Callable[[Usage], Cost | None], whole: int) -> Penalties | None:
    read = price(Usage(whole, 0, cache_read_tokens=1, cache_write_tokens=0))
    written = price(Usage(whole, 0, cache_read_tokens=0, cache_write_tokens=1))
    if read is None or written is None:
        return None
    written_1h = price(Usage(whole, 0, cache_read_tokens=0, cache_write_tokens=1, cache_write_1h_tokens=1))
    of_its_own = written_1h is not None and written_1h.total != written.total
    return (
        EXACT.subtract(written.total, read.total),
        EXACT.subtract(written_1h.total, read.total) if of_its_own and written_1h is not None else None,
    )
