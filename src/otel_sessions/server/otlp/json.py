"""Values of OTLP/JSON, read to the same messages as protobuf.

It is protobuf's JSON mapping, with ids in hexadecimal instead of base64 and enums as numbers. Members may have the names of
the protobuf fields too. Unknown members are ignored, as is `null`. The error for a member that does not fit its field
tells the path of that member.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]

from otel_sessions.server.otlp.messages import ANY_VALUE, KEY_VALUE, message_class
from otel_sessions.server.otlp.values import MAX_NESTING

PAIRS_KEPT: Final = 4_096
LONGEST_KEPT: Final = 100
"""Attributes that were read and are kept, and how many characters of text they have at most."""

_IDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
_LONGEST_INTEGER: Final = 20
_INT32, _INT64 = (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)
_UINT32, _UINT64 = (0, 2**32 - 1), (0, 2**64 - 1)
_INTEGERS: Final = {
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
}

_Convert = Callable[[Any, int], Any]
"""From a JSON value, at this level of nested attribute values, to the value of a field."""


class Field(NamedTuple):
    """A field of a message: its name, its name in JSON, and how its value is read."""

    name: str
    json_name: str
    convert: _Convert


class WrongError(Exception):
    """A value does not fit its field; `path` leads there, innermost first."""

    def __init__(self, message: str) -> None:
        """Say what is expected."""
        super().__init__(message)
        self.path: list[str] = []

    @property
    def where(self) -> str:
        """The path from the outermost message that was read, such as `.attributes[0].value.intValue`."""
        return "".join(reversed(self.path))


def message_of(descriptor: Any, value: Any, level: int) -> Any:
    """The message that a JSON object holds.

    Args:
        descriptor: of the message.
        value: the JSON value.
        level: how many attribute values it is in.

    Raises:
        WrongError: it is no object, or a member does not fit its field.
    """
    if not isinstance(value, dict):
        raise WrongError(f"an object expected, not {kind_of(value)}")
    make = message_class(descriptor.full_name)
    if descriptor.full_name == ANY_VALUE:
        level += 1
        if level > MAX_NESTING:
            # The span or log record is left out when this level is decoded, so the levels below need not be read.
            return make()
        value = _as_double(value)
    fields = fields_of(descriptor)
    values: dict[str, Any] = {}
    for member, of_member in value.items():
        field = fields.get(member)
        if field is None or of_member is None:
            continue
        if member != field.json_name and value.get(field.json_name) is not None:
            continue
        try:
            values[field.name] = field.convert(of_member, level)
        except WrongError as error:
            error.path.append("." + member)
            raise
    return make(**values)


def _as_double(value: dict[str, Any]) -> dict[str, Any]:
    """A value, as a double if it exceeds 64 bits: JavaScript's exporter calls all whole numbers integers."""
    number: Any = value.get("intValue")
    is_number = isinstance(number, int) or (isinstance(number, float) and math.isfinite(number))
    if is_number and not _INT64[0] <= number <= _INT64[1]:
        return {**value, "intValue": None, "doubleValue": number}
    return value


@functools.cache
def fields_of(descriptor: Any) -> dict[str, Field]:
    """The fields of a message by their names in JSON, and by their own."""
    loose = message_class(descriptor.full_name).DESCRIPTOR.fields_by_name
    fields: dict[str, Field] = {}
    for field in descriptor.fields:
        convert = _converter(field, serialize=loose[field.name].type == FieldDescriptor.TYPE_BYTES)
        fields[field.name] = fields[field.json_name] = Field(
            field.name, field.json_name, _each(convert) if field.is_repeated else convert
        )
    return fields


def _converter(field: Any, *, serialize: bool) -> _Convert:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        descriptor = field.message_type
        if serialize and descriptor.full_name == KEY_VALUE:
            return _pair(descriptor)
        if serialize:
            return lambda value, level: message_of(descriptor, value, level).SerializeToString()
        return lambda value, level: message_of(descriptor, value, level)
    if field.type == FieldDescriptor.TYPE_ENUM:
        numbers = {value.name: value.number for value in field.enum_type.values}
        return lambda value, _: _integer(numbers.get(value, value) if isinstance(value, str) else value, *_INT32)
    if field.type in _INTEGERS:
        low, high = _INTEGERS[field.type]
        return lambda value, _: _integer(value, low, high)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _id if field.name in _IDS else _bytes
    return {FieldDescriptor.TYPE_BOOL: _bool, FieldDescriptor.TYPE_DOUBLE: _double}.get(field.type, _text)


def _pair(descriptor: Any) -> _Convert:
    """Reads an attribute. Most attributes of a sender are the same in many records, so that short ones are read once."""

    @functools.lru_cache(PAIRS_KEPT)
    def known(name: str, kind: str, said: Any, _: str) -> bytes:
        return written({"key": name, "value": {kind: said}}, 0)

    def written(value: Any, level: int) -> bytes:
        return bytes(message_of(descriptor, value, level).SerializeToString())

    def converted(value: Any, level: int) -> bytes:
        # No subclasses: all of this comes from a JSON text. A zero has two signs, which are equal.
        if level == 0 and type(value) is dict and len(value) == 2:
            name, inner = value.get("key"), value.get("value")
            if type(name) is str and len(name) <= LONGEST_KEPT and type(inner) is dict and len(inner) == 1:
                ((kind, said),) = inner.items()
                of = type(said)
                if (of is str and len(said) <= LONGEST_KEPT) or of is int or of is bool or (of is float and said):
                    return known(name, kind, said, of.__name__)
        return written(value, level)

    return converted


def _each(convert: _Convert) -> _Convert:
    def converted(value: Any, level: int) -> list[Any]:
        if not isinstance(value, list):
            raise WrongError(f"an array expected, not {kind_of(value)}")
        values = []
        for place, item in enumerate(value):
            try:
                values.append(convert(item, level))
            except WrongError as error:
                error.path.append(f"[{place}]")
                raise
        return values

    return converted


def _integer(value: Any, low: int, high: int) -> int:
    number = None
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if digits.isdecimal() and digits.isascii() and len(digits) <= _LONGEST_INTEGER:
            number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if number is None:
        raise WrongError(f"an integer expected, not {kind_of(value)}")
    if not low <= number <= high:
        raise WrongError(f"an integer from {low} to {high} expected")
    return number


def _double(value: Any, _: int) -> float:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise WrongError(f"a number expected, not {kind_of(value)}")


def _bool(value: Any, _: int) -> bool:
    if not isinstance(value, bool):
        raise WrongError(f"true or false expected, not {kind_of(value)}")
    return value


def _text(value: Any, _: int) -> bytes:
    written = _string(value)
    try:
        return written.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _id(value: Any, _: int) -> bytes:
    """The bytes of a hexadecimal id; empty if it is not hexadecimal, so that only its own span is left out."""
    try:
        return binascii.unhexlify(_string(value))
    except ValueError:
        return b""


def _bytes(value: Any, _: int) -> bytes:
    """Bytes from base64 of either alphabet, with or without padding."""
    standard = _string(value).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        raise WrongError("base64 expected") from None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise WrongError(f"a string expected, not {kind_of(value)}")
    return value


def kind_of(value: Any) -> str:
    """The kind of a JSON value for a message, which does not quote the value: it may be long or personal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    names = {dict: "an object", list: "an array", str: "this string", int: "a number", float: "this number"}
    return names.get(type(value), "null")
