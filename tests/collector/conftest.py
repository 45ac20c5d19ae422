"""The Collector binary for the tests of this folder, or the reason why they cannot run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.collector.running import binary_path

if TYPE_CHECKING:
    from pathlib import Path

REQUIRE = "OTEL_SESSIONS_REQUIRE_COLLECTOR"


@pytest.fixture(scope="session")
def collector_binary() -> Path:
    """The path of the Collector that `make collector` built; skips without it, or fails where it is required."""
    path = binary_path()
    if not path.exists():
        advice = "the OpenTelemetry Collector is not built: run `make collector` (needs Go)"
        if os.environ.get(REQUIRE):
            pytest.fail(f"{advice}; {REQUIRE} is set")
        pytest.skip(advice)
    return path
