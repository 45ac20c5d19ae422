"""The service and the environment of a resource."""

from __future__ import annotations

from typing import Any

import pytest

from otel_sessions.resource import NAMES, service_and_environment


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, (None, None)),
        ({"service.name": "shop", "deployment.environment.name": "live"}, ("shop", "live")),
        ({"deployment.environment": "old"}, (None, "old")),
        ({"deployment.environment": "old", "deployment.environment.name": "new"}, (None, "new")),
        ({"service.name": 1, "deployment.environment.name": ["live"]}, (None, None)),
        ({"deployment.environment": "old", "deployment.environment.name": 1}, (None, None)),
    ],
)
def test_service_and_environment(attributes: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    """Only strings count, and the newer name of the environment wins whenever it is present."""
    assert service_and_environment(attributes) == expected
    assert attributes.keys() <= set(NAMES)
