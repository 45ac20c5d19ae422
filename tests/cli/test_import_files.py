"""What `export` writes, `import` brings back: the same sessions, once, whatever is cut short."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests import processes
from tests.cli.terminal import Ran, in_pipe
from tests.server.otlp.building import AT, any_value, as_json, key_values, traces
from tests.server.running import Server, post
from typer.testing import CliRunner

from otel_sessions.cli.app import app

CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.response.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 7,
}
SPANS = 40


def records(*bodies: Any, session: str = "s0") -> ExportLogsServiceRequest:
    """A request of log records of a session at one moment."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add(schema_url="https://example.com/schema")
    group.resource.attributes.extend(key_values({"service.name": "web", "list": [1.0, b"x", None]}))
    for body in bodies:
        group.scope_logs.add().log_records.add(
            time_unix_nano=AT, body=any_value(body), flags=257, attributes=key_values({"session.id": session})
        )
    return request


def spans() -> Any:
    """Spans of ten traces in five sessions."""
    more: dict[str, Any] = {"nan": float("nan"), "big": 2**63 - 1, **CALL}
    made: list[dict[str, Any]] = [
        {
            "trace_id": (number // 4 + 1).to_bytes(16),
            "span_id": (number + 1).to_bytes(8),
            "name": f"span {number}",
            "attributes": {"session.id": f"s{number // 8}", **more},
        }
        for number in range(SPANS)
    ]
    return traces(*made)


def exported(server: Server, **parameters: str) -> bytes:
    """What a server exports."""
    with urlopen(f"{server.url}/v1/export?{urlencode(parameters)}", timeout=60) as answer:
        return bytes(answer.read())


def state(server: Server) -> tuple[Any, ...]:
    """All that a server stores, and what it makes of it."""
    parts = ("scores", "annotations", "messages", "calls")
    return (
        exported(server, format="otlp"),
        server.get("/v1/sessions?sort=created"),
        *(server.get(f"/v1/sessions/s{number}/{part}") for number in range(5) for part in parts),
    )


def give(server: Server, path: str, body: Any, method: str = "POST") -> None:
    """Give a session something."""
    request = Request(
        f"{server.url}/v1/sessions/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method,
    )
    with urlopen(request, timeout=60) as answer:
        assert answer.status in (200, 201)


def bring(server: Server, *files: object) -> Ran:
    """Import files into a server."""
    return in_pipe("import", "--url", server.url, *map(str, files))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with spans and log records, of which two say the same."""
    with Server(tmp_path_factory.mktemp("source")) as server:
        assert post(f"{server.url}/v1/traces", spans().SerializeToString()) == 200
        assert post(f"{server.url}/v1/logs", records("a", "b", "b", {"k": [1]}, None).SerializeToString()) == 200
        give(server, "s0/scores", {"name": "good", "value": 0.1, "comment": "a\nb \u2028 \U0001f600", "author": "me"})
        give(server, "s0/scores", {"name": "good", "label": "yes", "trace_id": f"{1:032x}", "source": "page"})
        give(server, "s0/scores", {"name": "good", "value": -0.0, "trace_id": f"{1:032x}", "span_id": f"{1:016x}"})
        give(server, "s1/scores", {"name": "late", "value": 1e300, "trace_id": f"{99:032x}", "id": "mine"})
        for text in ("one", "one"):
            give(server, "s1/annotations", {"text": text, "time": "2026-11-20T12:00:00.123456789Z"})
        give(server, "s2", {"name": "Order 1042"}, "PATCH")
        give(server, "s3", {"name": "taken back"}, "PATCH")
        give(server, "s3", {"name": None}, "PATCH")
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Server]:
    """An empty server."""
    with Server(tmp_path / "target") as server:
        yield server


@pytest.mark.parametrize(
    "options",
    [("--format", "otlp"), ("--format", "otlp", "--encoding", "proto"), ("--format", "jsonl")],
    ids=["otlp", "proto", "jsonl"],
)
def test_what_is_exported_comes_back(source: Server, target: Server, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Another server then has the same records and the same sessions, byte by byte, and after a second import too."""
    file = tmp_path / "file"
    written = in_pipe("export", "--url", source.url, *options, "--output", str(file))
    assert (written.status, written.out, written.err) == (0, "", "")
    packed = tmp_path / "file.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    before = state(source)
    for server, name in ((target, file), (target, packed), (source, file)):
        ran = bring(server, name)
        assert (ran.status, ran.out) == (0, "")
        assert ran.error == f"imported {SPANS} spans and 5 log records, and 7 scores, annotations and names"
        assert state(server) == before
    session = target.get("/v1/sessions/s1")["data"]
    assert (session["annotation_count"], session["scores"]["late"]["traces"]["mean"]) == (2, 1e300)
    assert target.get("/v1/sessions/s2")["data"]["name"] == "Order 1042"


def test_a_name_that_a_session_has_stays(source: Server, target: Server, tmp_path: Path) -> None:
    """A file is older than the name that the session was given here, also if that was taken back."""
    file = tmp_path / "file"
    file.write_bytes(exported(source))
    assert bring(target, file).status == 0
    for name in ("newer", None):
        give(target, "s2", {"name": name}, "PATCH")
        assert bring(target, file).status == 0
        assert target.get("/v1/sessions/s2")["data"]["name"] == name


def test_what_sessions_were_given_is_named_if_it_is_wrong(source: Server, target: Server, tmp_path: Path) -> None:
    """Each line that the server does not take is told, and the others are brought back."""
    lines = [line for line in exported(source).splitlines() if json.loads(line)["Record"] not in ("span", "log")]
    wrong = b'{"Record": "score", "session_key": "id", "session_id": "s0", "id": "1"}'
    file = tmp_path / "file"
    file.write_bytes(b"\n".join([*lines[:3], wrong, *lines[3:]]))
    ran = bring(target, file)
    assert ran.status == 1
    assert "imported 0 spans and 0 log records, and 7 scores, annotations and names; 1 part was left out" in ran.err
    assert "name: Field required" in ran.err


def test_files_that_share_records_add_up_to_the_most(target: Server, tmp_path: Path) -> None:
    """A record is stored as often as the file says that has it most often, in whichever order files come."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.write_bytes(as_json(records("a", "b")) + b"\n")
    twice.write_bytes(as_json(records("b", "a")) + b"\n" + as_json(records("b", "c")) + b"\n")
    for files, expected in (((once,), 2), ((twice, once), 4), ((once, twice), 4)):
        assert bring(target, *files).status == 0
        assert len(exported(target, what="logs").splitlines()) == expected


def test_lines_that_are_no_otlp_are_named_and_left_out(target: Server, tmp_path: Path) -> None:
    """The others are imported, and the status is 1; with --strict nothing behind the first such line is."""
    file = tmp_path / "lines"
    lines = [as_json(records("a")), b'{"id": "s0"}', b"[1", as_json(records("b")), b'{"resourceMetrics": []}']
    file.write_bytes(b"\n".join(lines) + b"\n")
    ran = bring(target, "--strict", file)
    assert ran.status == 1
    assert ran.err.splitlines() == [
        f"otel-sessions: {file}: line 2: not OTLP, left out: neither resourceSpans nor resourceLogs in it",
        "otel-sessions: imported 0 spans and 1 log record; 1 part was left out",
    ]
    assert len(exported(target, what="logs").splitlines()) == 1
    ran = bring(target, file)
    assert ran.status == 1
    assert "line 2: not OTLP" in ran.err
    assert "line 3: not OTLP, left out: not valid JSON" in ran.err
    assert "imported 0 spans and 2 log records; metrics are not kept; 2 parts were left out" in ran.err
    assert len(exported(target, what="logs").splitlines()) == 2


def test_a_file_that_is_cut_is_kept_up_to_there(target: Server, tmp_path: Path) -> None:
    """The message names line and byte, the next file follows, and the whole file brings the rest."""
    whole, cut, other = tmp_path / "whole", tmp_path / "cut", tmp_path / "other"
    first, second = as_json(records("a")) + b"\n", as_json(records("b")) + b"\n"
    whole.write_bytes(first + second)
    cut.write_bytes(first + second[:40])
    other.write_bytes(as_json(records("other")))
    ran = bring(target, cut, other)
    assert ran.status == 1
    assert f"{cut}: line 2 (byte {len(first)}): cut off; what came before it is kept" in ran.err
    assert len(exported(target, what="logs").splitlines()) == 2
    assert bring(target, whole).status == 0
    assert len(exported(target, what="logs").splitlines()) == 3


def test_standard_input_and_what_the_server_refuses(target: Server) -> None:
    """A file comes through a pipe; a span that the server does not take is told."""
    request = traces({"span_id": bytes(8)}, {"name": "good"})
    ran = CliRunner().invoke(app, ["import", "--url", target.url, "-"], input=as_json(request))
    assert ran.exit_code == 1
    assert "standard input: up to line 1: 1 rejected: the span id" in ran.stderr
    assert "imported 1 span and 0 log records; 1 part was left out" in ran.stderr


def test_an_import_that_is_interrupted_says_how_to_go_on(target: Server) -> None:
    """Ctrl-C ends it with what was imported so far, and the status that shells have for it."""
    with processes.started(
        sys.executable, "-m", "otel_sessions", "import", "--url", target.url, "-", stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        for number in range(5):
            process.stdin.write((as_json(records(*["a" * 1_000] * 2_000, session=f"s{number}")) + b"\n").decode())
        process.stdin.flush()
        waiting = threading.Event()
        while not target.get("/healthz")["received"]["logs"]:
            waiting.wait(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "interrupted, run the same command again to go on" in process.stderr.read()


def test_a_folder_without_a_server(tmp_path: Path) -> None:
    """Both commands work on a folder that no server holds."""
    file, store = tmp_path / "file", tmp_path / "store"
    with Server(store) as server:
        assert server.get("/v1/sessions")["data"] == []
    file.write_bytes(as_json(records("a", "b")))
    ran = in_pipe("import", "--store", str(store), str(file))
    assert (ran.status, ran.error) == (0, "imported 0 spans and 2 log records")
    ran = in_pipe("export", "--store", str(store), "--what", "logs")
    assert [json.loads(line)["Body"] for line in ran.out.splitlines()] == ["a", "b"]


def test_no_file_and_no_server(tmp_path: Path) -> None:
    """Both are told with their own status; nothing is read before all files are known to be there."""
    ran = in_pipe("import", str(tmp_path / "missing"), "--url", "http://127.0.0.1:9")
    assert (ran.status, ran.error) == (2, f"there is no file {tmp_path / 'missing'}")
    file = tmp_path / "file"
    file.write_bytes(as_json(records("a")))
    ran = in_pipe("import", str(file), "--url", "http://127.0.0.1:9")
    assert ran.status == 4
    assert "run the same command again to go on" in ran.error


def test_an_import_that_is_killed_with_its_server_goes_on(tmp_path: Path) -> None:
    """After kill -9 of both at any moment, the same command brings each record once."""
    file = tmp_path / "file"
    count = 30_000
    with file.open("wb") as out:
        for first in range(0, count, 100):
            request = records(*(f"record {number // 2}" for number in range(first, first + 100)))
            out.write(as_json(request) + b"\n")
    store = tmp_path / "store"
    for _ in range(2):
        with ExitStack() as stack:
            server = stack.enter_context(Server(store))
            command = (sys.executable, "-m", "otel_sessions", "import", "--url", server.url, str(file))
            process = processes.start(*command)
            stack.callback(processes.end, process)
            arrived = threading.Event()
            while not arrived.wait(0.02) and process.poll() is None:
                if server.get("/healthz")["received"]["logs"]:
                    break
            processes.end(process)
            server.kill()
    with Server(store) as server:
        assert bring(server, file).status == 0
        lines = exported(server, what="logs").splitlines()
        assert len(lines) == count
        assert len({json.loads(line)["Body"] for line in lines}) == count // 2
