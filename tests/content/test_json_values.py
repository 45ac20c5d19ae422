"""Values of any type as strict JSON carries them."""

from __future__ import annotations

from types import MappingProxyType

from otel_sessions.content.json_values import clean


class Named(str):
    """A text of a class of its own."""

    __slots__ = ()


def test_types_of_others() -> None:
    """Texts, mappings and sequences of other classes become those of JSON, with what they hold."""
    cleaned = clean(MappingProxyType({"a": (Named("b\ud800"), 1), 2: MappingProxyType({"c": float("inf")})}))
    assert cleaned == {"a": ["b\ufffd", 1], "2": {"c": "inf"}}
