"""`rates_of`: what a million tokens of a model cost, whatever pricer tells it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT

if TYPE_CHECKING:
    from otel_sessions.counting.prices.pricer import Pricer

_TOKENS: Final = 1_000
"""Few, since some models cost more in calls with large inputs."""
_TIMES: Final = Decimal(1_000_000 // _TOKENS)

_READ: Final = Usage(_TOKENS, 0, cache_read_tokens=_TOKENS, cache_write_tokens=0)
_WRITE: Final = Usage(_TOKENS, 0, cache_read_tokens=0, cache_write_tokens=_TOKENS)
_WRITE_1H: Final = Usage(_TOKENS, 0, cache_read_tokens=0, cache_write_tokens=_TOKENS, cache_write_1h_tokens=_TOKENS)


class ModelRates(NamedTuple):
    """USD per million tokens in a call with a small input; `None` for what has no price.

    Attributes:
        input: of input tokens.
        output: of output tokens.
        cache_read: of input tokens that are read from a cache.
        cache_write: of input tokens that are written to one.
        cache_write_1h: of those that are kept for an hour.
        source: where the prices come from.
    """

    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    cache_write_1h: Decimal | None
    source: str


def rates_of(pricer: Pricer, *, provider: str | None, model: str, at: int) -> ModelRates | None:
    """What a million tokens cost in a call at this time, nanoseconds UTC; `None` if a pricer knows no price.

    Args:
        pricer: the source of prices.
        provider: as in `Pricer.price`, as all that follow.
        model: the name of the model.
        at: the start of the call.
    """

    def ask(usage: Usage, *, output: bool = False) -> tuple[Decimal | None, str | None]:
        cost = pricer.price(provider=provider, model=model, usage=usage, at=at)
        part = None if cost is None else cost.output if output else cost.input
        return None if part is None else EXACT.multiply(part, _TIMES), None if cost is None else cost.source

    plain, source = ask(Usage(_TOKENS, 0))
    output, other_source = ask(Usage(0, _TOKENS), output=True)
    told = source or other_source
    if told is None:
        return None
    return ModelRates(plain, output, ask(_READ)[0], ask(_WRITE)[0], ask(_WRITE_1H)[0], told)
