"""Files that a person has to look at are kept once, and counted over restarts."""

from __future__ import annotations

from pathlib import Path

from tests.server.ingest.servers import Server
from tests.server.ingest.stores import span

from otel_sessions.server.ingest.committer_problems import committer_problems
from otel_sessions.server.ingest.set_aside import SetAside, refused_files
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.segments import path_of


def test_files_are_counted_over_restarts(tmp_path: Path) -> None:
    """Equal requests of one segment are kept one by one; what an earlier process kept is not kept again."""
    first = SetAside(tmp_path)
    for payload in (b"x", b"x", b"y"):
        first.keep(7, TRACES, payload)
    second = SetAside(tmp_path)
    assert second.count == first.count == 3
    for payload in (b"x", b"x", b"y", b"z"):
        second.keep(7, TRACES, payload)
    second.keep(7, LOGS, b"x")
    assert SetAside(tmp_path).count == second.count == 5
    assert [path.read_bytes() for path in refused_files(tmp_path)] == [b"x", b"x", b"x", b"y", b"z"]


def test_a_damaged_segment_is_kept_and_counted(tmp_path: Path) -> None:
    """What can be read of it is stored; its files are kept under another name, also over a restart."""
    server = Server(tmp_path)
    for number in (1, 2, 3):
        server.send((number, span(number)), payload=b"payload %d" % number)
    path = path_of(tmp_path, server.log.newest, TRACES)
    path.write_bytes(path.read_bytes().replace(b"payload 2", b"payload !"))
    assert server.restart() == 2
    assert server.store.spans == [(1, 1), (3, 3)]
    assert path.with_name(f"{path.name}.damaged").exists()
    assert server.restart() == 0
    assert server.committer.set_aside.damaged == 1
    problems = [problem for check in committer_problems(server.committer, server.log) if (problem := check())]
    assert [problem.name for problem in problems] == ["committer_gone", "segments_damaged"]
