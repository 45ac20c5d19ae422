"""The rules for a session's id, keys, name, user, tags and metadata: which values are accepted.

The API, the processors, incoming baggage and the server share them. A check returns the value as it is stored or raises
`SessionValueError`; the caller decides whether that is a counted drop (the default) or an error (strict mode).
Messages name the length or the character at fault, never the value: it may be personal data.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from otel_sessions.attributes import ID_KEY
from otel_sessions.drops import SessionValueError


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths in characters and numbers of entries that are accepted; the defaults are the rules of otel-sessions.

    The lengths of ids and texts are those of the backends that read them; those of keys and keyed values are Inngest's.

    Attributes:
        id_length: of a session id and a user id.
        key_length: of a session key and a metadata name.
        value_length: of the value of a session key other than the id.
        text_length: of a session name, a tag and a metadata text.
        session_keys: the number of session keys, the id included.
        tags: the number of tags.
        metadata: the number of metadata entries.

    Example:
        >>> from otel_sessions import Limits, SessionSpanProcessor
        >>> processor = SessionSpanProcessor(limits=Limits(session_keys=2))
    """

    id_length: int = 200
    key_length: int = 128
    value_length: int = 512
    text_length: int = 200
    session_keys: int = 5
    tags: int = 32
    metadata: int = 32


DEFAULT_LIMITS: Final = Limits()

LONGEST_LABEL: Final = 1_000
"""Characters of the name of a service, an environment, a scope or an operation, which have no rules; of a longer one its
beginning and its length are kept. A filter takes as many."""

MAX_NAME_LENGTH: Final = 256
"""Characters of a name of a model, a provider or a response; a longer one is as good as absent."""

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

MetadataValue = str | bool | int | float
"""The value of a metadata entry."""

KEY_CHARACTERS: Final = "A-Za-z0-9_.-"
"""What a session key or a metadata name may hold, as in the brackets of a regular expression."""

