"""What is sent to the API is JSON, and says so."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Body, FastAPI
from starlette.testclient import TestClient

from otel_sessions.server.api.endpoints import Endpoint
from otel_sessions.server.api.errors import HANDLERS

router = APIRouter(route_class=Endpoint)


@router.api_route("/echo", methods=["POST", "PUT", "PATCH"])
async def echo(text: Annotated[str, Body(embed=True)]) -> str:
    """Answer with what was sent."""
    return text


app = FastAPI(routes=router.routes, exception_handlers=dict(HANDLERS))
BODY = b'{"text": "hello"}'


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/plain; application/json", "x,y"]
)
def test_other_content_types(method: str, content_type: str | None) -> None:
    """What a form or a script of another site may send without asking is not read."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = TestClient(app).request(method, "/echo", content=BODY, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json(content_type: str) -> None:
    """JSON is read, with parameters of its content type or without."""
    answer = TestClient(app).post("/echo", content=BODY, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()) == (200, "hello")
