"""No command of these tests asks a server that the environment of the test run names."""

from __future__ import annotations

import pytest

from otel_sessions.environment_variables import API_KEY, URL


@pytest.fixture(autouse=True)
def no_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an address nor an API key comes from the environment."""
    monkeypatch.delenv(URL, raising=False)
    monkeypatch.delenv(API_KEY, raising=False)
