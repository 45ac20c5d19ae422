"""What a server begins with is opened, or refused with the next step and left unlocked."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.clickhouse.running import clickhouse

from otel_sessions.counting.tokens import Usage
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError, StoreLockedError
from otel_sessions.server.clickhouse.folder_lock import FolderLock
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.process.bootstrap import StartError, load_pricer, open_backend, open_store
from otel_sessions.server.process.settings import Settings, load_settings

pytestmark = pytest.mark.usefixtures("own_environment")


def settings_on(folder: Path, **more: Any) -> Settings:
    """Settings of an embedded store."""
    return load_settings(store=f"chdb://{folder}", **more)


def refusal(settings: Settings, error: type[Exception] = StartError) -> str:
    """The message about a backend that cannot be opened."""
    with ExitStack() as running, pytest.raises(error) as raised:
        open_backend(settings, running)
    return str(raised.value)


def test_a_backend_is_opened_in_folders_of_the_user(folder: Path) -> None:
    """The folders of a backend are created, and readable by their owner alone."""
    with ExitStack() as running:
        backend = open_backend(settings_on(folder), running)
        assert backend.close()
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, folder / "requests")] == ["0o700"] * 2


def test_folders_that_cannot_be_used(folder: Path) -> None:
    """The message names the folder that cannot be used: that of the store, or that of the requests."""
    folder.touch()
    assert f"the folder {folder} cannot be used (File exists)" in refusal(settings_on(folder))
    folder.unlink()
    folder.mkdir()
    (folder / "requests").touch()
    assert f"the folder {folder}/requests cannot be used" in refusal(settings_on(folder))
    (folder / "requests").unlink()
    (folder / "requests" / "next-segment.new").mkdir(parents=True)
    assert f"the folder {folder}/requests cannot be used: [Errno 21]" in refusal(settings_on(folder))
    FolderLock(folder).release()


def test_a_store_that_fails_later_is_closed(folder: Path) -> None:
    """A store that opens but cannot be read is closed again, so that the next start finds it unlocked."""
    store = Store(StoreSettings(f"chdb://{folder}"))
    with store.writing() as client:
        client.command("DROP TABLE trace_facts SYNC")
    store.close()
    assert "a table is missing" in refusal(settings_on(folder), StoreError)
    FolderLock(folder).release()


def test_a_server_that_is_away(tmp_path: Path) -> None:
    """A server that does not answer is named without its password."""
    said = refusal(load_settings(store="http://me:hush@127.0.0.1:1/otel"), StoreAwayError)
    assert "the store http://127.0.0.1:1/otel cannot be reached" in said
    assert "hush" not in said


def test_requests_for_a_server_have_one_process() -> None:
    """Two processes of one machine do not share a folder of acknowledged requests, whatever their store."""
    settings = load_settings(store="http://127.0.0.1:1/otel")
    lock = FolderLock(settings.requests_folder)
    with ExitStack() as running, pytest.raises(StoreLockedError, match="in use"):
        open_store(settings, running)
    lock.release()


def test_a_price_file_that_does_not_exist(folder: Path) -> None:
    """The message names the file, and the store is not even created."""
    assert str(folder / "none.toml") in refusal(settings_on(folder, prices=folder / "none.toml"))
    assert not folder.exists()


def test_a_price_file_sets_prices(folder: Path, tmp_path: Path) -> None:
    """The pricer of the settings knows the models of the file."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nmodel = "mine"\ninput = 1000000\noutput = 1000000\n')
    cost = load_pricer(settings_on(folder, prices=prices)).price(provider=None, model="mine", usage=Usage(1, 1), at=0)
    assert cost is not None
    assert cost.total == 2


def test_a_database_that_another_server_works_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second server on one database of a ClickHouse server is refused, from another machine or folder as well."""
    with clickhouse(tmp_path / "clickhouse") as url, ExitStack() as running:
        first = open_backend(load_settings(store=f"{url}/otel"), running)
        running.callback(first.close)
        assert "is in use by the process with pid" in refusal(load_settings(store=f"{url}/otel"), StoreLockedError)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "elsewhere"))
        assert "is in use by the otel-sessions server on" in refusal(
            load_settings(store=f"{url}/otel"), StoreLockedError
        )
        running.pop_all().close()
        with ExitStack() as again:
            assert open_backend(load_settings(store=f"{url}/otel"), again).close()