_NOT_PRINTABLE_ASCII = re.compile(r"[^\x20-\x7e]")
_NOT_KEY = re.compile(f"[^{KEY_CHARACTERS}]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_DIGITS: Final = 4000


def session_id(value: object, *, field: str = "session_id", limits: Limits = DEFAULT_LIMITS) -> str:
    """A session, previous session or user id: str, int or UUID; printable US-ASCII, 1 to 200 characters, not blank.

    Raises:
        SessionValueError: with reason `type`, `empty`, `too_long` or `characters`.
    """
    if isinstance(value, str):
        text = value if type(value) is str else str.__str__(value)
        # Nearly every id passes here; for the others `_printable` finds out what is wrong.
        if text.isascii() and text.isprintable() and 0 < len(text) <= limits.id_length and not text.isspace():
            return text
    elif isinstance(value, bool) or not isinstance(value, int | UUID):
        raise wrong_type(field, value, "a str, an int or a UUID")
    else:
        text = _digits(field, value) if isinstance(value, int) else str(value)
    return _printable(field, text, limits.id_length)


def user_id(value: object, *, limits: Limits = DEFAULT_LIMITS) -> str:
    """A user id; the rule is that of `session_id`.

    Raises:
        SessionValueError: as `session_id`.
    """
    return session_id(value, field="user_id", limits=limits)


def key(value: object, *, field: str = "session_keys", limits: Limits = DEFAULT_LIMITS) -> str:
    """A session key or a metadata name: letters, digits, `_`, `.`, `-`, 1 to 128 characters.

    Raises:
        SessionValueError: with reason `key_type`, `key_empty`, `key_too_long`, `key_characters` or `key_reserved`.
    """
    if not isinstance(value, str):
        raise SessionValueError(
            field, "key_type", f"{field}: a name is of type {type(value).__name__}; names are strings"
        )
    text = str.__str__(value)
    if not text:
        raise SessionValueError(field, "key_empty", f"{field}: a name is empty; give it at least one character")
    if len(text) > limits.key_length:
        raise SessionValueError(
            field,
            "key_too_long",
            f"{field}: a name is {len(text)} characters long; {limits.key_length} are allowed",
        )
    if fault := _NOT_KEY.search(text):
        raise SessionValueError(
            field,
            "key_characters",
            f"{field}: a name has {_name(fault.group())} at index {fault.start()}; use letters, digits, '_', '.', '-'",
        )
    if text == ID_KEY and field == "session_keys":
        raise SessionValueError(
            field, "key_reserved", "session_keys: the key 'id' is session_id's; pass it as session_id="
        )
    return text


def keyed_value(value: object, *, limits: Limits = DEFAULT_LIMITS) -> str:
    """The value of a session key, as a string: str, int, finite float, bool (`true`) or UUID; 1 to 512 characters.

    Raises:
        SessionValueError: with reason `type`, `not_finite`, `empty`, `too_long` or `characters`.
    """
    field = "session_keys"
    if isinstance(value, str):
        text = str.__str__(value)
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        text = _digits(field, value)
    elif isinstance(value, float):
        text = float.__repr__(_finite(field, value))
    elif isinstance(value, UUID):
        text = str(value)
    else:
        raise wrong_type(field, value, "a str, an int, a finite float, a bool or a UUID")
    return _printable(field, text, limits.value_length)


def text(value: object, *, field: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """A session name, a tag or a metadata text: UTF-8, without control characters, up to 200 characters.

    Raises:
        SessionValueError: with reason `type`, `too_long`, `characters` or `not_utf8`.
    """
    if not isinstance(value, str):
        raise wrong_type(field, value, "a str")
    plain = str.__str__(value)
    if len(plain) > limits.text_length:
        raise _too_long(field, len(plain), limits.text_length)
    if plain.isprintable():
        return plain
    if fault := _CONTROL.search(plain):
        raise _wrong_character(field, fault, "take control characters out")
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        raise SessionValueError(
            field,
            "not_utf8",
            f"{field} has a lone surrogate at index {error.start}, which UTF-8 cannot carry; decode the text again",
        ) from None
    return plain


def score_name(value: object, *, field: str = "score_name") -> str:
    """The name of a score: as `text`, and not blank.

    Raises:
        SessionValueError: as `text`, and with reason `empty`; the message calls it `field`.
    """
    name = text(value, field=field)
    if not name.strip():
        raise SessionValueError(field, "empty", f"{field} is blank; pass the name of what is scored")
    return name


def metadata_value(value: object, *, limits: Limits = DEFAULT_LIMITS) -> MetadataValue:
    """A metadata value: text, bool, finite float, or an int within signed 64 bits.

    Raises:
        SessionValueError: as `text`, and with reason `not_finite` or `out_of_range`.
    """
    field = "metadata"
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            raise SessionValueError(
                field, "out_of_range", "metadata: an int does not fit signed 64 bits; pass it as a string"
            )
        return int(value)
    if isinstance(value, float):
        return float(_finite(field, value))
    if isinstance(value, str):
        return text(value, field=field, limits=limits)
    raise wrong_type(field, value, "a str, a bool, a finite float or an int")


def _printable(field: str, text: str, length: int) -> str:
    if len(text) > length:
        raise _too_long(field, len(text), length)
    if not (text.isascii() and text.isprintable()):
        fault = _NOT_PRINTABLE_ASCII.search(text)
        assert fault is not None
        raise _wrong_character(field, fault, "use printable US-ASCII")
    if not text or text.isspace():
        raise SessionValueError(field, "empty", f"{field} is empty or blank; leave it out or pass None instead")
    return text


def _digits(field: str, value: int) -> str:
    if value.bit_length() > _MAX_DIGITS * 3:
        raise SessionValueError(field, "too_long", f"{field} is an int of {value.bit_length()} bits; shorten it")
    return int.__repr__(value)


def _finite(field: str, value: float) -> float:
    if not math.isfinite(value):
        raise SessionValueError(
            field, "not_finite", f"{field}: a float is not finite; pass a finite number or a string"
        )
    return value


def wrong_type(field: str, value: object, wanted: str) -> SessionValueError:
    """The error for a value of a type that the field does not take."""
    if isinstance(value, SessionValueError):  # the error of a callable of a decorator
        return value
    return SessionValueError(field, "type", f"{field} is of type {type(value).__name__}; pass {wanted}")


def _too_long(field: str, length: int, allowed: int) -> SessionValueError:
    return SessionValueError(
        field, "too_long", f"{field} is {length} characters long; {allowed} are allowed: shorten or hash it"
    )


def _wrong_character(field: str, fault: re.Match[str], advice: str) -> SessionValueError:
    return SessionValueError(
        field, "characters", f"{field} has the character {_name(fault.group())} at index {fault.start()}; {advice}"
    )


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"
