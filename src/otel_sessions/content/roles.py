"""The four roles, and the words that programs have for them."""

from __future__ import annotations

from typing import Any, Final

from otel_sessions.content.message import ASSISTANT, SYSTEM, TOOL, USER

SYNONYMS: Final = {
    **dict.fromkeys((SYSTEM, "developer", "instructions", "critic", "context"), SYSTEM),
    **dict.fromkeys((USER, "human", "customer", "end_user", "generic"), USER),
    **dict.fromkeys((ASSISTANT, "ai", "model", "bot", "chatbot", "agent", "chat", "tool-call", "tool_call"), ASSISTANT),
    **dict.fromkeys(
        (TOOL, "function", "tool-response", "tool_response", "observation", "ipython", "environment"), TOOL
    ),
}

_STEMS: Final = (
    *(("tool", TOOL), ("function", TOOL), ("assistant", ASSISTANT), ("agent", ASSISTANT), ("model", ASSISTANT)),
    *(("system", SYSTEM), ("developer", SYSTEM), ("user", USER), ("human", USER)),
)
"""What tells an unknown word if it is a part of it."""

_ENDINGS: Final = ("messagechunk", "message")
"""LangChain's names of classes, such as `HumanMessage`."""


def role_of(word: Any, default: str) -> str:
    """The role that a word means; the default for a word that tells none."""
    if not isinstance(word, str):
        return default
    if word in SYNONYMS:
        return SYNONYMS[word]
    known = word[:64].lower().rpartition(".")[2]
    for ending in _ENDINGS:
        known = known.removesuffix(ending)
    return SYNONYMS.get(known) or next((role for stem, role in _STEMS if stem in known), default)
