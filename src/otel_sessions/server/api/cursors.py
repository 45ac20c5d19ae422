"""Opaque cursors: text that says where the next page of a list starts, and in which list."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from typing import Any, Final

from otel_sessions.counting.measures import FLOAT, TEXT, UINT64
from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.queries.logs import LogCursor
from otel_sessions.server.queries.pagination import Cursor
from otel_sessions.server.queries.session_score import type_of_sort

_DECIMAL: Final = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?")
_INTEGER: Final = re.compile(r"[0-9]{1,20}")
_FLOAT: Final = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?")
_OF_LOG: Final = ((-(2**63), 2**63), (0, 2**64), (0, 2**32), (0, 2**64))
"""From which number to below which each part of the cursor of a log record is."""


def list_mark(*identity: Any) -> str:
    """A mark that two requests share if they ask for the same list in the same order."""
    return hashlib.sha256(json.dumps(identity, default=str, sort_keys=True).encode()).hexdigest()[:16]


def session_cursor(cursor: Cursor, mark: str) -> str:
    """The text of a cursor in a list of sessions."""
    return _written([mark, cursor.measure, cursor.id])


def log_cursor(cursor: LogCursor, mark: str) -> str:
    """The text of a cursor in a list of log records."""
    return _written([mark, *cursor])


def offset_cursor(offset: int, mark: str) -> str:
    """The text of a cursor in a list whose items are counted from the start."""
    return _written([mark, offset])


def price_cursor(position: tuple[int, int, int], mark: str) -> str:
    """The text of a cursor in what is priced again: the last unit, how many are done, and how many there are."""
    return _written([mark, *position])


def read_price_cursor(text: str | None, mark: str) -> tuple[int, int, int] | None:
    """The cursor that `price_cursor` wrote for the same scope; `None` for no text.

    Raises:
        ApiError: the text is not such a cursor.
    """
    if not text:
        return None
    position = _read(text, mark)
    if len(position) != 3 or any(type(value) is not int or not 0 <= value < 1 << 128 for value in position):
        raise _invalid()
    return position[0], position[1], position[2]


def read_session_cursor(text: str | None, mark: str, *, sort: str) -> Cursor | None:
    """The cursor that `session_cursor` wrote for the same list; `None` for no text.

    Raises:
        ApiError: the text is not such a cursor.
    """
    if not text:
        return None
    position = _read(text, mark)
    if len(position) != 2 or not isinstance(position[1], str):
        raise _invalid()
    measure, session_id = position
    # A forged measure must not reach the store, which reads it as a value of the column's type.
    if measure is not None and not (isinstance(measure, str) and _is_of_type(measure, type_of_sort(sort))):
        raise _invalid()
    return Cursor(measure, session_id)


def read_log_cursor(text: str | None, mark: str) -> LogCursor | None:
    """The cursor that `log_cursor` wrote for the same list; `None` for no text.

    Raises:
        ApiError: the text is not such a cursor.
    """
    if not text:
        return None
    position = _read(text, mark)
    if len(position) != len(_OF_LOG) or any(
        type(value) is not int or not least <= value < greatest
        for value, (least, greatest) in zip(position, _OF_LOG, strict=True)
    ):
        raise _invalid()
    return LogCursor(*position)


def read_offset_cursor(text: str | None, mark: str, *, most: int) -> int:
    """The offset that `offset_cursor` wrote for the same list; 0 for no text.

    Args:
        text: the cursor.
        mark: of the list.
        most: the greatest offset to accept.

    Raises:
        ApiError: the text is not such a cursor.
    """
    if not text:
        return 0
    position = _read(text, mark)
    if len(position) != 1 or type(position[0]) is not int or not 0 <= position[0] <= most:
        raise _invalid()
    offset: int = position[0]
    return offset


def _written(position: list[Any]) -> str:
    packed = json.dumps(position, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _read(text: str, mark: str) -> list[Any]:
    try:
        packed = base64.b64decode(f"{text}{'=' * (-len(text) % 4)}", altchars=b"-_", validate=True)
        position = json.loads(packed)
        # JSON can spell a lone surrogate, which is not valid text.
        json.dumps(position, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _invalid() from None
    if not isinstance(position, list) or not position or not isinstance(position[0], str):
        raise _invalid()
    if position[0] != mark:
        raise ApiError(
            400,
            "cursor_of_other_list",
            "this cursor belongs to another list; repeat the filters, sort and order of the page that it came from",
        )
    return position[1:]


def _is_of_type(measure: str, kind: str) -> bool:
    if kind == UINT64:
        return bool(_INTEGER.fullmatch(measure)) and int(measure) < 2**64
    if kind == FLOAT:
        return bool(_FLOAT.fullmatch(measure)) and math.isfinite(float(measure))
    if kind == TEXT:
        return True
    return bool(_DECIMAL.fullmatch(measure))


def _invalid() -> ApiError:
    return ApiError(400, "invalid_cursor", "this is not a valid cursor; give the `next` of a page unchanged")
