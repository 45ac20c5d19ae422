"""The OpenAPI document: served, kept in the repository, and complete."""

from __future__ import annotations

import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from otel_sessions.server.api.openapi import document, printed

KEPT = Path(__file__).parents[3] / "docs" / "openapi.json"
RENEW = "python -m otel_sessions.server.api.openapi > docs/openapi.json"

OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    (path, operation) for path, operations in document()["paths"].items() for operation in operations.values()
]


def test_the_kept_document_is_up_to_date() -> None:
    """What the repository says is what the server serves."""
    assert KEPT.read_text(encoding="utf-8") == printed(), f"the API has changed; renew the document: {RENEW}"


def test_printing_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The module prints it, without a store."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        runpy.run_module("otel_sessions.server.api.openapi", run_name="__main__")
    assert json.loads(capsys.readouterr().out) == document()


def test_it_is_served(client: TestClient) -> None:
    """The document of the routes, and no pages that load scripts from elsewhere."""
    assert client.get("/openapi.json").json() == document()
    for page in ("/docs", "/redoc"):
        assert client.get(page).status_code == 404


@pytest.mark.parametrize(("path", "operation"), OPERATIONS, ids=[one["operationId"] for _, one in OPERATIONS])
def test_operations_are_described(path: str, operation: dict[str, Any]) -> None:
    """Each has a name, a summary, a description, and says its errors; so has every parameter."""
    assert operation["operationId"].isalpha()
    assert operation["summary"]
    assert operation["description"]
    assert "422" not in operation["responses"]
    assert "400" in operation["responses"]
    if path.startswith("/v1/"):
        assert {"401", "503"} <= operation["responses"].keys()
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter["name"]


def test_names_are_unique() -> None:
    """Of operations and of schemas; the framework's own errors are not among these."""
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert "ValidationError" not in document()["components"]["schemas"]
