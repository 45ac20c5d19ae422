"""`PrefixedParameters`: query parameters such as `metadata.<name>=<value>`, whose names only the caller knows."""

# FastAPI reads the annotations of an object that is called, where it cannot resolve them from text.
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant

from otel_sessions.server.api.errors import ApiError, invalid_parameter

_SHOWN = 80


class PrefixedParameters:
    """A dependency: the values of all parameters whose names begin with a prefix, by the rest of their names.

    An endpoint that depends on it accepts these names, and the OpenAPI document describes them.

    Attributes:
        prefix: what the names begin with, a dot at the end.
    """

    def __init__(
        self, name: str, *, description: str, characters: str, name_length: int, length: int, most: int
    ) -> None:
        """Describe the parameters.

        Args:
            name: the prefix without its dot, the name in the OpenAPI document.
            description: for the OpenAPI document.
            characters: what the rest of a name is made of, as in the brackets of a regular expression.
            name_length: how long the rest of a name is at most, as documented; longer ones match nothing.
            length: how many characters a name and a value may have.
            most: how many parameters there may be.
        """
        self.prefix = f"{name}."
        self._name = name
        self._description = description
        self._pattern = f"^{name}\\.[{characters}]{{1,{name_length}}}$"
        self._length = length
        self._most = most

    async def __call__(self, request: Request) -> dict[str, str]:
        """The values in a request.

        Raises:
            ApiError: there are too many, or one is too long.
        """
        given = {
            name.removeprefix(self.prefix): value
            for name, value in request.query_params.multi_items()
            if name.startswith(self.prefix)
        }
        if len(given) > self._most:
            raise ApiError(
                400,
                "invalid_parameter",
                f"{len(given)} conditions on {self._name}: expected at most {self._most}",
            )
        for name, value in given.items():
            if max(len(name), len(value)) > self._length:
                raise invalid_parameter(
                    f"{self.prefix}{name[:_SHOWN]}", value, f"names and text of at most {self._length} characters"
                )
        return given

    def openapi(self) -> dict[str, Any]:
        """The parameter of the OpenAPI document that stands for all of them."""
        return {
            "name": self._name,
            "in": "query",
            "required": False,
            "description": self._description,
            "style": "form",
            "explode": True,
            "schema": {
                "type": "object",
                "patternProperties": {self._pattern: {"type": "string", "maxLength": self._length}},
                "additionalProperties": False,
                "maxProperties": self._most,
            },
        }


def prefixed_parameters(dependant: Dependant) -> Iterator[PrefixedParameters]:
    """The prefixed parameters that an endpoint depends on."""
    if isinstance(dependant.call, PrefixedParameters):
        yield dependant.call
    for one in dependant.dependencies:
        yield from prefixed_parameters(one)
