"""`otel-sessions list` shows the sessions of a running server."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import sys
import termios
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from rich.cells import cell_len
from tests import processes
from tests.cli.answering import Answering, error, page
from tests.cli.sending import a_session
from tests.cli.terminal import in_pipe, in_terminal
from tests.exporting import chat, finished
from tests.server.running import Server

SESSIONS = [
    a_session(
        "7a1c3d52-6a0e-4c0f-9a39-0f3a4c1f2b11",
        name="Order #12345 \x1b[31m\tthat never arrived",
        call_count=12,
        total_tokens=1_250_553,
        total_cost="12.3456789",
        cost_exact=False,
        models=[{"model": "claude-opus-4-8"}, {"model": None}, {"model": "gpt-4o"}],
    ),
    a_session("ticket-1", status="error", title="日本語の長いタイトルです"),
]


@pytest.fixture(scope="module")
def double() -> Iterator[Answering]:
    """A server with two sessions."""
    with Answering(lambda _: page(SESSIONS)) as double:
        yield double


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with three sessions."""
    with Server(tmp_path_factory.mktemp("server") / "store", "--api-key", "hush") as server:
        spans = [
            finished(1, session="ticket-1", attributes={"user.id": "ann"}, trace=1, failed=True),
            finished(2, session="ticket-2", attributes={"session.tags": ("vip",)}, trace=2, at=(5_000, 6_000)),
            finished(3, session="order/7", trace=3, at=(9_000, 9_100)),
            chat(4, 3, trace=3),
            finished(5, attributes={"session.key.import": "i1"}, trace=4),
        ]
        request = urllib.request.Request(
            f"{server.url}/v1/traces",
            encode_spans(spans).SerializeToString(),
            {"Content-Type": "application/x-protobuf", "Authorization": "Bearer hush"},
        )
        urllib.request.urlopen(request, timeout=60).close()
        yield server


def ids(server: Server, *options: str) -> list[str]:
    """The ids of the sessions that a list with these options has."""
    ran = in_pipe("list", "--url", server.url, "--fields", "id", *options, OTEL_SESSIONS_API_KEY="hush")
    assert ran.status == 0, ran.err
    return ran.out.split()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["order/7", "ticket-2", "ticket-1"]),
        (("--limit", "1"), ["order/7"]),
        (("--user", "ann"), ["ticket-1"]),
        (("--failed",), ["ticket-1"]),
        (("--not-failed", "--sort", "created", "--order", "asc"), ["order/7", "ticket-2"]),
        (("--tag", "vip"), ["ticket-2"]),
        (("--model", "gpt-4o-mini"), ["order/7"]),
        (("--service", "web", "--environment", "test", "--since", "2026-11-18T11:06:45Z"), ["order/7", "ticket-2"]),
        (("--since", "1s"), []),
        (("--key", "import"), ["i1"]),
    ],
)
def test_conditions(server: Server, options: tuple[str, ...], expected: list[str]) -> None:
    """Each option is a condition of the API."""
    assert ids(server, *options) == expected


def test_all_conditions(double: Answering) -> None:
    """Each option is the parameter of the API of the same meaning."""
    options = {
        "--q": ("q", "refund"),
        "--name": ("name", "Order 1042"),
        "--user": ("user_id", "ann"),
        "--status": ("status", "failed"),
        "--until": ("until", "2026-11-20"),
        "--min-cost": ("min_cost", "0.5"),
        "--sort": ("sort", "score.correct"),
    }
    pairs = {
        "--metadata": ("metadata.plan", "pro=x"),
        "--min-score": ("min_score.correct", "0.5"),
        "--max-score": ("max_score.correct", "0.9"),
        "--label": ("label.tone", "kind"),
    }
    given = [part for option, (_, value) in options.items() for part in (option, value)]
    given += [part for option, (name, value) in pairs.items() for part in (option, f"{name.partition('.')[2]}={value}")]
    assert in_pipe("list", "--url", double.url, "--unpriced", *given).status == 0
    expected = dict([*options.values(), *pairs.values()]) | {
        "unpriced": "true",
        "key": "id",
        "order": "desc",
        "limit": "50",
    }
    assert double.asked[-1].parameters == expected
    in_pipe("list", "--url", double.url, "--priced")
    assert double.asked[-1].parameters["unpriced"] == "false"


