"""No command of these tests asks a server that the environment of the test run names."""

from __future__ import annotations

import pytest

from otel_sessions.environment_variables import API_KEY, STORE, URL


@pytest.fixture(autouse=True)
def no_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, folder or API key comes from the environment, and colours are as terminals have them."""
    for name in (URL, STORE, API_KEY, "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
