"""Bodies and answers about prices."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from otel_sessions.counting.prices.rates_of_model import ModelRates
from otel_sessions.money import shown_money
from otel_sessions.rules import MAX_NAME_LENGTH
from otel_sessions.server.api.models import Money, Time
from otel_sessions.server.projections.given_prices import source_of
from otel_sessions.server.projections.price_changes import GivenPrice
from otel_sessions.server.projections.recomputed_prices import KeyCosts
from otel_sessions.server.queries.used_models import UsedModel
from otel_sessions.timestamps import format_time

_LONGEST_PRICE: Final = 64
_PRICE: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "maxLength": _LONGEST_PRICE},
        {"type": "number", "minimum": 0},
        {"type": "null"},
    ],
    "examples": ["2.50"],
}
_DAY: Final[dict[str, Any]] = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}


def _written(price: Any) -> Any:
    """A price as a text; `read_entry` judges what it says."""
    if price is None or isinstance(price, bool) or not isinstance(price, int | float | str | Decimal):
        return price
    written = repr(price) if isinstance(price, float) else str(price)
    if len(written) > _LONGEST_PRICE:
        raise ValueError(f"has {len(written)} characters; a price has at most {_LONGEST_PRICE}")
    return written


def _price(about: str) -> Any:
    return Field(description=f"USD per million {about}; a decimal string, or a number.", json_schema_extra=_PRICE)


class PriceIn(BaseModel):
    """A price of a model."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(
        description="The name of the model, or a beginning of names followed by `*`; upper and lower case are the same.",
        min_length=1,
        max_length=MAX_NAME_LENGTH,
        examples=["our-own-model"],
    )
    provider: str | None = Field(
        default=None, description="Only calls of this provider; null for any.", min_length=1, max_length=MAX_NAME_LENGTH
    )
    input: Annotated[str | None, BeforeValidator(_written), _price("input tokens")] = None
    output: Annotated[str | None, BeforeValidator(_written), _price("output tokens")] = None
    cache_read: Annotated[
        str | None, BeforeValidator(_written), _price("input tokens that are read from a cache, by default as `input`")
    ] = None
    cache_write: Annotated[
        str | None, BeforeValidator(_written), _price("input tokens that are written to a cache, by default as `input`")
    ] = None
    from_: str | None = Field(
        default=None,
        alias="from",
        description="The first day of the price in UTC; null for any day before `until`.",
        json_schema_extra=_DAY,
    )
    until: str | None = Field(
        default=None,
        description="The first day in UTC without the price; null for any day from `from` on.",
        json_schema_extra=_DAY,
    )

    @model_validator(mode="after")
    def _is_price(self) -> Self:
        self.given()
        return self

    def given(self) -> GivenPrice:
        """The price to store, given now.

        Raises:
            ValueError: it cannot be used; the message names the problem and the next step.
        """
        price = GivenPrice(
            self.model.strip(),
            None if self.provider is None else self.provider.strip(),
            _plain(self.input),
            _plain(self.output),
            _plain(self.cache_read),
            _plain(self.cache_write),
            _day(self.from_),
            _day(self.until),
            time.time_ns(),
        )
        price.entry()
        return price


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ValueError("from and until are days such as 2026-01-31") from None


def _plain(price: str | None) -> str | None:
    """The same number for all spellings of it; what is not a number stays for `read_entry` to refuse."""
    try:
        number = None if price is None else Decimal(price)
    except ArithmeticError:
        return price
    if number is None or not number.is_finite() or abs(number.adjusted()) > _LONGEST_PRICE:
        return price
    return shown_money(number)


_From = Annotated[str | None, Field(description="The first day of the price in UTC; null for any day before `until`.")]
_Until = Annotated[str | None, Field(description="The first day in UTC without the price; null for none.")]


class Price(BaseModel):
    """A price that was given. It counts for calls that were stored after it was given."""

    model_config = ConfigDict(serialize_by_alias=True)

    model: str = Field(description="The name of the model, or a beginning of names followed by `*`.")
    provider: str | None = Field(description="The provider that it is for; null for any.")
    input: Money | None = Field(description="USD per million input tokens; null for no price.")
    output: Money | None = Field(description="USD per million output tokens; null for no price.")
    cache_read: Money | None = Field(description="The same of cache reads; null if they cost as other input.")
    cache_write: Money | None = Field(description="The same of cache writes; null if they cost as other input.")
    from_: _From = Field(alias="from")
    until: _Until
    source: str = Field(
        description="What `cost_sources` says of calls with this price.", examples=["prices given 2026-11-28"]
    )
    given: Time = Field(description="When it was given.")

    @classmethod
    def of(cls, price: GivenPrice) -> Self:
        """The price as it is stored."""
        return cls(
            model=price.model,
            provider=price.provider,
            input=price.input,
            output=price.output,
            cache_read=price.cache_read,
            cache_write=price.cache_write,
            until=None if price.end is None else price.end.isoformat(),
            source=source_of(price),
            given=format_time(price.time),
            **{"from": None if price.first_day is None else price.first_day.isoformat()},
        )