def test_a_real_server(server: Server) -> None:
    """The whole sessions come as JSON, and lines with tabs have their fields in order."""
    ran = in_pipe("list", "--json", OTEL_SESSIONS_URL=server.url, OTEL_SESSIONS_API_KEY="hush")
    (first, *_) = json.loads(ran.out)
    assert (first["id"], first["call_count"], first["total_tokens"]) == ("order/7", 1, 12)
    lines = in_pipe("list", "--url", server.url, OTEL_SESSIONS_API_KEY="hush").out.splitlines()
    assert lines[0].split("\t")[:6] == ["order/7", first["end"], "ok", "1", "1", "12"]
    assert lines[2].split("\t") == [
        "ticket-1",
        "2026-11-18T11:06:40.100Z",
        "failed",
        "1",
        "0",
        "",
        "",
        "true",
        "span 1",
    ]


def test_without_the_key(server: Server) -> None:
    """A server with an API key is answered for with the variable to set."""
    ran = in_pipe("list", "--url", server.url)
    assert (ran.status, ran.out) == (1, "")
    assert "set OTEL_SESSIONS_API_KEY" in ran.error


def test_an_order_that_does_not_exist(server: Server) -> None:
    """The server's own message names what can be sorted by."""
    ran = in_pipe("list", "--url", server.url, "--sort", "price", OTEL_SESSIONS_API_KEY="hush")
    assert ran.status == 2
    assert "last_active" in ran.error


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_a_table_fits_the_terminal(double: Answering, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """No line is wider than the terminal, nothing acts on it, and the id always begins the line."""
    ran = in_terminal(monkeypatch, columns, "list", "--url", double.url)
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert len(lines) == 3
    assert max(map(cell_len, lines)) <= columns
    assert "\x1b" not in ran.out
    assert lines[0].startswith("ID ")
    assert lines[1].startswith("7a1c3d52-6a")
    assert lines[2].startswith("ticket-1")


def test_a_wide_table(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide terminal shows all columns; unknown is a dash, and a lower bound is marked."""
    ran = in_terminal(monkeypatch, 200, "list", "--url", double.url)
    head, first, second = ran.out.splitlines()
    assert head.split() == ["ID", "TITLE", "LAST", "ACTIVE", "STATUS", "CALLS", "TOKENS", "COST", "MODELS"]
    assert "Order #12345 \\x1b[31m\\tthat never arrived" in first
    assert first.rstrip().endswith("12  1,250,553  ≥ $12.345679  claude-opus-4-8, gpt-4o")
    assert "日本語の長いタイトルです" in second
    assert second.rstrip().endswith("0          —             —  —")


def test_a_terminal_of_few_characters(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that a terminal cannot show are replaced."""
    ran = in_terminal(monkeypatch, 80, "list", "--url", double.url, encoding="ascii")
    assert (ran.status, ran.err) == (0, "")
    assert "? $12.345679" in ran.out


def test_chosen_fields_of_a_table(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table has the chosen fields as columns, with whole values."""
    ran = in_terminal(monkeypatch, 80, "list", "--url", double.url, "--fields", "id, total_cost,services")
    assert [line.split("  ")[0].rstrip() for line in ran.out.splitlines()] == ["ID", SESSIONS[0]["id"], "ticket-1"]
    assert ran.out.splitlines()[0].split() == ["ID", "TOTAL", "COST", "SERVICES"]
    assert "12.3456789" in ran.out


def test_json_lines(double: Answering) -> None:
    """A line has one session, with the chosen fields in their order, and without characters that act on a terminal."""
    ran = in_pipe("list", "--url", double.url, "--jsonl", "--fields", "name,id")
    lines: list[dict[str, Any]] = [json.loads(line) for line in ran.out.splitlines()]
    assert [list(line) for line in lines] == [["name", "id"], ["name", "id"]]
    assert lines[0]["name"] == SESSIONS[0]["name"]
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("layout", [(), ("--json",), ("--jsonl",)])
def test_fields_that_do_not_exist(double: Answering, layout: tuple[str, ...]) -> None:
    """A name that is no field is wrong usage, in every layout, and the message lists the fields."""
    ran = in_pipe("list", "--url", double.url, "--fields", "id,nope", *layout)
    assert (ran.status, ran.out) == (2, "")
    assert "there is no field 'nope'; the fields are id, name" in ran.error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--json", "--jsonl"), "give one of them"),
        (("--fields", "id,,name"), "names an empty field"),
        (("--since", "soon"), "15m, 2h, 30d"),
        (("--until", "soon"), "--until 'soon' is no time"),
        (("--metadata", "plan"), "write it like --metadata name=value"),
        (("--label", "=x"), "write it like --label name=value"),
        (("--metadata", "a=1", "--metadata", "a=2"), "names 'a' twice"),
        (("--url", "nowhere"), "is not valid"),
    ],
)
def test_wrong_usage(options: tuple[str, ...], said: str) -> None:
    """Options that make no sense end the command with status 2 before a server is asked."""
    ran = in_pipe("list", *options)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.error


def test_no_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list is no failure: JSON is empty too, and people are told the next step."""
    with Answering(lambda _: page([])) as double:
        assert in_pipe("list", "--url", double.url, "--json").out == "[]\n"
        assert in_pipe("list", "--url", double.url, "--jsonl").out == ""
        ran = in_terminal(monkeypatch, 80, "list", "--url", double.url)
    assert (ran.status, ran.out) == (0, "")
    assert "otel-sessions connect" in ran.error


def test_an_error_in_the_middle() -> None:
    """A list that cannot be read to its end is a failure, though a part of it was printed as lines."""
    pages = iter([page([a_session("a")], after="x"), error(503, "the store is away")])
    with Answering(lambda _: next(pages)) as double:
        ran = in_pipe("list", "--url", double.url, "--jsonl")
    assert (ran.status, ran.error) == (1, "the store is away")
    assert json.loads(ran.out)["id"] == "a"


def test_nothing_of_the_server_is_imported(double: Answering) -> None:
    """Commands that ask a server start without its libraries, and without rich where they print no table."""
    program = (
        "import sys\nfrom otel_sessions.cli.main import run\ntry:\n    run()\nexcept SystemExit:\n"
        "    heavy = {'chdb', 'fastapi', 'uvicorn', 'grpc', 'clickhouse_connect', 'google', 'msgspec',"
        " 'rich', 'genai_prices', 'httpx'}\n"
        "    print(*heavy & {name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    ran = processes.run(sys.executable, "-c", program, "list", "--url", double.url)
    assert (ran.returncode, ran.stderr) == (0, "\n")
    assert ran.stdout.startswith("7a1c3d52")


def test_a_terminal_of_its_own(server: Server) -> None:
    """In a real terminal of 40 columns the real command prints a table of at most 40 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    environment = processes.environment(OTEL_SESSIONS_API_KEY="hush", NO_COLOR="1", TERM="dumb")
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "otel_sessions", "list", "--url", server.url]
    process = processes.start(*command, env=environment, output=theirs)
    os.close(theirs)
    written = b""
    with suppress(OSError):  # what reading raises when the other end is closed
        while chunk := os.read(ours, 65_536):
            written += chunk
    os.close(ours)
    process.wait(timeout=60)
    processes.end(process)
    lines = written.decode().split("\r\n")
    assert process.returncode == 0, written
    assert lines[0].split() == ["ID", "LAST", "ACTIVE", "COST"]
    assert max(map(len, lines)) <= 40
