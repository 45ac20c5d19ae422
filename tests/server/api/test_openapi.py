"""The OpenAPI document: it is served, kept in the repository, and complete."""

from __future__ import annotations

import json
import runpy
import warnings
from collections.abc import Iterator
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


def described(node: Any, path: str = "") -> Iterator[tuple[str, str | None]]:
    """Every schema, property, parameter and response of a document, by its path in it, and its own description."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from described(item, f"{path}/{number}")
    elif isinstance(node, dict):
        for kind in ("properties", "responses", "schemas"):
            for name, one in node.get(kind, {}).items():
                yield f"{path}/{kind}/{name}", one.get("description")
        for one in node.get("parameters", ()):
            yield f"{path}/parameters/{one['name']}", one.get("description")
        for name, item in node.items():
            yield from described(item, f"{path}/{name}")


DESCRIBED = dict(described(document()))


def test_the_kept_document_is_up_to_date() -> None:
    """The document in the repository is the one that the server serves."""
    assert KEPT.read_text(encoding="utf-8") == printed(), f"the API has changed; renew the document: {RENEW}"


def test_printing_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The module prints the document, and needs no store for it."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        runpy.run_module("otel_sessions.server.api.openapi", run_name="__main__")
    assert json.loads(capsys.readouterr().out) == document()


def test_it_is_served(client: TestClient) -> None:
    """The server serves the document, and no pages that load scripts from elsewhere."""
    assert client.get("/openapi.json").json() == document()
    for page in ("/docs", "/redoc"):
        assert client.get(page).status_code == 404


@pytest.mark.parametrize(("path", "operation"), OPERATIONS, ids=[one["operationId"] for _, one in OPERATIONS])
def test_operations_are_described(path: str, operation: dict[str, Any]) -> None:
    """Each operation has a name, a summary, a description and its errors."""
    assert operation["operationId"].isalpha()
    assert operation["summary"]
    assert operation["description"]
    assert "422" not in operation["responses"]
    assert "400" in operation["responses"]
    if path.startswith("/v1/"):
        assert {"401", "503"} <= operation["responses"].keys()


def test_everything_is_described() -> None:
    """Every schema, property, parameter and response has a description of its own, also where it refers to a schema."""
    assert [] == [path for path, description in DESCRIBED.items() if not description]
    assert "Successful Response" not in DESCRIBED.values()


def test_nothing_is_left_out_of_what_must_be_described() -> None:
    """The walk through the document finds properties, parameters and responses in all places where they can be."""
    for path in (
        "/components/schemas/Span",
        "/components/schemas/Span/properties/status",
        "/components/schemas/One_SessionWithTraces_/properties/data",
        "/paths//v1/sessions/get/parameters/metadata",
        "/paths//v1/sessions/{session_id}/get/parameters/session_id",
        "/paths//v1/live/get/responses/200",
    ):
        assert path in DESCRIBED


def test_names_are_unique() -> None:
    """Operations have different names, and the framework's own errors are not among the schemas."""
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert "ValidationError" not in document()["components"]["schemas"]
