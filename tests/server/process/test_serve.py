"""A whole server: ready, asked, stopped, started again; and what it says when it cannot start."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
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
from otel_sessions.server.clickhouse.errors import StoreError, StoreLockedError
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.process import serve
from otel_sessions.server.process.bootstrap import open_store
from otel_sessions.server.process.http_server import HttpServer
from otel_sessions.server.process.serve import Addresses
from otel_sessions.server.process.settings import Settings, load_settings
from otel_sessions.server.process.shutdown import Stop

SPANS = [finished(1, session="s1"), chat(2, 1), chat(3, 1, tokens=(100, 20))]


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("OTEL_SESSIONS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an embedded store that is not there yet."""
    return tmp_path / "store"


def settings_on(folder: Path, **more: Any) -> Settings:
    """Settings with free ports."""
    return load_settings(**{"store": f"chdb://{folder}", "port": 0, "grpc_port": 0, **more})


@contextmanager
def served(settings: Settings, statuses: list[int]) -> Iterator[Addresses]:
    """A server in this process; its exit status is added at the end."""
    ready: SimpleQueue[Addresses | None] = SimpleQueue()
    stop = Stop()

    def run() -> None:
        try:
            statuses.append(serve.serve(settings, stop=stop, ready=ready.put))
        finally:
            ready.put(None)

    thread = threading.Thread(target=run)
    thread.start()
    addresses = ready.get()
    try:
        assert addresses is not None, "it did not start"
        yield addresses
    finally:
        stop.ask()
        thread.join()


def get(url: str, **headers: str) -> Any:
    """What the API answers."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:
        return json.load(response)


def body_of(spans: Any) -> bytes:
    """An OTLP request."""
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


def refusal(settings: Settings, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a server says when it cannot start."""
    assert serve.serve(settings, ready=lambda addresses: pytest.fail("it is ready")) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("otel-sessions: ")
    return str(line)


def test_what_is_sent_is_there_after_a_restart(folder: Path) -> None:
    """Over HTTP and gRPC; the numbers are the library's; the folders are the user's alone."""
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
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, folder / "requests")] == ["0o700"] * 2


def test_a_key_is_asked_for(folder: Path) -> None:
    """By HTTP and gRPC alike."""
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
    """Retention is at work from the start."""
    with served(settings_on(folder), []) as addresses:
        long_ago = [finished(1, session="s1", at=(-(10**11), -(10**11) + 1)), finished(2, session="s2", trace=2)]
        assert post(f"{addresses.http}/v1/traces", body_of(long_ago)) == 200
        assert get(f"{addresses.http}/v1/sessions")["pagination"]["total"] == 2
    dropped = threading.Event()

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "retention dropped 1 traces" in record.getMessage():
                dropped.set()

    noting, level = Noting(), serve.logger.level
    serve.logger.addHandler(noting)
    serve.logger.setLevel(logging.INFO)
    try:
        with served(settings_on(folder, retention="1000d"), []) as addresses:
            assert dropped.wait(30)
            assert [session["id"] for session in get(f"{addresses.http}/v1/sessions")["data"]] == ["s2"]
    finally:
        serve.logger.removeHandler(noting)
        serve.logger.setLevel(level)


