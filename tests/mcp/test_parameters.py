"""Arguments of tools: what their schema says, and how they are read."""

from __future__ import annotations

from otel_sessions.mcp.parameters import Parameter, checked_arguments, schema_of

LIMIT = Parameter("limit", "integer", "How many.", default=20, least=1, greatest=200)
PARAMETERS = (
    LIMIT,
    Parameter("order", "string", "The order.", choices=("desc", "asc")),
    Parameter("id", "string", "Of what.", required=True),
    Parameter("metadata", "object", "Metadata."),
)


def test_the_schema_of_a_tool() -> None:
    """It names kinds, defaults, choices, bounds and what is required, and allows nothing else."""
    assert schema_of(PARAMETERS) == {
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "description": "How many.", "default": 20, "minimum": 1, "maximum": 200},
            "order": {"type": "string", "description": "The order.", "enum": ["desc", "asc"]},
            "id": {"type": "string", "description": "Of what."},
            "metadata": {"type": "object", "description": "Metadata."},
        },
        "required": ["id"],
        "additionalProperties": False,
    }


def test_half_characters_are_read_as_question_marks() -> None:
    """In texts, and in names and values of maps, since no URL can have them."""
    given = {"id": "a\ud800", "metadata": {"n\udfff": "v\ud800", "count": 3}}
    assert checked_arguments(PARAMETERS, given) == {
        "limit": 20,
        "order": None,
        "id": "a?",
        "metadata": {"n?": "v?", "count": 3},
    }
