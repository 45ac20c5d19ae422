"""`export` writes complete files, without secrets if it is told to, and tells what is wrong."""

from __future__ import annotations

import csv
import io
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests import processes
from tests.cli.answering import Answering, error
from tests.cli.terminal import Ran, in_pipe, in_terminal
from tests.server.otlp.building import AT, any_value, key_values, traces
from tests.server.running import Server, post

AWS = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a session that has secrets in a span and a log record, and another without."""
    attributes: dict[str, object] = {
        "session.id": "AKIAIOSFODNN7SESSION",
        "db.password": "hunter2",
        "pin.password": 12,
        "raw.password": b"hunter2",
        "list.password": ["hunter2", {"a": "hunter2", "n": 1}],
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": f"my key is {AWS}"}]),
        "host": "web",
    }
    span = {"attributes": attributes, "name": f"GET {AWS}", "events": [], "trace_state": "a=b"}
    other = {"trace_id": b"2" * 16, "attributes": {"session.id": "two"}, "name": "other"}
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=AT,
        body=any_value({"token": "hunter2", "text": f"key {AWS}"}),
        attributes=key_values({"session.id": "AKIAIOSFODNN7SESSION"}),
    )
    with Server(tmp_path_factory.mktemp("server")) as server:
        assert post(f"{server.url}/v1/traces", traces(span, other).SerializeToString()) == 200
        assert post(f"{server.url}/v1/logs", logs.SerializeToString()) == 200
        yield server


def export(server: Server, *options: str) -> Ran:
    """Run the command in a pipe."""
    return in_pipe("export", "--url", server.url, *options)


@pytest.mark.parametrize(
    "options",
    [("--format", "otlp"), ("--format", "otlp", "--encoding", "proto"), ("--format", "jsonl")],
    ids=["otlp", "proto", "jsonl"],
)
def test_a_redacted_file_has_no_secret_and_all_else(server: Server, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Secrets are gone from names, bodies, JSON and nested values; ids and numbers are there; the kinds are counted."""
    file, raw = tmp_path / "redacted", tmp_path / "raw"
    ran = export(server, *options, "--redact", "--output", str(file))
    assert (ran.status, ran.out) == (0, "")
    assert ran.error == "redacted 8: 3 aws_key, 4 password, 1 token"
    assert export(server, *options, "--output", str(raw)).err == ""
    text = file.read_bytes()
    assert b"hunter2" in raw.read_bytes()
    for gone in (b"hunter2", AWS.encode()):
        assert gone not in text
    for kept in (b"AKIAIOSFODNN7SESSION", b"pin.password", b"my key is [redacted:aws_key]", b"web", b"a=b"):
        assert kept in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw", "redacted"]


def test_redacted_tables(server: Server) -> None:
    """A cell of CSV is redacted under the name of its column, JSON lines of sessions too; ids stay."""
    ran = export(server, "--format", "csv", "--what", "spans", "--redact")
    head, *rows = csv.reader(io.StringIO(ran.out))
    assert {len(row) for row in rows} == {len(head)}
    assert AWS not in ran.out
    assert "hunter2" not in ran.out
    ran = export(server, "--format", "jsonl", "--what", "sessions", "--redact")
    sessions = [json.loads(line) for line in ran.out.splitlines()]
    assert sorted(one["id"] for one in sessions) == ["AKIAIOSFODNN7SESSION", "two"]
    assert AWS not in ran.out
    assert ran.error == "redacted 3: 3 aws_key"
    assert export(server, "two", "--format", "jsonl", "--redact").error == "no secret was found"


def test_sessions_are_chosen_as_elsewhere(server: Server) -> None:
    """By beginnings of ids, or by conditions."""
    assert {json.loads(line)["SpanName"] for line in export(server, "tw").out.splitlines()} == {"other"}
    assert len(export(server, "tw", "AKIA").out.splitlines()) == 3
    assert len(export(server, "--q", "two", "--not-failed", "--since", "2020-01-01").out.splitlines()) == 1
    assert export(server, "--until", "2020-01-01").out == ""
    assert export(server, "--key", "ticket", "--what", "sessions").out == ""


@pytest.mark.parametrize(
    ("options", "status", "why"),
    [
        (("nope",), 3, "there is no session with id = 'nope'"),
        (("two", "--q", "x"), 2, "give ids of sessions or conditions, not both"),
        (("--format", "parquet", "--redact"), 2, "--redact works on lines"),
        (("--format", "csv", "--encoding", "proto"), 2, "--encoding is of --format otlp"),
        (("--format", "csv", "--what", "all"), 2, "csv holds one table"),
        (("--output", "/no/such/folder/file"), 1, "/no/such/folder/file cannot be written"),
        (("--output", "/tmp"), 2, "/tmp is a folder"),
    ],
)
def test_what_cannot_be_done_is_told(server: Server, options: tuple[str, ...], status: int, why: str) -> None:
    """One line says what is wrong, and nothing is written."""
    ran = export(server, *options)
    assert (ran.status, ran.out) == (status, "")
    assert why in ran.error


def test_a_terminal_gets_no_file(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on a terminal could act on it; a pipe or a name is needed."""
    ran = in_terminal(monkeypatch, 80, "export", "--url", server.url)
    assert (ran.status, ran.out) == (2, "")
    assert "name a file with --output" in ran.error


def test_a_reader_may_stop_early(server: Server) -> None:
    """A pipe that is closed ends the command without a word."""
    process = processes.start(sys.executable, "-m", "otel_sessions", "export", "--url", server.url)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    processes.end(process)


def test_an_answer_that_ends_early_leaves_a_part(tmp_path: Path) -> None:
    """The file does not get its name, and an older one stays as it was."""
    file = tmp_path / "file"
    file.write_text("older")
    with Answering(lambda _: (200, b"beginning"), headers={"Content-Length": "1000"}) as answering:
        ran = in_pipe("export", "--url", answering.url, "--output", str(file))
    assert (ran.status, ran.error.partition(", so")[0]) == (4, f"the server at {answering.url} ended its answer early")
    assert file.read_text() == "older"
    assert (tmp_path / "file.part").exists()


@pytest.mark.parametrize("options", [(), ("--redact",)], ids=["as it is", "redacted"])
def test_a_server_that_is_killed_leaves_a_part(tmp_path: Path, options: tuple[str, ...]) -> None:
    """An answer in chunks that has no last chunk is not complete, also where it ends with a line."""
    file = tmp_path / "file"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        ran = in_pipe("export", "--url", url, "--output", str(file), *options)
        thread.join()
    assert (ran.status, ran.error.partition(", so")[0]) == (4, f"the server at {url} ended its answer early")
    assert [path.name for path in tmp_path.iterdir()] == ["file.part"]


def test_a_redacted_conversation(server: Server, tmp_path: Path) -> None:
    """A secret is gone from what is read, and what stands around it is there."""
    file = tmp_path / "file.md"
    ran = export(server, "AKIA", "--format", "markdown", "--redact", "--output", str(file))
    assert ran.status == 0
    text = file.read_text()
    assert AWS not in text
    assert "my key is [redacted:aws_key]" in text


def test_a_busy_server_is_told() -> None:
    """Its message is shown."""
    with Answering(lambda _: error(503, "2 exports are running")) as answering:
        ran = in_pipe("export", "--url", answering.url)
    assert (ran.status, ran.error) == (1, "2 exports are running")
