"""`redact_value`: a value without its secrets, in the same structure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.redaction.json_texts import strings_replaced
from otel_sessions.redaction.names import is_id, kind_of_name, names_id
from otel_sessions.redaction.texts import placeholder, redact_text

DEEPEST: Final = 64
"""Levels of a value; what is deeper is replaced whole."""

DEEPEST_TEXT: Final = 6
"""Levels of JSON in texts of JSON."""

_TOO_DEEP: Final = "too_deep"


def redact_value(
    value: Any, *, name: str | None = None, counts: Counter[str] | None = None, emails: bool = False
) -> Any:
    """A value without secrets: each is replaced by `[redacted:<kind>]`, and all else stays as it is.

    Secrets are found by the names that they stand under (`password`, `http.request.header.authorization`), by their shapes
    (keys of providers, JSON web tokens, private keys, passwords in URLs, card numbers), and by how random they look. JSON in a text stays JSON.
    Numbers, booleans, `None`, and the ids of traces, spans and sessions stay. Never raises.

    Args:
        value: a text, bytes, a mapping, a list or tuple, or anything else, which stays as it is.
        name: what it stands under, such as the name of an attribute.
        counts: counts what is replaced, by kind.
        emails: replace addresses of e-mail too.

    Example:
        >>> from otel_sessions.redaction import redact_value
        >>> redact_value({"db.password": "hunter2", "model": "gpt-4o", "url": "postgres://app:pw@db/orders", "max_tokens": 5})
        {'db.password': '[redacted:password]', 'model': 'gpt-4o', 'url': 'postgres://app:[redacted:url_password]@db/orders', 'max_tokens': 5}
    """
    return _Redaction(Counter() if counts is None else counts, emails=emails).value(value, name, None, 0, 0)


class _Redaction:
    """One pass over a value."""

    def __init__(self, counts: Counter[str], *, emails: bool) -> None:
        self._counts = counts
        self._emails = emails

    def value(self, value: Any, name: str | None, kind: str | None, level: int, in_text: int) -> Any:
        """A value under a name; `kind` is that of the secret that it is a part of."""
        if isinstance(value, str):
            return self.text(value, name, kind, in_text)
        if isinstance(value, Mapping | list | tuple):
            if level >= DEEPEST:
                self._counts[_TOO_DEEP] += 1
                return placeholder(_TOO_DEEP)
            if isinstance(value, Mapping):
                return {
                    key: self.value(
                        one, key if isinstance(key, str) else None, kind or _kind_of(key), level + 1, in_text
                    )
                    for key, one in value.items()
                }
            redacted = [self.value(one, name, kind or _kind_of(name), level + 1, in_text) for one in value]
            return redacted if isinstance(value, list) else tuple(redacted)
        if isinstance(value, bytes) and value and (kind or _kind_of(name)):
            found = kind or _kind_of(name)
            assert found is not None
            self._counts[found] += 1
            return placeholder(found).encode()
        return value

    def text(self, text: str, name: str | None, kind: str | None, in_text: int) -> str:
        """A text under a name."""
        if not text or (name is not None and is_id(name)):
            return text
        kind = kind or _kind_of(name)
        if kind is not None:
            self._counts[kind] += 1
            return placeholder(kind)
        if in_text < DEEPEST_TEXT and text.lstrip()[:1] in ("{", "["):
            redacted = self._json(text, in_text)
            if redacted is not None:
                return redacted
        return redact_text(text, self._counts, emails=self._emails, by_entropy=name is None or not names_id(name))

    def _json(self, text: str, in_text: int) -> str | None:
        """A text that is JSON; `None` for another."""
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return None
        found: Counter[str] = Counter()
        look = _Redaction(found, emails=self._emails)
        if look.value(inner, None, None, 0, in_text + 1) == inner:
            return text
        if _TOO_DEEP in found:
            self._counts.update(found)
            return json.dumps(look.value(inner, None, None, 0, in_text + 1), ensure_ascii=False)
        return strings_replaced(
            text, lambda part, key, inherited: self.text(part, key, inherited, in_text + 1), _kind_of
        )


def _kind_of(name: object) -> str | None:
    return kind_of_name(name) if isinstance(name, str) else None
