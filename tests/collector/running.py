"""Runs the real Collector for a test: free ports, ready when it says so, stopped by its own process id."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tests import processes
from tests.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
    from opentelemetry.sdk.trace import ReadableSpan

AGENT_CONFIG = ROOT / "collector-config" / "agent.yaml"
TO_FILE_CONFIG = Path(__file__).with_name("to_file.yaml")
SAMPLING_CONFIG = Path(__file__).with_name("sampling.yaml")
DEADLINE = 20.0
PORTS = range(20_000, 32_000)

T = TypeVar("T")


def binary_path() -> Path:
    """Where `make collector` puts the binary for the builder.yaml of this checkout."""
    printed = processes.run(ROOT / ".ci" / "build-collector", "--path")
    assert printed.returncode == 0, printed.stderr
    return Path(printed.stdout.strip())


def free_ports(count: int) -> list[int]:
    """Free ports of 127.0.0.1 that differ, outside the range from which the system takes ports for connections.

    So no connection that another test opens takes one of them before the Collector listens.
    """
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            port = PORTS.start + secrets.randbelow(len(PORTS))
            held = stack.enter_context(socket.socket())
            with suppress(OSError):
                held.bind(("127.0.0.1", port))
                ports.append(port)
    return ports


def poll(ready: Callable[[], T | None], what: str) -> T:
    """The first thing `ready` gives; fails the test when nothing comes before the deadline."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if (found := ready()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {DEADLINE:.0f} s")


class Collector:
    """One Collector process with one configuration; `with` starts it, waits until it is healthy, and stops it.

    Every configuration here takes its ports from the environment under the names that agent.yaml uses, and
    `OUTPUT_FILE` where it writes to a file.
    """

    def __init__(self, binary: Path, config: Path, folder: Path, *, endpoint: str = "127.0.0.1:1") -> None:
        self.binary = binary
        self.config = config
        self.folder = folder
        self.output = folder / "spans.json"
        self.grpc_port, self.http_port, self.health_port, self.metrics_port = free_ports(4)
        self.environment = processes.environment(
            OTEL_SESSIONS_AGENT_ENDPOINT=endpoint,
            OTEL_SESSIONS_AGENT_INSECURE="true",
            OTEL_SESSIONS_AGENT_GRPC_PORT=str(self.grpc_port),
            OTEL_SESSIONS_AGENT_HTTP_PORT=str(self.http_port),
            OTEL_SESSIONS_AGENT_HEALTH_PORT=str(self.health_port),
            OTEL_SESSIONS_AGENT_METRICS_PORT=str(self.metrics_port),
            OTEL_SESSIONS_AGENT_QUEUE_DIR=str(folder / "queue"),
            OUTPUT_FILE=str(self.output),
        )
        self._log = folder / "collector.log"
        self._process: subprocess.Popen[str] | None = None

    @property
    def grpc_endpoint(self) -> str:
        """The endpoint of the OTLP exporter over gRPC."""
        return f"http://127.0.0.1:{self.grpc_port}"

    @property
    def http_endpoint(self) -> str:
        """The endpoint of the OTLP span exporter over HTTP."""
        return f"http://127.0.0.1:{self.http_port}/v1/traces"

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = processes.start(self.binary, "--config", self.config, env=self.environment, output=log)
        with ExitStack() as stack:
            stack.callback(self.kill)
            poll(self._healthy, "healthy Collector")
            stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask it to finish its work and wait until it has; everything accepted is written or queued by then."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def log(self) -> str:
        """The log so far."""
        return self._log.read_text()

    def spans(self) -> list[dict[str, Any]]:
        """The spans in its output file, as `as_sent` writes them."""
        lines = self.output.read_text().split("\n") if self.output.exists() else [""]
        # What follows the last newline is still being written.
        return by_id(span for line in lines[:-1] for span in flat(json.loads(line)))

    def _healthy(self) -> bool | None:
        assert self._process is not None
        assert self._process.poll() is None, f"the Collector ended:\n{self.log()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.HTTPStatus.OK or None
        except OSError:
            return None
        finally:
            connection.close()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.send_signal(how)
            process.wait(DEADLINE)
        finally:
            processes.end(process)


def as_sent(spans: Sequence[ReadableSpan]) -> list[dict[str, Any]]:
    """Spans in OTLP's JSON form, encoded by the same encoder that the exporters use."""
    return flat(MessageToDict(encode_spans(spans), use_integers_for_enums=True), ids=_hex)


def received(resource_spans: Sequence[ResourceSpans]) -> list[dict[str, Any]]:
    """The spans that a receiver got, in the form of `as_sent`."""
    return flat(
        {"resourceSpans": [MessageToDict(each, use_integers_for_enums=True) for each in resource_spans]}, ids=_hex
    )


def flat(request: dict[str, Any], ids: Callable[[str], str] = str) -> list[dict[str, Any]]:
    """The spans of a request, each with its resource and scope, in an order that does not depend on batches."""
    spans = [
        {
            **_comparable(span, ids),
            "resource": _comparable(resource.get("resource", {}), ids),
            "scope": _comparable(scope.get("scope", {}), ids),
        }
        for resource in request.get("resourceSpans", [])
        for scope in resource.get("scopeSpans", [])
        for span in scope.get("spans", [])
    ]
    return by_id(spans)


def by_id(spans: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Spans sorted by trace and span id."""
    return sorted(spans, key=lambda span: (span["traceId"], span["spanId"]))


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a span in OTLP's JSON form; values that are strings or integers come as such."""
    values = {pair["key"]: pair["value"] for pair in span.get("attributes", [])}
    return {
        key: int(value["intValue"]) if "intValue" in value else next(iter(value.values()), None)
        for key, value in values.items()
    }


def _hex(encoded: str) -> str:
    return base64.b64decode(encoded).hex()


def _comparable(node: Any, ids: Callable[[str], str]) -> Any:
    """One form for what the two JSON writers spell differently: ids, and fields left out because they are empty.

    Attribute values are never touched but for the spelling of a number: an attribute that is empty stays apart from
    one that is absent.
    """
    if isinstance(node, list):
        return [_comparable(item, ids) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key in {"traceId", "spanId", "parentSpanId"} and isinstance(value, str):
            if value:
                result[key] = ids(value)
        elif key == "value":
            result[key] = value
        elif value not in ({}, [], "", 0):
            result[key] = _comparable(value, ids)
    return result
