"""Exports and imports hold a part of a file in memory, however large it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from tests import processes

MB = 1 << 20
LINES = 110
BOUND = 100 * MB
"""A file has more, and a command may take this much more than without one."""

LINE = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x y " * (MB // 4)}}]}]}]})
PROGRAM = """
import os
import sys
from pathlib import Path
from otel_sessions.cli.app import app
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
try:
    app()
except SystemExit:
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stderr)
"""


class Sink(BaseHTTPRequestHandler):
    """Forgets what it is sent, and answers a question with a file of `lines` lines."""

    protocol_version = "HTTP/1.1"
    lines = 0

    def do_POST(self) -> None:
        """Take a request."""
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """Send a file."""
        self.send_response(200)
        self.send_header("Content-Length", str(self.lines * (len(LINE) + 1)))
        self.end_headers()
        for _ in range(self.lines):
            self.wfile.write(LINE.encode() + b"\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sink(lines: int = 0) -> Iterator[str]:
    """The address of a server that forgets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Sink", (Sink,), {"lines": lines}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def peak(url: str, *words: str) -> int:
    """Bytes of memory that a command takes."""
    ran = processes.run(sys.executable, "-c", PROGRAM, *words, "--url", url)
    return int(ran.stderr.splitlines()[-1]) * 1024


def test_an_import_holds_a_few_requests(tmp_path: Path) -> None:
    """A file that is larger than the bound adds less to what a small one takes."""
    large, small = tmp_path / "large", tmp_path / "small"
    small.write_text("{}\n")
    with large.open("w") as file:
        file.writelines(f"{LINE}\n" for _ in range(LINES))
    with sink() as url:
        assert peak(url, "import", str(large)) - peak(url, "import", str(small)) < BOUND


@pytest.mark.parametrize("options", [(), ("--format", "otlp", "--redact")], ids=["as it is", "redacted"])
def test_an_export_holds_a_few_parts(options: tuple[str, ...]) -> None:
    """Whether it is written as it comes, or read to take secrets out."""
    with sink(LINES) as full, sink() as empty:
        assert peak(full, "export", *options) - peak(empty, "export", *options) < BOUND