class ModelPrice(BaseModel):
    """A model, its calls, and what a call of it that is stored now would cost."""

    provider: str | None = Field(description="The provider as the calls name it; null if they name none.")
    model: str | None = Field(description="The model as the calls name it; null if they name none.")
    call_count: int = Field(description="The number of calls in sessions of the key.")
    unpriced_call_count: int = Field(description="How many of them have no known cost.")
    last_seen: Time | None = Field(description="The end of the last trace with a call; null without calls.")
    cost_sources: list[str] = Field(
        description="Where the costs of the other calls come from, sorted, at most 32, with what is not known about them."
    )
    input: Money | None = Field(
        description="USD per million input tokens in a call with a small input; null if not known."
    )
    output: Money | None = Field(description="USD per million output tokens; null if not known.")
    cache_read: Money | None = Field(description="The same of input tokens that are read from a cache.")
    cache_write: Money | None = Field(description="The same of input tokens that are written to a cache.")
    cache_write_1h: Money | None = Field(description="The same of those that the cache keeps for an hour.")
    source: str | None = Field(description="Where the prices come from; null without any.")

    @classmethod
    def of(cls, used: UsedModel, rates: ModelRates | None) -> Self:
        """A model with its prices."""
        prices = {} if rates is None else {name: shown_money(getattr(rates, name)) for name in _RATES}
        return cls(
            provider=used.provider,
            model=used.model,
            call_count=used.calls,
            unpriced_call_count=used.unpriced,
            last_seen=format_time(used.last_seen) if used.calls else None,
            cost_sources=used.sources,
            source=None if rates is None else rates.source,
            **{**dict.fromkeys(_RATES), **prices},
        )


_RATES: Final = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


class PricesRemoved(BaseModel):
    """What was taken back."""

    prices: list[Price] = Field(description="The prices that were taken back; empty if there were none.")


class RecomputeIn(BaseModel):
    """What to price again."""

    model_config = ConfigDict(extra="forbid")

    session: str | None = Field(
        default=None, description="The id of one session; null for all.", min_length=1, max_length=512
    )
    key: str | None = Field(default=None, description="The key of that session; by default `id`.", min_length=1)
    since: str | None = Field(
        default=None,
        description="Only traces that went on at or after this time; RFC 3339, or a date.",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "null"}]},
    )
    cursor: str | None = Field(
        default=None, description="The `next` of the answer before; repeat the other fields.", max_length=4_096
    )


class KeyChange(BaseModel):
    """What the sessions of one key cost in what was priced again by one request."""

    key: str = Field(description="The session key.")
    total_cost_before: Money | None = Field(description="USD before; null if no call had a price.")
    total_cost_after: Money | None = Field(description="USD after.")
    unpriced_call_count_before: int = Field(description="Calls without a known cost before.")
    unpriced_call_count_after: int = Field(description="Those after.")

    @classmethod
    def of(cls, key: str, costs: KeyCosts) -> Self:
        """The costs of a key."""
        return cls(
            key=key,
            total_cost_before=shown_money(costs.before),
            total_cost_after=shown_money(costs.after),
            unpriced_call_count_before=costs.unpriced_before,
            unpriced_call_count_after=costs.unpriced_after,
        )


class Recomputed(BaseModel):
    """What one request priced again, and how to go on."""

    trace_count: int = Field(
        description="How many traces, and five minutes of log records in no trace, were priced again."
    )
    changed_trace_count: int = Field(description="How many of them cost something else than before.")
    costs: list[KeyChange] = Field(description="What they cost before and after, by session key.")
    done: int = Field(description="How many were priced again by this request and those before it.")
    total: int = Field(description="How many there were in all when the first request was made.")
    next: str | None = Field(description="The `cursor` of the next request; null if all is done.")

    @classmethod
    def of(
        cls, costs: Mapping[str, KeyCosts], *, units: int, changed: int, done: int, total: int, following: str | None
    ) -> Self:
        """The outcome of a request."""
        return cls(
            trace_count=units,
            changed_trace_count=changed,
            costs=[KeyChange.of(key, costs[key]) for key in sorted(costs)],
            done=done,
            total=max(total, done),
            next=following,
        )
