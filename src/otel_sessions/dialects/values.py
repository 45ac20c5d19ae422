"""Parsers from attribute values, as other SDKs write them, to the values of fields; `None` for an invalid value.

Any sender can write any value: a count may be a string, negative, not a number or a list. An invalid value is as good as
absent.
"""

from __future__ import annotations

import functools
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from otel_sessions import rules
from otel_sessions.dialects.python_values import as_json
from otel_sessions.drops import SessionValueError, drop
from otel_sessions.long_texts import cut
from otel_sessions.money import EXACT, is_amount
from otel_sessions.rules import MAX_NAME_LENGTH
from otel_sessions.timestamps import DAY_NS, MS_NS, SECOND_NS, parse_time

T = TypeVar("T")

MAX_TOKENS: Final = 10**12
"""More tokens than this in one call are a mistake."""

LONGEST_TITLE: Final = 300

LONGEST_NS: Final = 30 * DAY_NS
"""A longer duration is a mistake."""

_END_OF_TIME: Final = 1 << 63
_DURATION: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")
_HELPERS: Final = frozenset(
    {"main", "auxiliary", "compact", "compaction", "sdk", "feedback", "insights", "speculation"}
)
_MAX_JSON: Final = 1 << 20
_MAX_NUMBER: Final = 40
_MAX_URL: Final = 4_096
_MAX_PRINTED: Final = 16_384
_MAX_BITS: Final = 128
_FLOAT: Final = Context(prec=sys.float_info.dig)
_FLOAT_DIGITS: Final = 17
"""A float is printed with at most this many digits; an amount with more was not a float."""


def tokens(value: object) -> int | None:
    """A count of tokens: a non-negative whole number, also as a float or a string."""
    if type(value) is int:
        count: int = value
    elif isinstance(value, str):
        if not (value.isdecimal() and value.isascii() and len(value) <= _MAX_NUMBER):
            return None
        count = int(value)
    elif isinstance(value, float) and value.is_integer():
        count = int(value)
    else:
        return None
    return count if 0 <= count <= MAX_TOKENS else None


def money(value: object) -> Decimal | None:
    """An amount in USD: a finite, non-negative number, also as a string.

    A float holds 15 decimal digits; what it has beyond them is noise of its arithmetic, and is rounded away, also where
    the float was written as a string.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return None
    written = repr(value) if isinstance(value, int | float) else str(value).strip()
    try:
        amount = Decimal(written) if len(written) <= _MAX_NUMBER else Decimal("NaN")
    except InvalidOperation:
        return None
    if not is_amount(amount):
        return None
    if sys.float_info.dig < len(amount.as_tuple().digits) <= _FLOAT_DIGITS:
        amount = _FLOAT.plus(amount)
    return amount or Decimal(0)


def micros(value: object) -> Decimal | None:
    """An amount in USD from a number of its millionths."""
    amount = money(value)
    scaled = None if amount is None else amount.scaleb(-6, EXACT)
    return scaled if is_amount(scaled) else None


def seconds(value: object) -> int | None:
    """Nanoseconds from a number of seconds, also as a string; of milliseconds for an int, as Strands writes it."""
    return _nanoseconds(value, MS_NS if type(value) is int else SECOND_NS)


def milliseconds(value: object) -> int | None:
    """Nanoseconds from a number of milliseconds, also as a string."""
    return _nanoseconds(value, MS_NS)


def _nanoseconds(value: object, unit: int) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not _DURATION.fullmatch(value):
            return None
        value = float(value)
    if isinstance(value, float):
        return round(value * unit) if 0 <= value * unit <= LONGEST_NS else None
    return value * unit if isinstance(value, int) and 0 <= value * unit <= LONGEST_NS else None


def moment(value: object) -> int | None:
    """Nanoseconds since 1970 of a time in RFC 3339; `None` for one that OTLP could not send."""
    written = text(value)
    if written is None:
        return None
    at = parse_time(written)
    return at if at is not None and 0 < at < _END_OF_TIME else None


def known_user_id(value: object) -> str | None:
    """The id of a user, unless it is `unknown`."""
    return None if value == "unknown" else checked_user_id(value)


def known_id(value: object) -> str | None:
    """The value of a session, unless it is `unknown`."""
    return None if value == "unknown" else checked_id(value)


def sub_agent(value: object) -> str | None:
    """The sub-agent that asked for a call: `Explore` for `agent:builtin:Explore` or `Explore`.

    Names with `_` and the words of `_HELPERS` are helpers of the main agent.
    """
    source = name(value)
    if source is None:
        return None
    if source.startswith("agent:"):
        return source.split(":", 2)[-1] or None
    return None if "_" in source or source in _HELPERS else source


def text(value: object) -> str | None:
    """A non-empty string; a JSON string, as MLflow writes all values, without its quotes."""
    if not isinstance(value, str) or not value:
        return None
    if value[0] == '"':
        unquoted = from_json(value)
        return unquoted if isinstance(unquoted, str) and unquoted else None
    return value


def name(value: object) -> str | None:
    """A text that names a model, a provider or a response, of at most `MAX_NAME_LENGTH` characters."""
    if type(value) is str and 0 < len(value) <= MAX_NAME_LENGTH and value[0] != '"':
        return value
    found = text(value)
    return found if found is not None and len(found) <= MAX_NAME_LENGTH else None


def title(value: object) -> str | None:
    """A text for people, on one line and cut to `LONGEST_TITLE` characters; `None` if it is blank."""
    found = text(value)
    line = " ".join(found[: 8 * LONGEST_TITLE].split()) if found is not None else ""
    return cut(line.encode(errors="replace").decode(), LONGEST_TITLE) or None


def host(value: object) -> str | None:
    """The host of a URL or of `host:port`, in lower case; a name or an address as it is."""
    address = text(value)
    if address is None or len(address) > _MAX_URL:
        return None
    if "://" not in address:
        if ":" not in address and "/" not in address:
            return address.lower()
        if address.count(":") > 1 and address[0] != "[":  # an IPv6 address
            return address
        address = "//" + address
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def flag(value: object) -> bool | None:
    """A boolean, also as the strings `true` and `false`."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def from_json(value: object) -> Any:
    """The value of a JSON string, `None` if it is not valid; a value that is not a string is returned as it is."""
    if not isinstance(value, str):
        return value
    if len(value) > _MAX_JSON:
        return None
    try:
        parsed = json.loads(value)
        # JSON can hold half of a surrogate pair, which cannot be stored or sent.
        return _whole(parsed) if "\\ud" in value or "\\uD" in value else parsed
    except (ValueError, RecursionError):
        return None


