"""`Rates`: the prices of a model as whole numbers, and `charge`, the exact cost of a call at those prices.

A price list splits a call into parts that do not overlap (plain input, cache reads, cache writes, …) and multiplies each
by its own price. A kind of token without a price of its own is charged as the kind that contains it. Every price is a
whole number of one small unit of money, so that a call is priced by a few integer multiplications, without rounding.
"""

from __future__ import annotations

from decimal import Decimal, Inexact
from typing import TYPE_CHECKING, Final, NamedTuple

from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping

TOTALS_ONLY: Final = " (by input and output totals only: the parts reported do not fit them)"
"""The end of a cost's source if the parts of the usage contradict the usage."""

_FINEST_EXPONENT: Final = -60
_MULTIPLY: Final = EXACT.multiply


class Rates(NamedTuple):
    """The price of one token of each kind in multiples of `usd`; `None` means "no price of its own".

    `per_call` is charged once per call, whatever its tokens.
    """

    usd: Decimal
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    audio_input: int | None = None
    reasoning: int | None = None
    audio_output: int | None = None
    per_call: int = 0


def exact_rates(prices: Mapping[str, Decimal]) -> Rates:
    """`Rates` from prices in USD per token, by field name of `Rates` (`per_call`: USD per call).

    Raises:
        ArithmeticError: a price is finer than 1e-60 USD, or too large to be held exactly.
    """
    exponent = min((int(price.as_tuple().exponent) for price in prices.values()), default=0)
    if exponent < _FINEST_EXPONENT:
        raise Inexact
    exponent = min(exponent, 0)
    whole = {field: int(EXACT.quantize(EXACT.scaleb(price, -exponent), Decimal(1))) for field, price in prices.items()}
    return Rates(usd=EXACT.scaleb(Decimal(1), exponent), **whole)


def charge(rates: Rates, usage: Usage, source: str) -> Cost | None:
    """The exact cost of `usage` at `rates`; `None` if it has a kind of token whose price is unknown.

    If parts contradict their whole (more cache reads than input, a negative count, two overlapping parts whose overlap
    is not reported), the call is charged by its input and output alone, and the source says so. If the whole of a part
    is not reported at all, the cost is unknown.
    """
    usd, per_input, per_output, per_read, per_write, per_write_1h, per_audio, per_reasoning, per_speech, fixed = rates
    inputs, outputs, read, write, reasoning, audio, speech, write_1h = usage

    if inputs is None:
        if outputs is None or read or write or write_1h or audio:
            return None
        plain = 0
    elif type(inputs) is not int or inputs < 0 or (inputs and per_input is None):
        return None
    else:
        plain = inputs
    if outputs is None:
        if reasoning or speech:
            return None
        answer = 0
    elif type(outputs) is not int or outputs < 0 or (outputs and per_output is None):
        return None
    else:
        answer = outputs

    fits = True
    input_sum = output_sum = 0
    if read:
        if type(read) is not int or read < 0:
            fits = False
        elif per_read is not None:
            plain -= read
            input_sum += read * per_read
    if write or write_1h:
        short, long = _writes(write, write_1h, rates)
        if short < 0:
            fits = False
        elif per_write is not None:
            plain -= short + long
            input_sum += short * per_write + long * (per_write_1h or 0)
    if audio:
        if type(audio) is not int or audio < 0:
            fits = False
        elif per_audio is not None:
            plain -= audio
            input_sum += audio * per_audio
            # The part of the audio that came from the cache is unknown, and each has its own price.
            if (read and per_read is not None) or (write and per_write is not None):
                fits = False
    if reasoning:
        if type(reasoning) is not int or reasoning < 0:
            fits = False
        elif per_reasoning is not None:
            answer -= reasoning
            output_sum += reasoning * per_reasoning
    if speech:
        if type(speech) is not int or speech < 0:
            fits = False
        elif per_speech is not None:
            answer -= speech
            output_sum += speech * per_speech
            if reasoning and per_reasoning is not None:
                fits = False
    if plain < 0 or answer < 0 or not fits:
        return charge(rates, Usage(inputs, outputs), source + TOTALS_ONLY)

    # A count of 0 may have no price; a count above 0 was checked to have one.
    if plain:
        input_sum += plain * (per_input or 0)
    if answer:
        output_sum += answer * (per_output or 0)
    return Cost(
        _MULTIPLY(input_sum, usd),
        _MULTIPLY(output_sum, usd),
        _MULTIPLY(input_sum + output_sum + fixed, usd),
        source,
    )


def _writes(write: int | None, write_1h: int | None, rates: Rates) -> tuple[int, int]:
    """Cache writes as (short-lived, kept for an hour); the first is negative if the two contradict each other.

    Without a price of their own, writes that are kept for an hour count as short-lived.
    """
    if type(write_1h or 0) is not int or type(write or 0) is not int or (write_1h or 0) < 0:
        return -1, 0
    if write is None:
        # Tokens are kept for an hour, but no write is reported: a contradiction only if writes have a price.
        return (0, 0) if rates.cache_write is None else (-1, 0)
    if write < 0:
        return -1, 0
    long = (write_1h or 0) if rates.cache_write_1h is not None else 0
    return write - long, long
