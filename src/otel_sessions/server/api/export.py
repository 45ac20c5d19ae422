"""Export: sessions, and the spans and log records that they are made of, as a file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

from anyio import CapacityLimiter, WouldBlock, to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from otel_sessions.server.api.dependencies import BackendDep
from otel_sessions.server.api.endpoints import Endpoint
from otel_sessions.server.api.errors import ApiError, error_responses, invalid_parameter, unavailable
from otel_sessions.server.api.export_tables import TABLES, conversations
from otel_sessions.server.api.parameters import Filters
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.exporting.given import given_lines, given_otlp_lines, given_otlp_messages
from otel_sessions.server.exporting.records import csv_lines, json_lines, otlp_lines, otlp_messages, parquet
from otel_sessions.server.exporting.selection import Selection
from otel_sessions.server.exporting.tables import table_csv_lines, table_json_lines, table_parquet
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.signals import LOGS, TRACES

EXPORTS: Final = 2
"""How many exports run at once: each holds one of the clients that read from the store."""

READ_BYTES: Final = 1 << 20
MOST_IDS: Final = 1_000

What = Literal["all", "spans", "logs", "sessions", "traces", "calls", "messages"]
FileFormat = Literal["jsonl", "csv", "parquet", "markdown", "otlp", "otlp_proto"]

_SIGNALS: Final = {"all": (TRACES, LOGS), "spans": (TRACES,), "logs": (LOGS,)}
_CONTENT_TYPES: Final = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "markdown": "text/markdown; charset=utf-8",
    "otlp": "application/x-ndjson",
    "otlp_proto": "application/octet-stream",
}
_GIVEN: Final = {"jsonl": given_lines, "otlp": given_otlp_lines, "otlp_proto": given_otlp_messages}
_RECORDS: Final = {"jsonl": json_lines, "otlp": otlp_lines, "otlp_proto": otlp_messages, "csv": csv_lines}
_SUFFIXES: Final = {"otlp_proto": "otlp", "markdown": "md"}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file. A connection that breaks before the end of the answer means that it is not complete.",
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for kind in dict.fromkeys(_CONTENT_TYPES.values())
        },
    }
}

router: Final = APIRouter(route_class=Endpoint, tags=["export"], responses=error_responses(400, 401, 404, 421, 503))


class _Export(NamedTuple):
    """What a request wants."""

    what: str
    format: str
    selection: Selection


async def _ids(
    ids: Annotated[
        str | None,
        Query(
            description=f"Only these sessions: a JSON array of up to {MOST_IDS} ids.",
            max_length=64 << 10,
            examples=['["ticket-1"]'],
        ),
    ] = None,
) -> tuple[str, ...] | None:
    if ids is None:
        return None
    try:
        given = json.loads(ids)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, list) or not 0 < len(given) <= MOST_IDS or not all(isinstance(one, str) for one in given):
        raise invalid_parameter("ids", ids, f'a JSON array of 1 to {MOST_IDS} ids such as ["ticket-1"]')
    return tuple(dict.fromkeys(given))


async def _limiter(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.exports
    return limiter


@router.get(
    "/v1/export",
    operation_id="export",
    summary="Export sessions",
    response_class=StreamingResponse,
    responses=_FILE,
)
async def export(
    backend: BackendDep,
    filters: Filters,
    limiter: Annotated[CapacityLimiter, Depends(_limiter)],
    ids: Annotated[tuple[str, ...] | None, Depends(_ids)],
    *,
    format: Annotated[  # noqa: A002 - the name of the parameter
        FileFormat,
        Query(
            description=(
                "`otlp`: OTLP/JSON, a request a line, and `otlp_proto`: serialized requests, each behind its length in four bytes, both as "
                "the file exporter of the Collector writes them; `jsonl`: a JSON object a line; `csv`, with a head; `parquet`; `markdown`: "
                "conversations to read."
            )
        ),
    ] = "jsonl",
    what: Annotated[
        What,
        Query(
            description=(
                "`all`: spans and log records as they came, without loss, and the scores, annotations and names that sessions were given, in "
                "OTLP and JSON lines; `spans` or `logs`: one of them, in every format but Markdown; `sessions`, `traces`, `calls`: what was "
                "counted, as a table; `messages`: whole, as a table or as Markdown."
            )
        ),
    ] = "all",
) -> Response:
    """Export spans and log records, or what was counted, as a file.

    Without filters, spans and log records are all that there are, in a session or not; with filters or ids, those of the traces that the
    chosen sessions have spans in, and the log records that belong to them. The file has everything that was acknowledged before
    the request. What comes in meanwhile may be in it or not; one table is always read as it was at one moment.
    """
    chosen = None if filters == SessionFilters() else filters
    wanted = _Export(what, format, Selection(filters.key, ids, chosen))
    _check(what, format)
    stack = ExitStack()
    borrower = object()
    try:
        limiter.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        raise unavailable("too_many_exports", f"{EXPORTS} exports are running; try again when one has ended") from None
    stack.callback(limiter.release_on_behalf_of, borrower)
    try:
        chunks = await to_thread.run_sync(_opened, backend, wanted, stack)
    except BaseException:
        stack.close()
        raise
    return StreamingResponse(
        _sent(chunks, stack),
        media_type=_CONTENT_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{what}.{_SUFFIXES.get(format, format)}"'},
    )


def _check(what: str, format_: str) -> None:
    if format_ == "markdown" and what != "messages":
        raise ApiError(400, "invalid_parameter", f"what={what}: markdown holds conversations; choose messages")
    if what == "all" and format_ in ("csv", "parquet"):
        raise ApiError(400, "invalid_parameter", f"what=all: {format_} holds one table; choose spans, logs or sessions")
    if what in TABLES and format_ in ("otlp", "otlp_proto"):
        raise ApiError(
            400, "invalid_parameter", f"what={what}: OTLP holds spans and log records; choose all, spans or logs"
        )


def _opened(backend: Backend, wanted: _Export, stack: ExitStack) -> Iterator[bytes]:
    """The file in parts, of which the first is read: an error up to there is an answer of its own."""
    store = backend.reader.settled()
    missing = [
        one for one in wanted.selection.ids or () if backend.reader.session(one, key=wanted.selection.key) is None
    ]
    if missing:
        raise ApiError(
            404, "not_found", f"there is no session with the key {wanted.selection.key!r} and the id {missing[0]!r}"
        )
    if wanted.format == "parquet":
        chunks = _file(stack, _parquet(backend, wanted))
    elif wanted.format == "markdown":
        chunks = _joined(piece.encode() for piece in conversations(backend.reader, wanted.selection))
    elif wanted.what in TABLES:
        table = TABLES[wanted.what]
        rows = table.rows(backend.reader, wanted.selection)
        chunks = table_json_lines(rows) if wanted.format == "jsonl" else table_csv_lines(table.columns, rows)
        chunks = _joined(chunks)
    else:
        chunks = _records(store, wanted)
    stack.callback(_close, chunks)
    first = next(chunks, b"")
    return _with(first, chunks)


def _records(store: Store, wanted: _Export) -> Iterator[bytes]:
    for signal in _SIGNALS[wanted.what]:
        yield from _RECORDS[wanted.format](store, signal, wanted.selection)
    if wanted.what == "all":
        yield from _GIVEN[wanted.format](store, wanted.selection)


def _parquet(backend: Backend, wanted: _Export) -> Callable[[Path], None]:
    if wanted.what in TABLES:
        table = TABLES[wanted.what]
        rows = table.rows(backend.reader, wanted.selection)
        return lambda path: table_parquet(backend.store, table.columns, rows, path)
    (signal,) = _SIGNALS[wanted.what]
    return lambda path: parquet(backend.store, signal, wanted.selection, path)


def _file(stack: ExitStack, write: Callable[[Path], None]) -> Iterator[bytes]:
    """The bytes of a file that is written first."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="otel-sessions-export-"))
    path = Path(folder, "export")
    write(path)
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            yield chunk


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in larger parts, since each part goes through the event loop."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= READ_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _close(chunks: Any) -> None:
    chunks.close()


async def _sent(chunks: Iterator[bytes], stack: ExitStack) -> AsyncIterator[bytes]:
    """The parts, each made on a thread; whatever ends the answer, what it holds is freed."""
    try:
        while (chunk := await to_thread.run_sync(next, chunks, None)) is not None:
            yield chunk
    finally:
        stack.close()


assert set(get_args(What)) == {*_SIGNALS, *TABLES}
