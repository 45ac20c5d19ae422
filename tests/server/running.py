"""A server in a process of its own, as users start it, and requests to it."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from tests import processes


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


HAS_IPV6 = _has_ipv6()
READY = re.compile(r"otel-sessions ready http=(http://\S+) grpc=(\S+:\d+) store=(chdb:///.+)\n")
SERVE = ("-m", "otel_sessions", "serve")
SECONDS = 60


class Server:
    """`otel-sessions serve` on a folder; `with Server(folder) as server:` waits until it is ready, and kills it."""

    def __init__(self, folder: Path, *options: str, port: int = 0, program: Sequence[str] = SERVE) -> None:
        given = ("--store", f"chdb://{folder}", "--port", str(port), "--grpc-port", "0", *options)
        self.process = processes.start(sys.executable, *program, *given)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.kill)
            if not self.became_ready():
                raise AssertionError(self.process.communicate(timeout=SECONDS))
            stack.pop_all()
        return self

    def became_ready(self) -> bool:
        """Wait until it is ready and return True, or False if it ended before."""
        assert self.process.stdout is not None
        found = READY.fullmatch(self.process.stdout.readline())
        if found is not None:
            self.url, self.grpc, self.store = found.groups()
        return found is not None

    def __exit__(self, *exc_info: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill it as `kill -9` does, unless it has ended."""
        processes.end(self.process)

    @property
    def port(self) -> int:
        """The port of HTTP."""
        return int(self.url.rpartition(":")[2])

    def send(self, spans: Sequence[ReadableSpan]) -> int:
        """Send spans in one OTLP request and return the status of the answer."""
        return post(f"{self.url}/v1/traces", encode_spans(spans).SerializeToString())

    def get(self, path: str) -> Any:
        """The answer of the API, read as JSON."""
        with urllib.request.urlopen(self.url + path, timeout=SECONDS) as response:
            return json.load(response)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal, wait for the end, and return the status, the rest of stdout, and stderr."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err


def post(url: str, body: bytes, kind: str = "application/x-protobuf") -> int:
    """Send a body and return the status of the answer."""
    request = urllib.request.Request(url, body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
