"""`Conditions`: the options of a command that choose sessions, one for each filter of the API's lists."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from inspect import Parameter
from typing import Annotated, Any, Final, NamedTuple

import typer

from otel_sessions.cli.errors import WRONG_USAGE, CommandError
from otel_sessions.cli.since import moment_of

Parameters = Iterator[tuple[str, str]]
"""Parameters of the API with their values."""


class _Condition(NamedTuple):
    """An option, and the parameters of the API that are made of what it is given."""

    option: Any
    kind: Any
    parameters: Callable[[Any, int], Parameters]


def _text(parameter: str) -> Callable[[str, int], Parameters]:
    return lambda text, _: iter([(parameter, text)])


def _flag(parameter: str) -> Callable[[bool, int], Parameters]:
    return lambda flag, _: iter([(parameter, str(flag).lower())])


def _time(parameter: str) -> Callable[[str, int], Parameters]:
    return lambda text, now: iter([(parameter, moment_of(text, now=now, option=f"--{parameter}"))])


def _pairs(prefix: str) -> Callable[[Sequence[str], int], Parameters]:
    return lambda given, _: named(prefix, f"--{prefix.replace('_', '-')}", given)


def _about(text: str, metavar: str | None = None, *flags: str) -> Any:
    return typer.Option(*flags, metavar=metavar, help=f"Only sessions {text}")


CONDITIONS: Final[Mapping[str, _Condition]] = {
    "q": _Condition(_about("with this text in id, name or messages.", "TEXT", "--q"), str, _text("q")),
    "name": _Condition(_about("with exactly this name."), str, _text("name")),
    "user": _Condition(_about("of this user id."), str, _text("user_id")),
    "environment": _Condition(_about("of this deployment environment."), str, _text("environment")),
    "service": _Condition(_about("with this service."), str, _text("service")),
    "model": _Condition(_about("with this model."), str, _text("model")),
    "tag": _Condition(_about("with this tag."), str, _text("tag")),
    "metadata": _Condition(_about("with this metadata; repeatable.", "NAME=VALUE"), list[str], _pairs("metadata")),
    "status": _Condition(_about("with this status, such as failed, partly_failed or running."), str, _text("status")),
    "failed": _Condition(
        _about("in which a trace failed, or none did.", None, "--failed/--not-failed"), bool, _flag("failed")
    ),
    "unpriced": _Condition(
        _about("with a call without a price, or without such a call.", None, "--unpriced/--priced"),
        bool,
        _flag("unpriced"),
    ),
    "since": _Condition(_about("active since then: 2h, 30d, 2026-11-20.", "AGE|TIME"), str, _time("since")),
    "until": _Condition(_about("that started before then.", "AGE|TIME"), str, _time("until")),
    "min_cost": _Condition(_about("of at least this cost.", "USD"), str, _text("min_cost")),
    "min_score": _Condition(
        _about("of at least this score; repeatable.", "NAME=VALUE"), list[str], _pairs("min_score")
    ),
    "max_score": _Condition(_about("of at most this score; repeatable.", "NAME=VALUE"), list[str], _pairs("max_score")),
    "label": _Condition(_about("whose score has this label; repeatable.", "NAME=LABEL"), list[str], _pairs("label")),
}
"""By name of the option's variable; in the order of the help."""


class Conditions:
    """What a command was given for its conditions."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """Take values by the names of `CONDITIONS`; `None` for those that were not given."""
        self._given = given

    def parameters(self, *, now: int) -> dict[str, str]:
        """The parameters of the API.

        Args:
            now: nanoseconds UTC, from which an age counts back.

        Raises:
            CommandError: one is not valid.
        """
        found: dict[str, str] = {}
        for name, value in self._given.items():
            if value is not None:
                found.update(CONDITIONS[name].parameters(value, now))
        return found


def with_conditions(command: Callable[..., None]) -> Callable[..., None]:
    """A command with all options of `CONDITIONS` in place of its parameter `conditions`, which gets what they were given."""
    signature = inspect.signature(command, eval_str=True)
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[one.kind | None, one.option])
        for name, one in CONDITIONS.items()
    ]

    @wraps(command)
    def run(*args: Any, **given: Any) -> None:
        conditions = Conditions({name: given.pop(name) for name in CONDITIONS})
        command(*args, conditions=conditions, **given)

    parameters: list[Parameter] = []
    for one in signature.parameters.values():
        parameters += options if one.name == "conditions" else [one]
    vars(run).update(__signature__=signature.replace(parameters=parameters), __annotations__={})
    return run


def named(prefix: str, option: str, given: Sequence[str]) -> Parameters:
    """The parameters of an option that is written as `NAME=VALUE`: `metadata.plan` of `plan=pro`.

    Raises:
        CommandError: one is written otherwise, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, is_pair, value = text.partition("=")
        parameter = f"{prefix}.{name.strip()}"
        if not is_pair or not name.strip():
            raise CommandError(f"{option} {text!r} is no pair; write it like {option} name=value", status=WRONG_USAGE)
        if parameter in found:
            raise CommandError(f"{option} names {name.strip()!r} twice; give it once", status=WRONG_USAGE)
        found[parameter] = value
    return iter(found.items())
