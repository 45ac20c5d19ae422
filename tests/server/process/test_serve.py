"""A whole server is started, asked, stopped and started again, and says why when it cannot start."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from tests.exporting import chat, finished
from tests.server.running import HAS_IPV6, Server, post

from otel_sessions import SessionExporter
from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.process.bootstrap import open_store
from otel_sessions.server.process.http_server import HttpServer
from otel_sessions.server.process.serve import DEFAULT_PARTS, Addresses, Parts, announce, serve
from otel_sessions.server.process.settings import Settings, load_settings
from otel_sessions.server.process.shutdown import ShutdownSignal

SECONDS = 60
SPANS = [finished(1, session="s1"), chat(2, 1), chat(3, 1, tokens=(100, 20))]


pytestmark = pytest.mark.usefixtures("own_environment")


def settings_on(folder: Path, **more: Any) -> Settings:
    """Settings with free ports."""
    return load_settings(**{"store": f"chdb://{folder}", "port": 0, "grpc_port": 0, **more})


@contextmanager
def served(settings: Settings, statuses: list[int], parts: Parts = DEFAULT_PARTS) -> Iterator[Addresses]:
    """A server in this process, with some parts replaced; its exit status is added at the end."""
    ready: SimpleQueue[Addresses | None] = SimpleQueue()
    shutdown = ShutdownSignal()

    def run() -> None:
        try:
            statuses.append(serve(settings, shutdown=shutdown, ready=ready.put, parts=parts))
        finally:
            ready.put(None)

    thread = threading.Thread(target=run)
    thread.start()
    addresses = ready.get(timeout=SECONDS)
    try:
        assert addresses is not None, "it did not start"
        yield addresses
    finally:
        shutdown.request()
        thread.join(SECONDS)


def get(url: str, **headers: str) -> Any:
    """The JSON that the API answers with."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
        return json.load(response)


def body_of(spans: Any) -> bytes:
    """The body of an OTLP request."""
    return bytes(encode_spans(spans).SerializeToString())


def truth(spans: Any) -> Any:
    """The session `s1` as the library counts it, as JSON."""
    exporter = SessionExporter()
    exporter.export(spans)
    session = exporter.session("s1")
    assert session is not None
    return session.to_dict()


def session_at(url: str, **headers: str) -> Any:
    """The session `s1` as the server has it, without its traces."""
    session = get(f"{url}/v1/sessions/s1", **headers)["data"]
    del session["traces"]
    return session


def refusal(settings: Settings, capsys: pytest.CaptureFixture[str], parts: Parts = DEFAULT_PARTS) -> str:
    """The one line on stderr of a server that cannot start."""
    assert serve(settings, ready=lambda addresses: pytest.fail("it is ready"), parts=parts) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("otel-sessions: ")
    return str(line)


def test_what_is_sent_is_there_after_a_restart(folder: Path) -> None:
    """Spans sent over HTTP and gRPC are counted as the library does, also after a restart; no other user reads the folders."""
    statuses: list[int] = []
    with served(settings_on(folder), statuses) as addresses:
        assert addresses.store == f"chdb://{folder}"
        assert post(f"{addresses.http}/v1/traces", body_of(SPANS[:2])) == 200
        exporter = OTLPSpanExporter(endpoint=f"http://{addresses.grpc}")
        assert exporter.export(SPANS[2:]) is SpanExportResult.SUCCESS
        exporter.shutdown()
        assert session_at(addresses.http) == truth(SPANS)
    host, shown = ("::1", "[::1]") if HAS_IPV6 else ("127.0.0.2", "127.0.0.2")
    with served(settings_on(folder, host=host, sync=True), statuses) as addresses:
        assert addresses.http.startswith(f"http://{shown}:")
        assert addresses.grpc.startswith(f"{shown}:")
        assert session_at(addresses.http) == truth(SPANS)
    assert statuses == [0, 0]


def test_a_key_is_asked_for(folder: Path) -> None:
    """HTTP and gRPC both ask for the API key."""
    with served(settings_on(folder, api_key="hush", host="0.0.0.0"), []) as addresses:
        url = addresses.http.replace("0.0.0.0", "127.0.0.1")
        assert post(f"{url}/v1/traces", body_of(SPANS)) == 401
        with pytest.raises(urllib.error.HTTPError, match="401") as caught:
            get(f"{url}/v1/sessions")
        caught.value.close()
        exporter = OTLPSpanExporter(
            endpoint=addresses.grpc.replace("0.0.0.0", "127.0.0.1"), insecure=True, headers={"authorization": "hush"}
        )
        assert exporter.export(SPANS) is SpanExportResult.SUCCESS
        exporter.shutdown()
        assert session_at(url, Authorization="Bearer hush") == truth(SPANS)


def test_old_traces_are_dropped(folder: Path) -> None:
    """Retention drops old traces as soon as the server starts."""
    with served(settings_on(folder), []) as addresses:
        long_ago = [finished(1, session="s1", at=(-(10**11), -(10**11) + 1)), finished(2, session="s2", trace=2)]
        assert post(f"{addresses.http}/v1/traces", body_of(long_ago)) == 200
        assert get(f"{addresses.http}/v1/sessions")["pagination"]["total"] == 2
    dropped = threading.Event()

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "retention dropped 1 traces" in record.getMessage():
                dropped.set()

    logger = logging.getLogger("otel_sessions.server")
    noting, level = Noting(), logger.level
    logger.addHandler(noting)
    logger.setLevel(logging.INFO)
    try:
        with served(settings_on(folder, retention="1000d"), []) as addresses:
            assert dropped.wait(30)
            assert [session["id"] for session in get(f"{addresses.http}/v1/sessions")["data"]] == ["s2"]
    finally:
        logger.removeHandler(noting)
        logger.setLevel(level)


