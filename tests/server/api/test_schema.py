"""The OpenAPI document is true of every answer: schemathesis checks it with generated requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from tests.server.api.sending import CALL, HOSTILE, a_span, send
from tests.server.otlp.building import AT

from otel_sessions.server.api.openapi import document
from otel_sessions.server.backend import Backend

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
schema = schemathesis.openapi.from_dict(document()).exclude(path="/v1/live")  # a stream does not end


@pytest.fixture(scope="module")
def session(app: FastAPI, backend: Backend) -> Iterator[ASGIClient]:
    """A client of an app with some sessions."""
    for number, session in enumerate(HOSTILE, 1):
        attributes = {**CALL, "session.metadata.plan": session, "session.name": session}
        send(backend, a_span(number, session=session, attributes=attributes))
    with get_client(cast("Any", app)) as client:
        yield client


@pytest.fixture
def example(backend: Backend) -> None:
    """The session that the document gives as an example; another operation may have deleted it."""
    send(backend, a_span(99, session="ticket-1", attributes=CALL, events=[{"name": "e", "time_unix_nano": AT}]))


# A parameter of pytest's gives each operation a node id of its own; without one pytest 9.2 gives all of them the same id,
# and pytest-xdist then runs only one of them.
@pytest.mark.parametrize("host", ["http://testserver"])
@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_is_as_the_document_says(
    session: ASGIClient, example: None, host: str, case: schemathesis.Case[Any]
) -> None:
    """An answer has a status, headers and a body that the document describes, and never a 5xx."""
    case.call_and_validate(session=session, base_url=host, checks=CHECKS)
