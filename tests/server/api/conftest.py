"""A backend with its app and a client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend for all tests of a module, since starting the engine for each would take long; empty at first."""
    folder = tmp_path_factory.mktemp("server")
    backend = Backend(Store(StoreSettings(f"chdb://{folder / 'store'}", readers=2)), folder / "requests")
    yield backend
    assert backend.close(timeout=60)


@pytest.fixture(scope="module")
def app(backend: Backend) -> FastAPI:
    """The app of the module's backend."""
    return create_app(backend)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the module's app, which gets a 500 as an answer instead of the exception."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
