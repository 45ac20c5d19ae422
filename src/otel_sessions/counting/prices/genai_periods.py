"""`Periods`: the times between which the price of a genai-prices model stays the same."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from genai_prices.types import ModelInfo, StartDateConstraint, TimeOfDateConstraint

from otel_sessions.timestamps import DAY_NS, EPOCH, start_of_day

if TYPE_CHECKING:
    from collections.abc import Iterator


class Periods(NamedTuple):
    """The times at which the price of a model can change, in ascending order.

    `dates` are nanoseconds UTC since 1970, `times` nanoseconds since UTC midnight. All calls within one `cell` have the
    same price.
    """

    dates: tuple[int, ...]
    times: tuple[int, ...]

    def cell(self, at: int) -> int:
        """The number of the period that contains `at` (nanoseconds UTC)."""
        return bisect_right(self.dates, at) * (len(self.times) + 1) + bisect_right(self.times, at % DAY_NS)


def periods_of(model: ModelInfo) -> Periods | None:
    """The periods of `model`; `None` if it has a condition of an unknown kind."""
    dates: set[int] = set()
    times: set[int] = set()
    for constraint in _constraints(model):
        if constraint is None:
            continue
        if isinstance(constraint, StartDateConstraint):
            dates.add(start_of_day(constraint.start_date))
        elif isinstance(constraint, TimeOfDateConstraint):
            times |= {_nanoseconds(constraint.start_time), _nanoseconds(constraint.end_time)}
        else:
            return None
    return Periods(tuple(sorted(dates)), tuple(sorted(times)))


def _constraints(model: ModelInfo) -> Iterator[object]:
    if isinstance(model.prices, list):
        yield from (price.constraint for price in model.prices)
    yield from (variant.constraint for variant in model.price_variants or ())


def _nanoseconds(value: time) -> int:
    """A time of day as nanoseconds since UTC midnight; without a time zone it is in UTC, as in genai-prices."""
    moment = datetime.combine(EPOCH.date(), value, tzinfo=value.tzinfo or UTC)
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000 % DAY_NS
