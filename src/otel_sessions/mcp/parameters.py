"""`Parameter`: an argument of a tool, its place in the tool's JSON schema, and its check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from otel_sessions.mcp.answers import BUDGET, LARGEST_BUDGET, SMALLEST_BUDGET
from otel_sessions.mcp.asking import AskError

_KINDS: Final[Mapping[str, Any]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Parameter:
    """An argument.

    Attributes:
        name: of the argument.
        kind: a type of JSON schema.
        about: what it is for.
        required: True if every call has it.
        default: its value if it is not given.
        choices: the values that it may have; empty for any.
        least: the smallest number.
        greatest: the greatest number.
    """

    name: str
    kind: str
    about: str
    required: bool = False
    default: Any = None
    choices: Sequence[str] = ()
    least: int | None = None
    greatest: int | None = None

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        told = {
            "type": self.kind,
            "description": self.about,
            "default": self.default,
            "enum": list(self.choices) or None,
            "minimum": self.least,
            "maximum": self.greatest,
        }
        return {name: value for name, value in told.items() if value is not None}

    def checked(self, given: Any) -> Any:
        """The value; one that a model wrote as a text is read.

        Raises:
            AskError: it is not valid.
        """
        value: Any = self._read(given)
        if not isinstance(value, _KINDS[self.kind]) or (isinstance(value, bool) and self.kind != "boolean"):
            raise AskError(f"{self.name}: {self._expected()} expected, not {str(value)[:80]!r}")
        if self.choices and value not in self.choices:
            raise AskError(f"{self.name}: {self._expected()} expected, not {value[:80]!r}")
        if (self.least is not None and value < self.least) or (self.greatest is not None and value > self.greatest):
            raise AskError(f"{self.name}: {self._expected()} expected, not {value}")
        return value

    def _read(self, value: Any) -> Any:
        if isinstance(value, str):
            value = _whole(value)
        if isinstance(value, dict):
            return {_whole(str(name)): _whole(one) if isinstance(one, str) else one for name, one in value.items()}
        if isinstance(value, str) and self.kind == "integer":
            text = value.strip()
            return int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else value
        if isinstance(value, str) and self.kind == "boolean":
            return {"true": True, "false": False}.get(value.strip().lower(), value)
        if isinstance(value, float) and self.kind == "integer" and value.is_integer():
            return int(value)
        return value

    def _expected(self) -> str:
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.least is not None and self.greatest is not None:
            return f"{self.kind} from {self.least} to {self.greatest}"
        return self.kind if self.least is None else f"{self.kind} from {self.least}"


def _whole(text: str) -> str:
    """The text with a question mark for each half of a character, which JSON can have and no URL."""
    return text.encode("utf-8", "replace").decode()


BUDGET_PARAMETER: Final = Parameter(
    "budget",
    "integer",
    "How many characters the answer may have at most.",
    default=BUDGET,
    least=SMALLEST_BUDGET,
    greatest=LARGEST_BUDGET,
)


def checked_arguments(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, with defaults; `null` is as good as not given.

    Raises:
        AskError: an argument is unknown, missing or not valid.
    """
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name[:80] for name in given if name not in known]
    if unknown:
        raise AskError(f"unknown argument: {', '.join(unknown[:5])}; this tool has {', '.join(known)}")
    arguments = {}
    for name, parameter in known.items():
        value = given.get(name)
        if value is None and parameter.required:
            raise AskError(f"{name} is missing: {parameter.about}")
        arguments[name] = parameter.default if value is None else parameter.checked(value)
    return arguments


def schema_of(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments."""
    return {
        "type": "object",
        "properties": {parameter.name: parameter.schema() for parameter in parameters},
        "required": [parameter.name for parameter in parameters if parameter.required],
        "additionalProperties": False,
    }
