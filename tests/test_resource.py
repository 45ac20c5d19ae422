"""The service, the environment and the session of a resource."""

from __future__ import annotations

from typing import Any

import pytest

from otel_sessions.resource import NAMES, read_resource


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, (None, None, None)),
        ({"service.name": "shop", "deployment.environment.name": "live"}, ("shop", "live", None)),
        ({"deployment.environment": "old"}, (None, "old", None)),
        ({"deployment.environment": "old", "deployment.environment.name": "new"}, (None, "new", None)),
        ({"service.name": 1, "deployment.environment.name": ["live"], "session.id": 7}, (None, None, None)),
        ({"deployment.environment": "old", "deployment.environment.name": 1}, (None, None, None)),
        ({"session.id": "tab-1"}, (None, None, "tab-1")),
    ],
)
def test_what_a_resource_says(attributes: dict[str, Any], expected: tuple[str | None, str | None, str | None]) -> None:
    """Only strings count, and the newer name of the environment wins whenever it is present."""
    assert read_resource(attributes) == expected
    assert attributes.keys() <= set(NAMES)
