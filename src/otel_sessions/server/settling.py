"""`Settling`: how reads wait for what was acknowledged before them, and how commits make way for reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.switch_interval import SwitchInterval
from otel_sessions.server.wal.log import WriteAheadLog

SETTLE_SECONDS: Final = 30.0


class UnsettledError(Exception):
    """Acknowledged requests were not committed within the time that a read waits for them."""


class Settling:
    """Waits, in the process that writes to a store, until a read sees every request acknowledged so far.

    A commit writes trace groups before it has stored all spans, and session rows are written when a read needs them. So
    there is one method for each kind of rows, and a read waits for no more than it needs.
    """

    def __init__(self, log: WriteAheadLog, rows: SessionRows, *, timeout: float = SETTLE_SECONDS) -> None:
        """Wait for the requests of a log.

        Args:
            log: holds the requests until they are committed.
            rows: writes the rows of sessions.
            timeout: how many seconds a read waits.
        """
        self._log = log
        self._rows = rows
        self._timeout = timeout
        self._switch_interval = SwitchInterval()

    def wait_for_spans(self, timeout: float | None = None) -> None:
        """Wait until everything acknowledged so far is committed.

        Args:
            timeout: seconds, instead of those that a read waits.

        Raises:
            UnsettledError: it takes longer.
        """
        self._wait(self._log.progress.wait_for_commit, self._timeout if timeout is None else timeout)

    def wait_for_groups(self) -> None:
        """Wait until the trace groups of everything acknowledged so far are written.

        Raises:
            UnsettledError: it takes longer than a read waits.
        """
        self._wait(self._log.progress.wait_for_groups, self._timeout)

    def wait_for_session_rows(self) -> None:
        """Wait for the trace groups, then write the rows of the sessions that they changed.

        Raises:
            UnsettledError: the trace groups take longer than a read waits.
            StoreError: the store cannot write the rows.
        """
        self.wait_for_groups()
        self._rows.refresh(for_list=True)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While an answer is being computed, switch threads more often and delay commits that no read waits for."""
        with self._switch_interval.shortened(), self._log.progress.answering():
            yield

    def _wait(self, wait: Callable[[int, float], bool], timeout: float) -> None:
        if not wait(self._log.newest, timeout):
            raise UnsettledError(
                f"{self._log.waiting_bytes} acknowledged bytes were not committed within {timeout:g} s; try again later"
            )
