"""The public API is complete: every type that it hands out is exported, and every example in its docstrings runs."""

from __future__ import annotations

import ast
import doctest
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from tests import processes

import otel_sessions

PACKAGE = "otel_sessions"
PUBLIC = {name: getattr(otel_sessions, name) for name in otel_sessions.__all__}
DOCUMENTED = {name: value for name, value in PUBLIC.items() if isinstance(value, type | types.FunctionType)}
"""All public names but the aliases of types, which have no docstring of their own."""


CALLED = ("__init__", "__call__", "__enter__", "__aenter__")


def own_types(annotation: Any) -> Iterator[type]:
    """The classes of this package in a type, also in its arguments."""
    if isinstance(annotation, type) and annotation.__module__.partition(".")[0] == PACKAGE:
        yield annotation
    for argument in typing.get_args(annotation):
        for part in argument if isinstance(argument, list) else [argument]:
            yield from own_types(part)


def functions(cls: type) -> Iterator[types.FunctionType]:
    """The public methods and properties of a class that this package defines, not those that OpenTelemetry declares."""
    elsewhere = [base for base in cls.__mro__ if base.__module__.partition(".")[0] != PACKAGE and base is not object]
    for name in dir(cls):
        if (name.startswith("_") and name not in CALLED) or any(hasattr(base, name) for base in elsewhere):
            continue
        member = inspect.getattr_static(cls, name)
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if isinstance(function, types.FunctionType):
            yield function


def types_of(value: Any) -> Iterator[Any]:
    """The types of the fields, arguments and results of a public name."""
    if not isinstance(value, type):
        yield from typing.get_type_hints(value).values()
        return
    yield from (hint for name, hint in typing.get_type_hints(value).items() if not name.startswith("_"))
    for function in functions(value):
        yield from typing.get_type_hints(function).values()


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_types_that_are_handed_out_are_exported(name: str) -> None:
    """A class of this package in a public annotation is a public name itself."""
    found = {one for annotation in types_of(PUBLIC[name]) for one in own_types(annotation)}
    assert {one.__name__ for one in found if PUBLIC.get(one.__name__) is not one} == set()


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_examples_of_public_docstrings_run(name: str) -> None:
    """The examples of a public name, and of its methods, print what they show."""
    runner = doctest.DocTestRunner()
    # Without a module, the examples start with no names: they import what they use.
    tests = doctest.DocTestFinder(exclude_empty=True).find(PUBLIC[name], name, module=False, globs={})
    for test in tests:
        runner.run(test)
    tried = runner.summarize(verbose=False)
    assert tried.failed == 0
    assert tried.attempted


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_public_names_have_a_docstring_with_an_example(name: str) -> None:
    """The docstring of a public name has a section `Example:`."""
    assert PUBLIC[name].__doc__
    assert "\nExample:\n" in (inspect.getdoc(PUBLIC[name]) or "")


def fields(value: Any) -> list[str]:
    """The fields of a record, else the arguments of a call."""
    if isinstance(value, type):
        known = [name for name in typing.get_type_hints(value) if not name.startswith("_")]
        if known or issubclass(value, Exception):
            return known
    return [name for name in inspect.signature(value).parameters if name not in ("args", "kwargs")]


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_every_field_is_documented(name: str) -> None:
    """Every field and argument has a line in the docstring; a single argument may be explained in the text."""
    text = inspect.getdoc(PUBLIC[name]) or ""
    expected = fields(PUBLIC[name])
    missing = [field for field in expected if f"    {field}: " not in text and f"    **{field}: " not in text]
    assert missing == [] or len(expected) == 1


def test_each_name_is_imported_from_where_type_checkers_look() -> None:
    """What is imported when a name is used is what a type checker is told, and all of it is in `__all__`."""
    tree = ast.parse(inspect.getsource(otel_sessions))
    told = {
        name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}.")
        for name in node.names
    }
    assert told == {name: f"{PACKAGE}.{module}" for name, module in otel_sessions._MODULES.items()}
    assert sorted(told) == otel_sessions.__all__


def test_importing_the_package_imports_what_is_used() -> None:
    """A name brings its module and no other; `dir` has all names before they are used, and a wrong name is an error."""
    program = (
        "import sys, otel_sessions\n"
        "assert set(otel_sessions.__all__) <= set(dir(otel_sessions))\n"
        "assert 'otel_sessions.exporter' not in sys.modules\n"
        "from otel_sessions import propagate_sessions\n"
        "assert 'otel_sessions.exporter' not in sys.modules\n"
        "assert otel_sessions.SessionExporter is otel_sessions.SessionExporter\n"
    )
    ran = processes.run(sys.executable, "-W", "error", "-c", program)
    assert (ran.returncode, ran.stderr) == (0, "")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = otel_sessions.nothing


def test_names_for_completion() -> None:
    """`dir` has every public name, also those that nobody has asked for."""
    assert set(otel_sessions.__all__) <= set(dir(otel_sessions))
