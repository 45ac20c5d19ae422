"""`committer_problems`: what is wrong with the way from acknowledged requests to rows."""

from __future__ import annotations

from otel_sessions.server.ingest.committer import Committer
from otel_sessions.server.problems import Check, Problem
from otel_sessions.server.wal.log import WriteAheadLog


def committer_problems(committer: Committer, log: WriteAheadLog) -> tuple[Check, ...]:
    """The checks of a committer that was started, and of its log."""

    def gone() -> Problem | None:
        if committer.is_alive:
            return None
        message = "a thread that commits is gone: restart the server, which commits what is left"
        return Problem("committer_gone", message, blocks=True)

    def failing() -> Problem | None:
        message = committer.trouble.message
        return None if message is None else Problem("commits_fail", message, blocks=True)

    def replaying() -> Problem | None:
        left = len(log.left_numbers())
        if not left:
            return None
        return Problem("replaying", f"{left} segments of an earlier process are not committed yet")

    def set_aside() -> Problem | None:
        count = committer.set_aside.count
        if not count:
            return None
        message = (
            f"{count} requests could not be stored and are kept as *.refused in {log.folder}: "
            "the log says why; stop the server and run `otel-sessions retry-refused`"
        )
        return Problem("requests_set_aside", message)

    def damaged() -> Problem | None:
        count = committer.set_aside.damaged
        if not count:
            return None
        message = (
            f"{count} segments of the log of requests were damaged; what could be read is stored, and the files are kept "
            f"as *.damaged in {log.folder}: check the disk, then move them away"
        )
        return Problem("segments_damaged", message)

    return gone, failing, replaying, set_aside, damaged
