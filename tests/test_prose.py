"""Code and documentation are in plain technical English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"src": ("*.py", "*.sql"), "docs": ("*.md", "*.json"), "examples": ("*.py",), "benchmarks": ("*.py",)}
FILES = [
    *ROOT.glob("*.md"),
    *(path for folder, patterns in FOLDERS.items() for pattern in patterns for path in (ROOT / folder).rglob(pattern)),
]
INSTEAD = {
    "so many": "the name of the parameter, or 'the given number of'",
    "so much": "the name of the parameter, or 'the given amount of'",
    "is none": "'is not', or 'None' for the value",
    "are none": "'are not', or 'None' for the value",
    "anew": "'again', or 'recompute'",
    "nobody": "'no caller', 'no reader', or the passive",
    "somebody": "'a caller', 'a reader', or the passive",
    "whoever": "'the caller', 'the reader'",
}
"""Words that make a reader stop, and what to write instead."""


@pytest.mark.parametrize("word", INSTEAD)
def test_words_that_make_a_reader_stop_are_not_used(word: str) -> None:
    """No docstring, comment, message or page has the word, also across the end of a line."""
    # Case matters: `x is None` is code.
    spellings = "|".join(one.replace(" ", r"[\s#]+") for one in (word, word.capitalize()))
    pattern = re.compile(rf"\b({spellings})\b")
    found = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for match in pattern.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{number}: {text.splitlines()[number - 1].strip()}")
    if found:
        pytest.fail("\n".join([f"for {word!r} write {INSTEAD[word]}", *found]), pytrace=False)
