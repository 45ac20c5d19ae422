"""`read_body`: the JSON object that a request sends, checked by a model, within limits of size and time."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.otlp.errors import RequestError
from otel_sessions.server.receivers.bodies import InFlightBytes, received

LARGEST_BODY: Final = 256 << 10
_BYTES_IN_FLIGHT: Final = 8 << 20
_ERRORS_SHOWN: Final = 5

Body = TypeVar("Body", bound=BaseModel)


def in_flight() -> InFlightBytes:
    """What counts the bytes of bodies that one app receives at the same time."""
    return InFlightBytes(_BYTES_IN_FLIGHT)


async def read_body(request: Request, model: type[Body]) -> Body:
    """The body of a request.

    Raises:
        ApiError: it is too large or too slow, no JSON, or not what the model describes.
    """
    try:
        async with received(request, request.app.state.bodies, limit=LARGEST_BODY) as body:
            return model.model_validate_json(body)
    except RequestError as error:
        code = type(error).__name__.removesuffix("Error")
        raise ApiError(error.http_status, _SNAKE.get(code, "refused"), str(error)) from None
    except ClientDisconnect:
        raise ApiError(400, "invalid_body", "the client went away before the body had come") from None
    except ValidationError as error:
        raise ApiError(400, "invalid_body", _messages(error)) from None


_SNAKE: Final = {"TooLarge": "too_large", "TooSlow": "too_slow", "Busy": "busy"}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read with a model."""
    schema = model.model_json_schema()
    whole = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """A schema with the models that it refers to in it: the document has no component for them."""
    if isinstance(node, list):
        return [_inlined(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(one, definitions) for name, one in node.items() if name != "discriminator"}


def _messages(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(_message(one["loc"], one["type"], one["msg"]) for one in found[:_ERRORS_SHOWN])


def _message(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = ".".join(map(str, place))
    if kind == "json_invalid":
        return f"the body is no JSON: {message.removeprefix('Invalid JSON: ')}"
    if kind == "extra_forbidden":
        return f"{name} is no field of this body"
    message = message.removeprefix("Value error, ")
    return f"{name}: {message}" if name else f"the body: {message}"
