"""A server over HTTP and gRPC, on an engine that all tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from tests.server.receivers.serving import Server, opened

from otel_sessions.server.backend import Backend


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a running engine: a process has one, and starting it for each test would take long."""
    folder = tmp_path_factory.mktemp("receive")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield folder
    client.close()


@pytest.fixture(scope="module")
def backend(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend for all tests of a file; each has traces of its own."""
    with opened(engine, "receive", tmp_path_factory.mktemp("requests")) as backend:
        yield backend


@pytest.fixture(scope="module")
def shared(backend: Backend) -> Iterator[Server]:
    """A server with the default settings."""
    with Server(backend) as server:
        yield server
