"""Segments that an earlier process left, and the requests of a segment one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from otel_sessions.server.ingest.set_aside import SetAside
from otel_sessions.server.signals import LOGS, SIGNALS
from otel_sessions.server.wal.log import Request, SealedSegment, WriteAheadLog
from otel_sessions.server.wal.salvage import Salvaged
from otel_sessions.server.wal.segments import read_signal

logger: Final = logging.getLogger("otel_sessions.server.ingest")


class LeftBehind(NamedTuple):
    """A segment that an earlier process left.

    Attributes:
        segment: its requests.
        damaged: by signal, how its files were read that are damaged.
    """

    segment: SealedSegment
    damaged: dict[str, Salvaged]


def left_behind(
    log: WriteAheadLog, number: int, decode: Callable[[str, bytes], Any], set_aside: SetAside
) -> LeftBehind:
    """Read a segment that an earlier process left; a request that cannot be decoded any more is set aside.

    Raises:
        OSError: a file cannot be read or written now.
    """
    requests = []
    damaged = {}
    for signal in SIGNALS:
        salvaged = read_signal(log.folder, number, signal)
        if salvaged.is_damaged:
            damaged[signal] = salvaged
        for payload in salvaged.requests:
            try:
                batch = decode(signal, payload)
            except MemoryError:
                raise
            except Exception:
                logger.exception("a request of segment %d can no longer be read", number)
                set_aside.keep(number, signal, payload)
            else:
                requests.append(Request(signal, payload, batch))
    return LeftBehind(SealedSegment(number, requests, given_identity=log.identity(number)), damaged)


def one_by_one(segment: SealedSegment) -> Iterator[SealedSegment]:
    """The requests of a segment, each as a part of its own; log records keep their numbers."""
    logs = 0
    for request in segment.requests:
        yield SealedSegment(segment.number, [request], logs, given_identity=segment.identity)
        logs += len(request.batch) if request.signal == LOGS else 0
