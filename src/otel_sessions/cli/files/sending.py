"""`Sender`: sends the records of one file to a server over OTLP, while the next ones are read."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_sessions.cli.client import Client, RefusedError
from otel_sessions.cli.errors import CommandError
from otel_sessions.cli.files.batches import Batch
from otel_sessions.cli.files.copies import Copies
from otel_sessions.cli.files.records import GIVEN, Record
from otel_sessions.server.signals import LOGS, OTLP_PATHS, TRACES

IN_FLIGHT: Final = 4
"""Requests with spans that are sent at once, so that the server has work while it answers. Those with log records go one after the other:
each says what came before it, and a server takes one at a time."""

AHEAD: Final = 2
"""Requests that wait meanwhile."""

PATIENCE_SECONDS: Final = 600.0
"""How long a server may say that it is busy."""

ANSWER_SECONDS: Final = 120.0

_LONGEST_HEADER: Final = 4_000
_COPIES: Final = "otel-sessions-copies"
GIVEN_PATH: Final = "/v1/given"
_WRONG: Final = frozenset({400, 413})
_BUSY: Final = frozenset({429, 503})
_FIRST_PAUSE: Final = 0.5

LeftOut = Callable[[str, str], None]
"""Called with a place in the file and what is left out there, and why."""


class Sender:
    """The way of one file's records to a server.

    Attributes:
        sent: by signal, how many records the server took.
    """

    def __init__(self, client: Client, left_out: LeftOut, *, sleep: Callable[[float], object] | None = None) -> None:
        """Send to a server.

        Args:
            client: names it.
            left_out: is told what the server does not take; on other threads.
            sleep: waits before something is sent again; by default for seconds, or until `close`.
        """
        self._client = client
        self._left_out = left_out
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._copies = Copies()
        self._batches: dict[str, Batch] = {}
        self._executors = {
            TRACES: ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="otel-sessions-import-spans"),
            LOGS: ThreadPoolExecutor(1, thread_name_prefix="otel-sessions-import-logs"),
        }
        self._sending: deque[Future[None]] = deque()
        self._counting = threading.Lock()
        self.sent: dict[str, int] = {}

    def add(self, record: Record, place: str) -> None:
        """Add a record; sends if a request is full.

        Raises:
            CommandError: the server cannot be reached, or does not take what was sent before.
        """
        batch = self._batches.get(record.signal)
        if batch is not None and (batch.is_full or not batch.fits(record)):
            self._submit(self._batches.pop(record.signal))
            batch = None
        if batch is None:
            batch = self._batches[record.signal] = Batch(record.signal)
        batch.add(record)
        batch.place = place

    def finish(self) -> None:
        """Send what is left and wait until all is acknowledged.

        Raises:
            CommandError: as `add`.
        """
        # What sessions were given comes behind the spans of the sessions.
        for batch in sorted(self._batches.values(), key=lambda batch: batch.signal == GIVEN):
            self._submit(batch)
        self._batches.clear()
        self._drain()

    def close(self) -> None:
        """Give up what is not sent yet."""
        self._closed.set()
        for executor in self._executors.values():
            executor.shutdown(cancel_futures=True)
        self._copies.close()

    def _drain(self) -> None:
        while self._sending:
            self._sending.popleft().result()

    def _submit(self, batch: Batch) -> None:
        if batch.signal == GIVEN:
            self._drain()
            self._send_given(batch)
            return
        while len(self._sending) >= IN_FLIGHT + AHEAD:
            self._sending.popleft().result()
        self._sending.append(self._executors[batch.signal].submit(self._send, batch))

    def _send_given(self, batch: Batch) -> None:
        """Send what sessions were given; what is wrong is looked for, since it is told of the request as a whole."""
        try:
            self._answer(batch, GIVEN_PATH, "application/json", {})
        except RefusedError as error:
            if error.code not in _WRONG:
                raise
            if len(batch) == 1:
                self._left_out(batch.place, str(error))
                return
            for half in batch.halves():
                self._send_given(half)
            return
        self.sent[GIVEN] = self.sent.get(GIVEN, 0) + len(batch)

    def _send(self, batch: Batch) -> None:
        if batch.signal == TRACES:
            self._post(batch, {})
            return
        digests = list(batch.digests())
        known = self._copies.known(digests)
        places: dict[bytes, int] = {}
        for place, digest in enumerate(digests):
            if digest in known:
                places.setdefault(digest, place)
        header = ",".join(f"{place}={known[digest]}" for digest, place in places.items())
        if len(header) > _LONGEST_HEADER:
            for half in batch.halves():
                self._send(half)
            return
        self._post(batch, {_COPIES: header})
        self._copies.add(digests)

    def _post(self, batch: Batch, headers: dict[str, str]) -> None:
        try:
            answer = self._answer(batch, OTLP_PATHS[batch.signal], "application/x-protobuf", headers)
        except RefusedError as error:
            if error.code not in _WRONG:
                raise
            self._left_out(batch.place, f"{len(batch)} records are refused: {error}")
            return
        self._count(batch, answer)

    def _answer(self, batch: Batch, path: str, kind: str, headers: dict[str, str]) -> bytes:
        """The answer to a request, which is sent again while the server is busy."""
        body = batch.request()
        end = time.monotonic() + PATIENCE_SECONDS
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._client.send(path, body, kind=kind, headers=headers, seconds=ANSWER_SECONDS)
            except RefusedError as error:
                if error.code not in _BUSY or time.monotonic() >= end or self._closed.is_set():
                    raise
                self._sleep(error.retry_after or pause)
                pause = min(pause * 2, 5.0)

    def _count(self, batch: Batch, answer: bytes) -> None:
        kind: Any = ExportTraceServiceResponse if batch.signal == TRACES else ExportLogsServiceResponse
        try:
            partial = kind.FromString(answer).partial_success
        except DecodeError:
            raise CommandError(f"what answers at {self._client.url} is no server of OTLP") from None
        rejected = partial.rejected_spans if batch.signal == TRACES else partial.rejected_log_records
        with self._counting:
            self.sent[batch.signal] = self.sent.get(batch.signal, 0) + len(batch) - rejected
        if partial.error_message:
            self._left_out(batch.place, partial.error_message)
