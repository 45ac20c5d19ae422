"""What sessions were given before, brought back from a file: scores, annotations and names."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.score import Score
from otel_sessions.rules import DEFAULT_LIMITS
from otel_sessions.server.api.bodies import body_of, read_body
from otel_sessions.server.api.dependencies import BackendDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import error_responses
from otel_sessions.server.api.given_models import AnnotationIn, ScoreIn
from otel_sessions.server.api.models import One
from otel_sessions.server.exporting.kinds import KIND
from otel_sessions.server.projections.given_to_sessions import Annotation, GivenRecords
from otel_sessions.timestamps import parse_time

MOST_RECORDS: Final = 1_000

router: Final = APIRouter(
    route_class=Endpoint, tags=["export"], responses=error_responses(400, 401, 403, 408, 413, 415, 421, 503)
)

_SessionKey = Annotated[
    str, Field(description="The session key.", min_length=1, max_length=DEFAULT_LIMITS.key_length, examples=[ID_KEY])
]
_SessionId = Annotated[
    str, Field(description="The id of the session.", min_length=1, max_length=DEFAULT_LIMITS.text_length)
]
_Id = Annotated[str, Field(description="Its id, 32 hexadecimal digits.", pattern=r"^[0-9a-fA-F]{32}$")]


class ScoreRecord(ScoreIn):
    """A score of a session."""

    record: Annotated[Literal["score"], Field(alias=KIND, description="What the line is.")]
    session_key: _SessionKey
    session_id: _SessionId
    id: _Id


class AnnotationRecord(AnnotationIn):
    """A remark on a session."""

    record: Annotated[Literal["annotation"], Field(alias=KIND, description="What the line is.")]
    session_key: _SessionKey
    session_id: _SessionId
    id: _Id


class NameRecord(BaseModel):
    """The name that a session was given."""

    model_config = ConfigDict(extra="forbid")

    record: Annotated[Literal["name"], Field(alias=KIND, description="What the line is.")]
    session_key: _SessionKey
    session_id: _SessionId
    name: Annotated[str, Field(description="The name.", min_length=1, max_length=DEFAULT_LIMITS.text_length)]


_Record = Annotated[ScoreRecord | AnnotationRecord | NameRecord, Field(discriminator="record")]


class GivenIn(BaseModel):
    """Lines of an export."""

    model_config = ConfigDict(extra="forbid")

    records: Annotated[
        list[_Record],
        Field(
            description="The lines of an export as JSON lines that are scores, annotations and names.",
            max_length=MOST_RECORDS,
        ),
    ]


class Brought(BaseModel):
    """What was brought back."""

    records: int = Field(description="How many records are stored now, whether they were before or not.")


@router.post(
    "/v1/given",
    operation_id="bringBackGiven",
    summary="Bring back what sessions were given",
    response_model=One[Brought],
    response_description="All of them are stored.",
    openapi_extra=body_of(GivenIn),
)
async def bring_back(request: Request, backend: BackendDep) -> Response:
    """Store scores, annotations and names from an export, under the ids that they have there.

    What is stored already stays as it is, and so does the name of a session that was given one. The spans of the sessions may come later.
    """
    body = await read_body(request, GivenIn)
    given, number = _stored(body), len(body.records)

    def brought() -> Response:
        with backend.reader.answering():
            backend.settle()
            backend.given.bring_back(given)
        return answer(One[Brought](data=Brought(records=number)))

    return await to_thread.run_sync(brought)


def _stored(given: GivenIn) -> GivenRecords:
    found = GivenRecords([], [], {})
    for one in given.records:
        session: Pair = (one.session_key, one.session_id)
        if isinstance(one, ScoreRecord):
            found.scores.append(
                Score(
                    int(one.id, 16),
                    one.name,
                    one.value,
                    one.label,
                    one.comment or None,
                    one.source,
                    **_on(one),
                    given=(session,),
                )
            )
        elif isinstance(one, AnnotationRecord):
            found.annotations.append((session, Annotation(int(one.id, 16), one.text, **_on(one))))
        else:
            found.names[session] = one.name
    return found


def _on(one: ScoreRecord | AnnotationRecord) -> dict[str, Any]:
    return {
        "time": parse_time(one.time or "") or 0,
        "trace_id": int(one.trace_id or "0", 16),
        "span_id": int(one.span_id or "0", 16),
        "author": one.author or None,
    }
