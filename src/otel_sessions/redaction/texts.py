"""`redact_text`: a text without the secrets in it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from otel_sessions.redaction.entropy import KIND, random_runs
from otel_sessions.redaction.shapes import EMAIL, SHAPES, Shape

SHORTEST: Final = 8
"""Characters of a text that can hold a secret."""


def placeholder(kind: str) -> str:
    """What stands for a secret of a kind."""
    return f"[redacted:{kind}]"


def redact_text(text: str, counts: Counter[str], *, emails: bool = False, by_entropy: bool = True) -> str:
    """A text in which each secret is a placeholder.

    Args:
        text: is redacted.
        counts: counts what is replaced, by kind.
        emails: replace addresses of e-mail too.
        by_entropy: replace what looks random.
    """
    if len(text) < SHORTEST:
        return text
    for shape in SHAPES:
        for hint in shape.hints:
            if hint in text:
                text = _without(text, shape, counts)
                break
    if emails and "@" in text:
        text = _without(text, EMAIL, counts)
    if by_entropy:
        for run in reversed(random_runs(text)):
            counts[KIND] += 1
            text = text[: run.start()] + placeholder(KIND) + text[run.end() :]
    return text


def _without(text: str, shape: Shape, counts: Counter[str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        if shape.check is not None and not shape.check(found[0]):
            return found[0]
        counts[shape.kind] += 1
        if "secret" not in shape.pattern.groupindex:
            return placeholder(shape.kind)
        before, after = found.start("secret") - found.start(), found.end("secret") - found.start()
        return found[0][:before] + placeholder(shape.kind) + found[0][after:]

    return shape.pattern.sub(replaced, text)
