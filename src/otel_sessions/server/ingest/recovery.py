"""Segments that an earlier process left, and requests that cannot be stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from otel_sessions.server.signals import LOGS
from otel_sessions.server.wal.log import Request, SealedSegment
from otel_sessions.server.wal.segments import read_segment, segment_numbers

logger: Final = logging.getLogger("otel_sessions.server.ingest")


class SetAside:
    """Keeps requests that cannot be stored in files beside the log, so that they hold up no other.

    Attributes:
        count: the number of requests that were set aside since the start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count = 0

    def keep(self, number: int, signal: str, payload: bytes) -> None:
        """Write a request of the segment with this number to a file of its own."""
        self.count += 1
        path = self._folder / f"{number:012d}-{self.count}.{signal}.refused"
        path.write_bytes(payload)
        logger.error("a request of %d bytes cannot be stored; it is kept in %s", len(payload), path)


def left_behind(folder: Path, decode: Callable[[str, bytes], Any], set_aside: SetAside) -> Iterator[SealedSegment]:
    """The segments in a folder, oldest first; a request that cannot be decoded any more is set aside."""
    for number in segment_numbers(folder):
        requests = []
        for signal, payload in read_segment(folder, number):
            try:
                batch = decode(signal, payload)
            except Exception:
                logger.exception("a request of segment %d can no longer be read", number)
                set_aside.keep(number, signal, payload)
            else:
                requests.append(Request(signal, payload, batch))
        yield SealedSegment(number, requests)


def one_by_one(segment: SealedSegment) -> Iterator[SealedSegment]:
    """The requests of a segment, each as a part of its own; log records keep their numbers."""
    logs = 0
    for request in segment.requests:
        yield SealedSegment(segment.number, [request], logs)
        logs += len(request.batch) if request.signal == LOGS else 0