def from_printed(value: object) -> Any:
    """As `from_json`, also for a `dict` as Python prints it."""
    if not isinstance(value, str):
        return value
    if value[:2] != "{'":
        return from_json(value)
    return from_json(as_json(value)) if len(value) <= _MAX_PRINTED else None


def _whole(parsed: Any) -> Any:
    written = json.dumps(parsed, ensure_ascii=False)
    return json.loads(written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def inside(value: object, path: tuple[str, ...]) -> Any:
    """The value at a path of keys in nested mappings; `None` without one."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def strings(value: object) -> tuple[str, ...] | None:
    """A list of strings: a sequence, JSON, or joined by commas; items that the rules for tags refuse are dropped."""
    if isinstance(value, str):
        value = from_json(value) if value.startswith("[") else value.split(",")
    if not isinstance(value, list | tuple):
        return None
    looked_at = islice(value, rules.DEFAULT_LIMITS.tags * 8)
    accepted = (checked_tag(item.strip()) for item in looked_at if isinstance(item, str))
    return tuple(islice(dict.fromkeys(tag for tag in accepted if tag), rules.DEFAULT_LIMITS.tags)) or None


def _checking(check: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """A check of the rules that drops and counts instead of raising; accepted values are cached, since they repeat."""
    remembered = functools.lru_cache(maxsize=4096)(check)

    def checked(value: Any) -> T | None:
        if value is None:
            return None
        try:
            return remembered(value) if type(value) is str else check(value)
        except SessionValueError as error:
            drop(error, strict=False)
            return None

    return checked


def _unquoted(check: Callable[[object], str]) -> Callable[[object], str]:
    """The same check for values that may be JSON strings."""
    return lambda value: check(text(value) or value if isinstance(value, str) and value[:1] == '"' else value)


def _text_of(field: str) -> Callable[[object], str]:
    return lambda value: rules.text(value, field=field)


def _name_of_metadata(value: object) -> str:
    return rules.key(value, field="metadata")


checked_id = _checking(_unquoted(rules.session_id))
checked_user_id = _checking(_unquoted(rules.user_id))
checked_name = _checking(_text_of("session_name"))
checked_tag = _checking(_text_of("tags"))
checked_keyed_value = _checking(rules.keyed_value)
checked_metadata = _checking(rules.metadata_value)
checked_key = _checking(rules.key)
checked_metadata_name = _checking(_name_of_metadata)
