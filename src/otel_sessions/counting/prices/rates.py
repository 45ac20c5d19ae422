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
"""The end of a cost's source if the parts of the input or output contradict it, so that side is charged by its total."""

AT_LEAST: Final = " (at least: "
"""In a cost's source if the cost is a lower bound; what is not known follows."""

CACHED_AUDIO_UNKNOWN: Final = AT_LEAST + "how much of the audio was cached is not reported)"

CACHE_TTL_UNKNOWN: Final = AT_LEAST + "for how long the cache keeps what was written is not reported)"

_FINEST_EXPONENT: Final = -60
_MULTIPLY: Final = EXACT.multiply


def is_doubtful(source: str) -> bool:
    """Return True if the source of a cost says that something is not known about it."""
    return TOTALS_ONLY in source or AT_LEAST in source


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
    cache_read_audio: int | None = None
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

    If parts contradict their whole (more cache reads than input, a negative count), that side of the call is charged by its
    total alone, and the source says so. If the whole of a part is not reported at all, the cost is unknown. Where tokens may
    be audio, cached or both, and the report does not tell, the input costs at least the least that the report allows.
    """
    inputs, outputs, read, write, reasoning, audio, speech, write_1h, _, _ = usage
    if (inputs is None and (outputs is None or read or write or write_1h or audio)) or (
        outputs is None and (reasoning or speech)
    ):
        return None
    if not _is_priced(inputs, rates.input) or not _is_priced(outputs, rates.output):
        return None
    input_sum, input_doubt = (inputs or 0) * (rates.input or 0), ""
    output_sum, output_doubt = (outputs or 0) * (rates.output or 0), ""
    if read or write or write_1h or audio:
        input_sum, input_doubt = _input(rates, usage)
    if reasoning or speech:
        output_sum, output_doubt = _output(rates, usage)
    if (
        usage.cache_write_tokens
        and usage.cache_write_1h_tokens is None
        and not input_doubt
        and _costs_more_for_an_hour(rates)
    ):
        input_doubt = CACHE_TTL_UNKNOWN
    total = input_sum + output_sum + rates.per_call
    usd = rates.usd
    doubt = input_doubt if input_doubt == output_doubt else input_doubt + output_doubt
    return Cost(_MULTIPLY(input_sum, usd), _MULTIPLY(output_sum, usd), _MULTIPLY(total, usd), source + doubt)


def _costs_more_for_an_hour(rates: Rates) -> bool:
    return (
        rates.cache_write is not None and rates.cache_write_1h is not None and rates.cache_write_1h > rates.cache_write
    )


def _is_priced(count: int | None, rate: int | None) -> bool:
    """Return True if a count is valid and can be charged; a count of 0 may have no price."""
    return count is None or (type(count) is int and count >= 0 and not (count and rate is None))


def _input(rates: Rates, usage: Usage) -> tuple[int, str]:
    """The cost of the input, and what is doubtful about it."""
    plain, price = usage.input_tokens or 0, rates.input or 0
    read, audio = usage.cache_read_tokens or 0, usage.audio_input_tokens or 0
    both = usage.cache_read_audio_tokens
    short, long = _writes(usage.cache_write_tokens, usage.cache_write_1h_tokens, rates)
    read = read if rates.cache_read is not None or _is_wrong(read) else 0
    audio = audio if rates.audio_input is not None or _is_wrong(audio) else 0
    if rates.cache_write is None and short >= 0:
        short = long = 0
    by_total = plain * price, TOTALS_ONLY
    # How much of the audio was written to the cache is unknown, and each has its own price.
    if _is_wrong(read) or _is_wrong(audio) or _is_wrong(short) or (audio and (short or long)):
        return by_total
    written = short * (rates.cache_write or 0) + long * (rates.cache_write_1h or 0)
    rest = plain - short - long
    if not audio:  # nearly always
        if rest < read:
            return by_total
        return written + read * (rates.cache_read or 0) + (rest - read) * price, ""

    def cost(cached_audio: int) -> int:
        per_cached_audio = rates.cache_read if rates.cache_read_audio is None else rates.cache_read_audio
        return (
            written
            + (read - cached_audio) * (rates.cache_read or 0)
            + (audio - cached_audio) * (rates.audio_input or 0)
            + cached_audio * (per_cached_audio or 0)
            + (rest - read - audio + cached_audio) * price
        )

    least, most = max(0, read + audio - rest), min(read, audio)
    if rest < 0 or least > most:
        return by_total
    if both is not None and type(both) is int and least <= both <= most:
        return cost(both), ""
    # The cost is linear in the overlap, so it is least at one end of what is possible.
    return min(cost(least), cost(most)), "" if least == most else CACHED_AUDIO_UNKNOWN


def _output(rates: Rates, usage: Usage) -> tuple[int, str]:
    """The cost of the output, and what is doubtful about it."""
    answer, price = usage.output_tokens or 0, rates.output or 0
    reasoning, speech = usage.reasoning_tokens or 0, usage.audio_output_tokens or 0
    reasoning = reasoning if rates.reasoning is not None or _is_wrong(reasoning) else 0
    speech = speech if rates.audio_output is not None or _is_wrong(speech) else 0
    rest = answer - reasoning - speech
    # How much of the reasoning is audio is unknown; no list has a model with prices of its own for both.
    if _is_wrong(reasoning) or _is_wrong(speech) or rest < 0 or (reasoning and speech):
        return answer * price, TOTALS_ONLY
    return rest * price + reasoning * (rates.reasoning or 0) + speech * (rates.audio_output or 0), ""


def _is_wrong(count: object) -> bool:
    return type(count) is not int or count < 0


def _writes(write: int | None, write_1h: int | None, rates: Rates) -> tuple[int, int]:
    """Cache writes as (short-lived, kept for an hour); the first is negative if the two contradict each other.

    Without a price of their own, writes that are kept for an hour count as short-lived.
    """
    if type(write_1h or 0) is not int or type(write or 0) is not int or (write_1h or 0) < 0:
        return -1, 0
    if write is None:
        # Tokens are kept for an hour, but no write is reported: a contradiction only if writes have a price.
        return (0, 0) if rates.cache_write is None or not write_1h else (-1, 0)
    if write < 0:
        return -1, 0
    long = (write_1h or 0) if rates.cache_write_1h is not None else 0
    return write - long, long