def test_a_signal_stops_it(folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """A signal ends a server on the main thread; its stdout has the line that it is ready, and nothing else."""

    def ready(addresses: Addresses) -> None:
        announce(addresses)
        signal.raise_signal(signal.SIGTERM)

    with caplog.at_level(logging.INFO, "otel_sessions"):
        assert serve(settings_on(folder), ready=ready) == 0
    out, err = capsys.readouterr()
    assert out.startswith("otel-sessions ready http=http://127.0.0.1:")
    assert out.endswith(f" store=chdb://{folder}\n")
    assert (len(out.splitlines()), err) == (1, "")
    assert any(line.startswith("stopping") for line in caplog.messages)
    assert sum("not compiled" in line for line in caplog.messages) == 1


def test_a_stream_does_not_hold_the_end_up(folder: Path) -> None:
    """A stream of changes is ended when the server stops."""
    statuses: list[int] = []
    with ExitStack() as open_:
        with served(settings_on(folder), statuses) as addresses:
            stream = open_.enter_context(urllib.request.urlopen(f"{addresses.http}/v1/live", timeout=30))
            assert stream.readline() == b":\n"
        stream.read()
    assert statuses == [0]


def test_http_that_ends_by_itself_ends_the_server(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A process that no longer answers requests is not left running."""
    servers: list[HttpServer] = []

    def kept(*args: Any, **more: Any) -> HttpServer:
        servers.append(HttpServer(*args, **more))
        return servers[0]

    settings, parts = settings_on(folder), Parts(http_server=kept)
    assert serve(settings, ready=lambda addresses: servers[0].request_stop(), parts=parts) == 1
    assert "the HTTP server ended by itself" in caplog.messages


def test_requests_that_could_not_be_committed_are_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A store that does not take all in time is no failure: the rest is in the requests folder, which is named."""

    class Away(Backend):
        def close(self, timeout: float | None = None) -> bool:
            super().close(timeout)
            return False

    def away(settings: Settings, running: ExitStack, lease_lost: Callable[[], object]) -> Backend:
        return Away(open_store(settings, running).store, settings.requests_folder)

    statuses: list[int] = []
    with served(settings_on(folder), statuses, Parts(open_backend=away)):
        pass
    assert statuses == [0]
    assert f"it is kept in {folder}/requests for the next start" in caplog.text


def test_a_database_that_another_server_took_over(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server whose lease is lost ends with status 1."""

    class Lost:
        is_lost = False

        def check(self) -> None:
            """Allow every write."""

    lease: Any = Lost()
    requests: list[Callable[[], object]] = []

    def leased(settings: Settings, running: ExitStack, lease_lost: Callable[[], object]) -> Backend:
        requests.append(lease_lost)
        return Backend(open_store(settings, running).store, settings.requests_folder, lease=lease)

    statuses: list[int] = []
    with served(settings_on(folder), statuses, Parts(open_backend=leased)):
        lease.is_lost = True
        requests[0]()
    assert statuses == [1]
    assert "another server works on the database" in caplog.text


def test_ports_that_are_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the port that is taken, and the option to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(settings_on(folder, port=port), capsys)
        assert f"port {port} of 127.0.0.1 is in use; choose another with --port" in said
        said = refusal(settings_on(folder, grpc_port=port), capsys)
        assert f"127.0.0.1:{port}: Address already in use; choose another" in said
        assert "--grpc-port" in said


def test_an_address_of_another_machine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that this machine does not have is refused."""
    said = refusal(settings_on(folder, host="192.0.2.1", api_key="hush"), capsys)
    assert "port 0 of 192.0.2.1 cannot be bound" in said


def test_a_folder_that_is_in_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the process that works on the folder."""
    lock = FolderLock(folder)
    assert f"in use by the process with pid {os.getpid()}" in refusal(settings_on(folder), capsys)
    lock.release()


def test_a_newer_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message about a store of a newer version names what to upgrade."""
    store = Store(StoreSettings(f"chdb://{folder}"))
    with store.writing() as client:
        client.insert("schema_version", [[9_999, "later"]], column_names=["Version", "Name"])
    store.close()
    assert "upgrade otel-sessions" in refusal(settings_on(folder), capsys)


def test_an_app_that_does_not_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that was started before the failure is ended, and the folder is unlocked."""

    def failing(app: object) -> Any:
        raise RuntimeError

    def with_a_fault(*args: Any, **more: Any) -> Any:
        app = create_app(*args, **more)
        app.router.lifespan_context = failing
        return app

    assert "the HTTP server did not start" in refusal(settings_on(folder), capsys, Parts(create_app=with_a_fault))
    FolderLock(folder).release()


def test_a_process_as_its_users_start_it(folder: Path) -> None:
    """A process prints one line, commits what it acknowledged when it is ended, and is refused beside a running one."""
    with Server(folder) as server:
        assert server.send(SPANS) == 200
        with pytest.raises(AssertionError, match="is in use by the process with pid"), Server(folder):
            pass
        with (
            pytest.raises(AssertionError, match="is in use; choose another with --port"),
            Server(folder, port=server.port),
        ):
            pass
        status, out, err = server.stop()
        assert (status, out) == (0, "")
        assert "Traceback" not in err
    with Server(folder) as server:
        assert session_at(server.url) == truth(SPANS)
        status, out, err = server.stop(signal.SIGINT)
        assert (status, out) == (0, "")
        assert "Traceback" not in err
