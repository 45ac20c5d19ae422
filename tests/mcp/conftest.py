"""A server in this process with the sessions that questions are about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from tests.mcp.asks import AppAsk
from tests.mcp.world import fill
from tests.server.conversing import Talks


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talks]:
    """A server with the sessions of `world`."""
    folder: Path = tmp_path_factory.mktemp("mcp")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    talks = Talks(f"chdb://{folder}", "world", folder)
    fill(talks)
    yield talks
    talks.backend.close()
    client.close()


@pytest.fixture(scope="module")
def ask(talks: Talks) -> AppAsk:
    """Asks that server."""
    return AppAsk(talks.client)
