"""`read_entry`: a price as it is given, checked; `read_entries`: those in a TOML or JSON file."""

from __future__ import annotations

import json
import math
import tomllib
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_sessions.counting.prices.aliases import provider_id
from otel_sessions.counting.prices.rates import Rates, exact_rates
from otel_sessions.money import EXACT
from otel_sessions.timestamps import start_of_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_PRICES: Final = ("input", "output", "cache_read", "cache_write")
_KNOWN: Final = ("model", "provider", *_PRICES, "from", "until")
_MILLION: Final = Decimal(1_000_000)
_MOST: Final = Decimal(1_000_000_000)
_FINEST_EXPONENT: Final = -20
_FIX: Final = "write USD per million tokens, for example 2.50"


class Entry(NamedTuple):
    """One `[[price]]`. `model` and `provider` are in lower case, `start` and `end` nanoseconds UTC (end exclusive)."""

    number: int
    model: str
    is_prefix: bool
    provider: str | None
    start: int | None
    end: int | None
    rates: Rates

    def covers(self, provider: str | None, model: str) -> bool:
        """Return True if this entry is for a model with these names, as a span has them."""
        if not (model.lower().startswith(self.model) if self.is_prefix else model.lower() == self.model):
            return False
        return self.provider is None or (provider is not None and self.provider == plain_provider(provider))

    def is_active(self, at: int) -> bool:
        """Return True if this price applies at `at` (nanoseconds UTC)."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


def plain_provider(name: str) -> str:
    """One spelling for all names of a provider; the name of a framework stays as it is."""
    return provider_id(name) or name.strip().lower()


def read_entries(path: Path) -> list[Entry]:
    """The entries of the file in the order in which they apply.

    Raises:
        ValueError: the file cannot be used; the message names the file, the entry, the problem and the next step.
    """
    document = _document(path)
    tables = document.get("price") if isinstance(document, dict) else None
    if not isinstance(tables, list) or not tables:
        raise ValueError(
            f"{path}: no prices; add a [[price]] table (in JSON, a list under 'price') with model and input"
        )
    if surplus := sorted(document.keys() - {"price"}):
        raise ValueError(f"{path}: {surplus[0]!r} is not known here; put everything into [[price]] tables")
    entries = [
        read_entry(table, place=f"{path}: price {number}", number=number) for number, table in enumerate(tables, 1)
    ]
    _refuse_overlaps(path, entries)
    return most_specific_first(entries)


def most_specific_first(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in the order in which they apply: the first that covers a call and is active is its price.

    Whole names come before prefixes, long prefixes before short ones, entries with a provider before those without. Of
    entries for the same models the one that starts later comes first, and then the one that ends earlier.
    """
    return sorted(
        entries,
        key=lambda entry: (
            entry.is_prefix,
            -len(entry.model),
            entry.provider is None,
            math.inf if entry.start is None else -entry.start,
            math.inf if entry.end is None else entry.end,
        ),
    )


def _document(path: Path) -> Any:
    kind = path.suffix.lower()
    if kind not in {".toml", ".json"}:
        raise ValueError(f"{path}: a prices file is TOML or JSON; name it .toml or .json")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    try:
        return tomllib.loads(text, parse_float=Decimal) if kind == ".toml" else json.loads(text, parse_float=Decimal)
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{path}: is not valid {kind[1:].upper()} ({error}); correct it there") from error


def read_entry(table: object, *, place: str, number: int = 1) -> Entry:
    """The entry that a table of a file, or the fields of a request, describe.

    Args:
        table: a mapping with `model`, prices in USD per million tokens, and maybe `provider`, `from` and `until`.
        place: where it stands, for messages.
        number: of the entry among others.

    Raises:
        ValueError: it cannot be used; the message names the place, the problem and the next step.
    """
    if not isinstance(table, dict):
        raise ValueError(f"{place}: is {_kind(table)}; write a table with model and input")  # noqa: TRY004 - of a file, not of a call
    model = table.get("model")
    if not isinstance(model, str) or not model.strip():
        raise ValueError(f'{place}: has no model; add one, for example model = "gpt-4o" or model = "gpt-4o*"')
    place = f"{place} (model {model!r})"
    if unknown := sorted(table.keys() - set(_KNOWN)):
        raise ValueError(f"{place}: {unknown[0]!r} is not known; use one of {', '.join(_KNOWN)}")
    name = model.strip().lower().removesuffix("*")
    if "*" in name:
        raise ValueError(f"{place}: '*' stands in the middle; it may only be the last character")
    provider = table.get("provider")
    if provider is not None and (not isinstance(provider, str) or not provider.strip()):
        raise ValueError(f"{place}: provider is {_kind(provider)}; write its name, or leave it out for any provider")
    start, end = (_midnight(place, key, table.get(key)) for key in ("from", "until"))
    if start is not None and end is not None and start >= end:
        raise ValueError(f"{place}: from is not before until; until is the first day without this price")
    return Entry(
        number=number,
        model=name,
        is_prefix=model.strip().endswith("*"),
        provider=None if provider is None else plain_provider(provider),
        start=start,
        end=end,
        rates=_rates(place, table),
    )


def _rates(place: str, table: Mapping[str, object]) -> Rates:
    prices = {key: _price(place, key, table[key]) for key in _PRICES if key in table}
    if not {"input", "output"} & prices.keys():
        raise ValueError(f"{place}: has neither input nor output; {_FIX}")
    if "input" not in prices and len(prices) > 1:
        raise ValueError(f"{place}: has a cache price but no input; add input, which holds the cached tokens")
    return exact_rates({key: EXACT.divide(price, _MILLION) for key, price in prices.items()})


def _price(place: str, key: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{place}: {key} is {_kind(value)}; {_FIX}")  # noqa: TRY004 - as above
    try:
        price = EXACT.create_decimal(value)
    except ArithmeticError as error:
        raise ValueError(f"{place}: {key} is {value!r}, which is not a number; {_FIX}") from error
    if not price.is_finite() or price < 0 or price > _MOST or int(price.as_tuple().exponent) < _FINEST_EXPONENT:
        raise ValueError(
            f"{place}: {key} is {value}, but a price is from 0 to {_MOST} with at most 20 decimals; {_FIX}"
        )
    return price


def _midnight(place: str, key: str, value: object) -> int | None:
    """The start of a date in nanoseconds UTC."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{place}: {key} is {value!r}; write a date such as 2026-01-31") from error
    if value is None:
        return None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{place}: {key} is {_kind(value)}; write a date such as 2026-01-31")  # noqa: TRY004 - as above
    return start_of_day(value)


def _refuse_overlaps(path: Path, entries: list[Entry]) -> None:
    """Raise if two prices apply to the same model at the same time, which would make the cost depend on their order."""
    latest: dict[tuple[str, bool, str | None], Entry] = {}
    for entry in sorted(entries, key=lambda entry: -1 << 80 if entry.start is None else entry.start):
        key = (entry.model, entry.is_prefix, entry.provider)
        before = latest.get(key)
        if before is not None and (before.end is None or entry.start is None or entry.start < before.end):
            first, second = sorted((before.number, entry.number))
            raise ValueError(
                f"{path}: prices {first} and {second} are for the same model at the same time; "
                "remove one, or give them from and until dates that do not overlap"
            )
        latest[key] = entry


def _kind(value: object) -> str:
    return f"{value!r} ({type(value).__name__})"