def test_a_signal_stops_it(folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """On the main thread; stdout has the line that it is ready, and nothing else."""

    def ready(addresses: Addresses) -> None:
        serve.announce(addresses)
        signal.raise_signal(signal.SIGTERM)

    with caplog.at_level(logging.INFO, "otel_sessions"):
        assert serve.serve(settings_on(folder), ready=ready) == 0
    out, err = capsys.readouterr()
    assert out.startswith("otel-sessions ready http=http://127.0.0.1:")
    assert out.endswith(f" store=chdb://{folder}\n")
    assert (len(out.splitlines()), err) == (1, "")
    assert any(line.startswith("stopping") for line in caplog.messages)


def test_a_stream_does_not_hold_the_end_up(folder: Path) -> None:
    """Whoever follows changes is told that it is over."""
    statuses: list[int] = []
    with ExitStack() as open_:
        with served(settings_on(folder), statuses) as addresses:
            stream = open_.enter_context(urllib.request.urlopen(f"{addresses.http}/v1/live", timeout=30))
            assert stream.readline() == b":\n"
        stream.read()
    assert statuses == [0]


def test_http_that_ends_by_itself_ends_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that answers nothing is not left running."""
    servers: list[HttpServer] = []

    class Kept(HttpServer):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            servers.append(self)

    monkeypatch.setattr(serve, "HttpServer", Kept)
    assert serve.serve(settings_on(folder), ready=lambda addresses: servers[0].ask_to_stop()) == 1
    assert "the HTTP server ended by itself" in caplog.messages


def test_what_could_not_be_committed_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is on disk all the same, and the end is a good one."""

    class Away(Backend):
        def close(self, timeout: float | None = None) -> bool:
            super().close(timeout)
            return False

    monkeypatch.setattr(serve, "Backend", Away)
    statuses: list[int] = []
    with served(settings_on(folder), statuses):
        pass
    assert statuses == [0]
    assert f"it is kept in {folder}/requests for the next start" in caplog.text


def test_ports_that_are_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each says which one it is, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(settings_on(folder, port=port), capsys)
        assert f"port {port} of 127.0.0.1 is in use; choose another with --port" in said
        said = refusal(settings_on(folder, grpc_port=port), capsys)
        assert f"127.0.0.1:{port}: Address already in use; choose another" in said
        assert "--grpc-port" in said


def test_an_address_of_another_machine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said that it cannot be had."""
    said = refusal(settings_on(folder, host="192.0.2.1", api_key="hush"), capsys)
    assert "port 0 of 192.0.2.1 cannot be had" in said


def test_a_folder_that_is_in_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the process that has it."""
    lock = FolderLock(folder)
    assert f"in use by the process with pid {os.getpid()}" in refusal(settings_on(folder), capsys)
    lock.release()


def test_folders_that_cannot_be_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That of the store, and that of the requests."""
    folder.touch()
    assert f"the folder {folder} cannot be used (File exists)" in refusal(settings_on(folder), capsys)
    folder.unlink()
    folder.mkdir()
    (folder / "requests").touch()
    assert f"the folder {folder}/requests cannot be used" in refusal(settings_on(folder), capsys)
    (folder / "requests").unlink()
    (folder / "requests" / "next-segment.new").mkdir(parents=True)
    assert f"the folder {folder}/requests cannot be used: [Errno 21]" in refusal(settings_on(folder), capsys)


def test_a_newer_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to upgrade."""
    store = Store(StoreSettings(f"chdb://{folder}"))
    with store.writing() as client:
        client.insert("schema_version", [[9_999, "later"]], column_names=["Version", "Name"])
    store.close()
    assert "upgrade otel-sessions" in refusal(settings_on(folder), capsys)


def test_a_store_that_fails_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is closed again, so that the next start finds it free."""

    def fail(store: Store) -> None:
        raise StoreError("the store\n is  broken")

    with monkeypatch.context() as patched:
        patched.setattr("otel_sessions.server.backend.known_traces", fail)
        assert refusal(settings_on(folder), capsys) == "otel-sessions: the store is broken"
    FolderLock(folder).release()


def test_an_app_that_does_not_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that was started is ended."""

    def failing(app: object) -> Any:
        raise RuntimeError

    def with_a_fault(*args: Any, **more: Any) -> Any:
        app = create_app(*args, **more)
        app.router.lifespan_context = failing
        return app

    monkeypatch.setattr(serve, "create_app", with_a_fault)
    assert "the HTTP server did not start" in refusal(settings_on(folder), capsys)
    FolderLock(folder).release()


def test_a_server_that_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    """It names it, without the password; what was acknowledged for it has one process on this machine."""
    settings = load_settings(store="http://me:hush@127.0.0.1:1/otel", port=0, grpc_port=0)
    said = refusal(settings, capsys)
    assert "the store http://127.0.0.1:1/otel cannot be reached" in said
    assert "hush" not in said
    lock = FolderLock(settings.requests_folder)
    with ExitStack() as running, pytest.raises(StoreLockedError, match="in use"):
        open_store(settings, running)
    lock.release()


def test_a_price_file_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the file, before the store is opened."""
    said = refusal(settings_on(folder, prices=folder / "none.toml"), capsys)
    assert str(folder / "none.toml") in said
    assert not folder.exists()


def test_a_process_as_its_users_start_it(folder: Path) -> None:
    """One line on stdout; what was acknowledged is there after SIGTERM; a second process on the folder is refused."""
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
