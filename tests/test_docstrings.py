"""Every test says in a sentence what it expects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WORDS = 4
FRAGMENTS = {"Also", "And", "Are", "Because", "Is", "Nor", "Or", "So", "That", "Until", "Which"}
"""Words that begin a clause of the sentence before, or a sentence that continues the name of the test."""


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def is_sentence(docstring: str | None) -> bool:
    """Return True if the first paragraph begins with a capital letter, a digit or code, and ends with a period."""
    words = (docstring or "").split("\n\n", 1)[0].split()
    return (
        len(words) >= WORDS
        and (words[0][0].isupper() or words[0][0].isdigit() or words[0][0] == "`")
        and words[0] not in FRAGMENTS
        and words[-1].endswith(".")
    )


def test_every_test_has_a_sentence_as_docstring() -> None:
    """The docstring of each test can be read without the name of the test."""
    found = [
        f"{path.relative_to(TESTS)}:{test.lineno} {test.name}: {ast.get_docstring(test)}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for test in functions_of(path)
        if not is_sentence(ast.get_docstring(test))
    ]
    if found:
        pytest.fail(
            "\n".join(["write a sentence that can be read without the name of the test:", *found]), pytrace=False
        )
