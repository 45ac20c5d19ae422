"""`charge` against a plain restatement of the rule in fractions."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.prices.rates import CACHED_AUDIO_UNKNOWN, TOTALS_ONLY, charge, exact_rates
from otel_sessions.counting.tokens import Usage

PRICES = st.decimals(min_value=0, max_value=100, places=9)
COUNTS = st.integers(min_value=0, max_value=2**63)
ALL = {
    "input": Decimal("0.1"),
    "output": Decimal("0.3"),
    "cache_read": Decimal("0.01"),
    "cache_write": Decimal("0.2"),
    "cache_write_1h": Decimal("0.4"),
    "audio_input": Decimal("0.7"),
    "reasoning": Decimal("0.5"),
    "audio_output": Decimal("0.9"),
}


@given(
    price=st.fixed_dictionaries({"input": PRICES, "output": PRICES}, optional=dict.fromkeys([*ALL][2:], PRICES)),
    parts=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
    per_call=PRICES,
)
def test_disjoint_parts_are_charged_at_their_own_price(
    price: dict[str, Decimal], parts: tuple[int, int, int, int, int], per_call: Decimal
) -> None:
    """A part without a price costs what the part around it costs, and no digit is lost."""
    if "cache_write" not in price:
        price.pop("cache_write_1h", None)
    plain, read, short, long, answer = parts
    usage = Usage(plain + read + short + long, answer + read, read, short + long, read, None, None, long)
    cost = charge(exact_rates({**price, "per_call": per_call}), usage, "x")
    write = price.get("cache_write", price["input"])
    inputs = (
        plain * Fraction(price["input"])
        + read * Fraction(price.get("cache_read", price["input"]))
        + short * Fraction(write)
        + long * Fraction(price.get("cache_write_1h", write))
    )
    outputs = answer * Fraction(price["output"]) + read * Fraction(price.get("reasoning", price["output"]))
    assert cost is not None
    assert cost.input is not None
    assert cost.output is not None
    assert Fraction(cost.input) == inputs
    assert Fraction(cost.output) == outputs
    assert Fraction(cost.total) == inputs + outputs + Fraction(per_call)
    assert cost.source == "x"


@pytest.mark.parametrize(
    ("usage", "total"),
    [
        (Usage(10, 10), "4.0"),
        (Usage(10, None), "1.0"),
        (Usage(None, 10), "3.0"),
        (Usage(0, 0), "0"),
        (Usage(10, 0, audio_input_tokens=4), "3.4"),
        (Usage(0, 10, audio_output_tokens=4), "5.4"),
        (Usage(0, 10, reasoning_tokens=4), "3.8"),
        (Usage(10, 0, cache_read_tokens=0, cache_write_tokens=0, cache_write_1h_tokens=0), "1.0"),
        (Usage(10, 0, cache_write_tokens=4, cache_write_1h_tokens=4), "2.2"),
    ],
)
def test_kinds_of_tokens_have_their_price(usage: Usage, total: str) -> None:
    """Each kind of token is charged once, at its own price."""
    cost = charge(exact_rates(ALL), usage, "x")
    assert cost is not None
    assert cost.total == Decimal(total)
    assert cost.source == "x"


@pytest.mark.parametrize(
    "parts",
    [
        {"cache_read_tokens": 11},
        {"cache_read_tokens": -1},
        {"cache_read_tokens": "many"},
        {"cache_read_tokens": 6, "cache_write_tokens": 5},
        {"cache_write_tokens": -1},
        {"cache_write_tokens": 2.5},
        {"cache_write_tokens": 1, "cache_write_1h_tokens": 2},
        {"cache_write_tokens": 1, "cache_write_1h_tokens": -2},
        {"cache_write_1h_tokens": 2},
        {"audio_input_tokens": 1, "cache_write_tokens": 1},
        {"audio_input_tokens": -1},
        {"audio_output_tokens": 11},
        {"audio_output_tokens": -1},
        {"audio_output_tokens": 1, "reasoning_tokens": 1},
        {"reasoning_tokens": -1},
        {"reasoning_tokens": True},
    ],
)
def test_parts_that_do_not_fit_are_left_out(parts: dict[str, int]) -> None:
    """A contradictory input or output is charged by its total, and the source says so."""
    cost = charge(exact_rates(ALL), Usage(10, 10, **parts), "x")
    assert cost is not None
    assert cost.total == Decimal("4.0")
    assert cost.source == "x" + TOTALS_ONLY


def test_a_side_that_fits_is_charged_by_its_parts() -> None:
    """A contradiction in the input leaves the parts of the output at their own price, and the other way round."""
    cost = charge(exact_rates(ALL), Usage(10, 10, cache_read_tokens=11, reasoning_tokens=4), "x")
    assert cost is not None
    assert (cost.input, cost.output) == (Decimal("1.0"), Decimal("3.8"))
    cost = charge(exact_rates(ALL), Usage(10, 10, cache_read_tokens=4, reasoning_tokens=11), "x")
    assert cost is not None
    assert (cost.input, cost.output) == (Decimal("0.64"), Decimal("3.0"))


CACHED_AUDIO = {**ALL, "cache_read_audio": Decimal("0.05")}


@pytest.mark.parametrize(
    ("audio", "read", "both", "inputs", "is_exact"),
    [
        (4, 5, 3, "0.01 * 2 + 0.7 * 1 + 0.05 * 3 + 0.1 * 4", True),
        (4, 5, 0, "0.01 * 5 + 0.7 * 4 + 0.1 * 1", True),
        (4, 5, None, "0.01 * 1 + 0.05 * 4 + 0.1 * 5", False),
        (4, 5, 9, "0.01 * 1 + 0.05 * 4 + 0.1 * 5", False),
        (10, 5, None, "0.7 * 5 + 0.05 * 5", True),
        (4, 10, None, "0.01 * 6 + 0.05 * 4", True),
        (11, 5, None, "0.1 * 10", True),
    ],
)
def test_audio_beside_cached_tokens(audio: int, read: int, both: int | None, inputs: str, is_exact: bool) -> None:
    """Cached audio has a price of its own; where it is not told apart, the input costs at least what it may cost."""
    usage = Usage(10, 0, read, audio_input_tokens=audio, cache_read_audio_tokens=both)
    cost = charge(exact_rates(CACHED_AUDIO), usage, "x")
    assert cost is not None
    assert cost.input == sum(
        (Decimal(price) * int(count) for price, count in (part.split(" * ") for part in inputs.split(" + "))),
        Decimal(0),
    )
    assert cost.source.endswith(CACHED_AUDIO_UNKNOWN) is not is_exact


def test_cached_audio_without_a_price_costs_what_cached_tokens_cost() -> None:
    """Where nothing else is said, a cached token has one price, audio or not."""
    cost = charge(exact_rates(ALL), Usage(10, 0, 5, audio_input_tokens=4, cache_read_audio_tokens=4), "x")
    assert cost is not None
    assert cost.input == Decimal("0.05") + Decimal("0.5")


@pytest.mark.parametrize(
    "parts",
    [
        {"cache_read_tokens": 11},
        {"cache_write_tokens": 11},
        {"cache_write_1h_tokens": 11},
        {"audio_input_tokens": 11, "cache_read_tokens": 5},
        {"audio_output_tokens": 11},
        {"reasoning_tokens": 11},
    ],
)
def test_parts_without_a_price_change_nothing(parts: dict[str, int]) -> None:
    """Counts of parts without a price of their own are not read, as in genai-prices."""
    cost = charge(exact_rates({"input": ALL["input"], "output": ALL["output"]}), Usage(10, 10, **parts), "x")
    assert cost is not None
    assert (cost.total, cost.source) == (Decimal("4.0"), "x")


@pytest.mark.parametrize(
    ("prices", "usage"),
    [
        (["input"], Usage(1, 1)),
        (["output"], Usage(1, 1)),
        ([*ALL], Usage()),
        ([*ALL], Usage(None, 5, cache_read_tokens=5)),
        ([*ALL], Usage(None, 5, cache_write_1h_tokens=5)),
        ([*ALL], Usage(5, None, reasoning_tokens=5)),
        ([*ALL], Usage(5, None, audio_output_tokens=5)),
        ([*ALL], Usage(-5, 5)),
        ([*ALL], Usage(5, -5)),
        ([*ALL], Usage(True, 5)),
        ([*ALL], Usage(5, "5")),  # type: ignore[arg-type]
    ],
)
def test_what_is_not_known_has_no_cost(prices: list[str], usage: Usage) -> None:
    """Tokens without a price, and parts of a whole that was not reported, make the cost unknown."""
    assert charge(exact_rates({name: ALL[name] for name in prices}), usage, "x") is None


def test_zero_tokens_need_no_price() -> None:
    """A model without an output price can still price a call that had no output."""
    cost = charge(exact_rates({"input": Decimal(1)}), Usage(3, 0), "x")
    assert cost is not None
    assert cost.total == 3
    cost = charge(exact_rates({"output": Decimal(1)}), Usage(0, 3), "x")
    assert cost is not None
    assert cost.total == 3


@pytest.mark.parametrize("price", ["1E-61", "1E+500", "NaN"])
def test_prices_that_cannot_be_held_exactly_are_refused(price: str) -> None:
    """Prices that would have to be rounded give no rates."""
    with pytest.raises((ArithmeticError, ValueError)):
        exact_rates({"input": Decimal(price)})


def test_a_hostile_decimal_context_changes_nothing() -> None:
    """A precision of one digit around the call does not round the cost."""
    with localcontext() as context:
        context.prec = 1
        cost = charge(exact_rates({"input": Decimal("0.123456789")}), Usage(1_000_001), "x")
    assert cost is not None
    assert cost.total == Decimal("123456.912456789")
