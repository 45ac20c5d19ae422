"""A log and a committer over tables in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.server.ingest.stores import DEADLINE, Memory, log_rows, record_rows, span_rows

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.ingest.commit import Committed
from otel_sessions.server.ingest.committer import Committer
from otel_sessions.server.projections.changes import GroupChanges
from otel_sessions.server.projections.recent_traces import RecentTraces
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.log import SealedSegment, WriteAheadLog


class NotedRests(WriteAheadLog):
    """A log that notes until when the committer rests.

    Attributes:
        rests: the `not_before` of each segment that was asked for.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, backlog_bytes=1 << 20)
        self.rests: list[float] = []

    def take(self, *, not_before: float = 0.0) -> SealedSegment | None:
        """Note the rest and take the next segment."""
        self.rests.append(not_before)
        return super().take(not_before=not_before)


class Server:
    """A log and a committer over memory.

    Attributes:
        store: the tables.
        patient: False to stop at the first pause, for a store that stays away.
        pauses: the seconds of all pauses so far.
        left: the sessions of which it was told that they lost a trace.
        told: the trace groups of which it was told, commit by commit.
        commits: all commits.
    """

    def __init__(self, folder: Path, store: Memory | None = None, *, recent: int = 100) -> None:
        self.store = store or Memory()
        self.folder = folder
        self.patient = True
        self.pauses: list[float] = []
        self.told: list[Sequence[TraceGroup]] = []
        self.left: set[Pair] = set()
        self.commits: list[Committed] = []
        self._recent = recent
        self._payloads: dict[bytes, Any] = {}
        self._open()

    def _open(self) -> None:
        self.log = NotedRests(self.folder)
        known = SeenTraceIds()
        for trace_id in self.store.facts:
            known.add(trace_id)
        self.committer = Committer(
            self.store,
            self.log,
            known=known,
            recent=RecentTraces(self._recent),
            regrouped=self._regrouped,
            committed=lambda done, _: self.commits.append(done),
            pause=self._pause,
        )

    def restart(self) -> int:
        """Start again on what is on disk, as after `kill -9`; return the number of requests that were replayed."""
        self.log.release()
        self._open()
        return self.committer.replay(lambda _, payload: self._payloads[payload])

    def send(self, *spans: tuple[int, SpanFacts], payload: bytes | None = None) -> int:
        """Acknowledge one request; return the number of its segment."""
        number = str(len(self._payloads)).encode()
        payload = payload or json.dumps([trace_id for trace_id, _ in spans]).encode() + number
        self._payloads[payload] = span_rows(*spans)
        return self.log.append(TRACES, payload, self._payloads[payload])

    def send_logs(self, *lines: str) -> int:
        """Acknowledge one request of log records; return the number of its segment."""
        payload = "\n".join(lines).encode()
        self._payloads[payload] = log_rows(*lines)
        return self.log.append(LOGS, payload, self._payloads[payload])

    def send_records(self, *records: tuple[int, SpanFacts]) -> int:
        """Acknowledge one request of log records that are counted, each with its unit; return the number of its segment."""
        payload = json.dumps(["records", len(self._payloads)]).encode()
        self._payloads[payload] = record_rows(*records)
        return self.log.append(LOGS, payload, self._payloads[payload])

    def damage(self, payload: bytes) -> None:
        """Make a request unreadable for the next start."""
        del self._payloads[payload]

    def stop(self) -> bool:
        """Shut down in good order; return True if everything was committed."""
        self.committer.start()
        return self.committer.stop(timeout=DEADLINE)

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return not self.patient

    def _regrouped(self, changes: GroupChanges, version: int) -> None:
        self.told.append(changes.written)
        self.left |= changes.lost
