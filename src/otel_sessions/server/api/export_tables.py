"""`TABLES`: what was counted or said as tables, with the columns of the REST API, and conversations to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel

from otel_sessions.conversation.markdown import as_markdown
from otel_sessions.server.api.call_models import Call
from otel_sessions.server.api.message_models import Message
from otel_sessions.server.api.models import Session, Trace
from otel_sessions.server.exporting.selection import Selection
from otel_sessions.server.exporting.tables import TEXT, Columns
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.messages import Told
from otel_sessions.server.reader import Reader

ROWS_AT_ONCE: Final = 1_000

_TYPES: Final = {int: "Nullable(Int64)", float: "Nullable(Float64)", bool: "Nullable(Bool)"}
_OWNER: Final = {"session_key": TEXT, "session_id": TEXT}
"""The first columns of the parts of sessions."""

_Row = Mapping[str, Any]


class Table(NamedTuple):
    """A table of an export.

    Attributes:
        columns: by name, the type of each.
        rows: reads the rows of a selection, each with all columns.
    """

    columns: Columns
    rows: Callable[[Reader, Selection], Iterator[_Row]]


def _sessions(reader: Reader, selection: Selection) -> Iterator[_Row]:
    if selection.ids is not None:
        for session_id in selection.ids:
            rollup = reader.session(session_id, key=selection.key)
            if rollup is not None:
                yield Session.of(rollup).model_dump(mode="json")
        return
    filters = selection.filters or SessionFilters(key=selection.key)
    cursor = None
    while True:
        page = reader.sessions(filters, sort="created", descending=False, limit=ROWS_AT_ONCE, cursor=cursor)
        for rollup in page.sessions:
            yield Session.of(rollup).model_dump(mode="json")
        cursor = page.next
        if cursor is None:
            return


def _traces(reader: Reader, selection: Selection) -> Iterator[_Row]:
    for session in _sessions(reader, selection):
        offset = 0
        while True:
            page = reader.traces(session["id"], key=selection.key, limit=ROWS_AT_ONCE, offset=offset)
            for group in page.traces:
                yield _owned(session, Trace.of(group))
            offset += ROWS_AT_ONCE
            if offset >= page.total:
                break


def _calls(reader: Reader, selection: Selection) -> Iterator[_Row]:
    for session in _sessions(reader, selection):
        offset = 0
        while True:
            page = reader.calls(session["id"], key=selection.key, limit=ROWS_AT_ONCE, offset=offset)
            if page is None:
                break
            for call in page.calls:
                yield _owned(session, Call.of(call))
            offset += ROWS_AT_ONCE
            if offset >= page.total:
                break


def _messages(reader: Reader, selection: Selection) -> Iterator[_Row]:
    for session in _sessions(reader, selection):
        for line, message in _told(reader, selection.key, session["id"]):
            yield _owned(session, Message.of(line, message, longest=None))


def conversations(reader: Reader, selection: Selection) -> Iterator[str]:
    """The pieces of a document with the conversations of the sessions, one after the other."""
    between = ""
    for session in _sessions(reader, selection):
        name, session_id = session["title"], session["id"]
        title = f"{name} ({session_id})" if name and name != session_id else session_id
        yield between
        yield from as_markdown(title, _told(reader, selection.key, session_id))
        between = "\n"


def _told(reader: Reader, key: str, session_id: str) -> Iterator[Told]:
    """The messages of a session, whole, of which only some are in memory."""
    offset = 0
    while True:
        page = reader.messages(session_id, key=key, limit=ROWS_AT_ONCE, offset=offset)
        if page is None:
            return
        yield from page.messages
        offset = page.next
        if offset >= page.total:
            return


def _owned(session: _Row, part: BaseModel) -> _Row:
    return {"session_key": session["key"], "session_id": session["id"], **part.model_dump(mode="json")}


def _columns(model: type[BaseModel]) -> Columns:
    columns = {}
    for name, field in model.model_fields.items():
        kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
        columns[name] = _TYPES.get(kinds[0], TEXT) if len(kinds) == 1 else TEXT
    return columns


TABLES: Final[Mapping[str, Table]] = {
    "sessions": Table(_columns(Session), _sessions),
    "traces": Table({**_OWNER, **_columns(Trace)}, _traces),
    "calls": Table({**_OWNER, **_columns(Call)}, _calls),
    "messages": Table({**_OWNER, **_columns(Message)}, _messages),
}
