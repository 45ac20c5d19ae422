"""`Sender`: sends the records of one file to a server over OTLP, while the next ones are read."""

from __future__ import annotations

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
from otel_sessions.cli.files.records import Record
from otel_sessions.server.signals import OTLP_PATHS, TRACES

AHEAD: Final = 2
"""Requests that wait while one is answered."""

PATIENCE_SECONDS: Final = 600.0
"""How long a server may say that it is busy."""

ANSWER_SECONDS: Final = 120.0

_LONGEST_HEADER: Final = 4_000
_COPIES: Final = "otel-sessions-copies"
_BUSY: Final = frozenset({429, 503})
_FIRST_PAUSE: Final = 0.5

LeftOut = Callable[[str, str], None]
"""Called with a place in the file and what is left out there, and why."""


class Sender:
    """The way of one file's records to a server.

    Attributes:
        sent: by signal, how many records the server took.
    """

    def __init__(self, client: Client, left_out: LeftOut, *, sleep: Callable[[float], object] = time.sleep) -> None:
        """Send to a server.

        Args:
            client: names it.
            left_out: is told what the server does not take; on another thread.
            sleep: waits before something is sent again.
        """
        self._client = client
        self._left_out = left_out
        self._sleep = sleep
        self._copies = Copies()
        self._batches: dict[str, Batch] = {}
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="otel-sessions-import")
        self._sending: deque[Future[None]] = deque()
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
        for batch in self._batches.values():
            self._submit(batch)
        self._batches.clear()
        while self._sending:
            self._sending.popleft().result()

    def close(self) -> None:
        """Give up what is not sent yet."""
        self._executor.shutdown(cancel_futures=True)
        self._copies.close()

    def _submit(self, batch: Batch) -> None:
        while len(self._sending) >= AHEAD:
            self._sending.popleft().result()
        self._sending.append(self._executor.submit(self._send, batch))

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
        body = batch.request()
        end = time.monotonic() + PATIENCE_SECONDS
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = self._client.send(
                    OTLP_PATHS[batch.signal],
                    body,
                    kind="application/x-protobuf",
                    headers=headers,
                    seconds=ANSWER_SECONDS,
                )
            except RefusedError as error:
                if error.code in _BUSY and time.monotonic() < end:
                    self._sleep(error.retry_after or pause)
                    pause = min(pause * 2, 5.0)
                    continue
                if error.code in (400, 413):
                    self._left_out(batch.place, f"{len(batch)} records are refused: {error}")
                    return
                raise
            break
        self._count(batch, answer)

    def _count(self, batch: Batch, answer: bytes) -> None:
        kind: Any = ExportTraceServiceResponse if batch.signal == TRACES else ExportLogsServiceResponse
        try:
            partial = kind.FromString(answer).partial_success
        except DecodeError:
            raise CommandError(f"what answers at {self._client.url} is no server of OTLP") from None
        rejected = partial.rejected_spans if batch.signal == TRACES else partial.rejected_log_records
        self.sent[batch.signal] = self.sent.get(batch.signal, 0) + len(batch) - rejected
        if partial.error_message:
            self._left_out(batch.place, partial.error_message)
