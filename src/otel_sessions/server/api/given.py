"""What people give to sessions: scores and annotations, which are only added to, and names."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar
from uuid import uuid4

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import Response

from otel_sessions.counting.score import Score as StoredScore
from otel_sessions.counting.score import identified
from otel_sessions.server.api.bodies import body_of, read_body
from otel_sessions.server.api.dependencies import BackendDep, ReaderDep
from otel_sessions.server.api.endpoints import SessionEndpoint, answer
from otel_sessions.server.api.errors import ApiError, error_responses
from otel_sessions.server.api.given_models import LONGEST_LINE, Annotation, AnnotationIn, Renaming, Score, ScoreIn
from otel_sessions.server.api.models import One, Page, Session
from otel_sessions.server.api.named_sessions import NamedSession, SessionRef, no_such
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.session_paths import SESSION
from otel_sessions.server.backend import Backend
from otel_sessions.server.projections.given_to_sessions import Annotation as StoredAnnotation
from otel_sessions.timestamps import parse_time

SCORES_A_PAGE: Final = 100
ANNOTATIONS_A_PAGE: Final = 100

router: Final = APIRouter(
    route_class=SessionEndpoint, tags=["scores"], responses=error_responses(400, 401, 404, 421, 503)
)
_WRITING: Final = error_responses(403, 408, 409, 413, 415)

IdempotencyKey = Annotated[
    str | None,
    Header(description="The same as `id` in the body.", json_schema_extra={"minLength": 1, "maxLength": LONGEST_LINE}),
]
_T = TypeVar("_T")


@router.get(
    f"{SESSION}/scores",
    operation_id="listScoresOfSession",
    summary="List a session's scores",
    response_model=Page[Score],
    response_description="A page of the session's scores.",
)
def list_scores(
    reader: ReaderDep, session: NamedSession, query: Annotated[PageQuery, Depends(page_query(SCORES_A_PAGE))]
) -> Response:
    """List the scores on a session, on its traces and on their spans, in the order of their times."""
    page = query.counted("scores", *session)
    found = reader.scores(session.id, key=session.key, limit=page.limit, offset=page.offset)
    if not found.total and not reader.exists(session.id, key=session.key):
        raise no_such(session)
    return answer(page.of(map(Score.of, found.scores), total=found.total))


@router.post(
    f"{SESSION}/scores",
    operation_id="addScore",
    summary="Score a session",
    status_code=201,
    response_model=One[Score],
    response_description="The score.",
    responses=_WRITING,
    openapi_extra=body_of(ScoreIn),
)
async def add_score(
    request: Request, backend: BackendDep, session: NamedSession, idempotency_key: IdempotencyKey = None
) -> Response:
    """Add a score to a session, or to a trace or a span of it.

    Scores are never changed: of several of one name on one session the last one counts in lists, and all count in means.
    """
    given = await read_body(request, ScoreIn)
    key = _key_of(given.id, idempotency_key)
    score = identified(
        StoredScore(
            0,
            given.name,
            given.value,
            given.label,
            given.comment or None,
            given.source,
            _time(given.time),
            int(given.trace_id or "0", 16),
            int(given.span_id or "0", 16),
            given.author or None,
            (session,),
        ),
        key or uuid4().hex,
    )

    def added() -> Response:
        stored = _in_session(backend, session, lambda: backend.given.add_score((session.key, session.id), score))
        if stored._replace(time=score.time) != score and key is not None:
            raise _conflict()
        return _created(One[Score](data=Score.of(stored)))

    return await to_thread.run_sync(added)


@router.get(
    f"{SESSION}/annotations",
    operation_id="listAnnotationsOfSession",
    summary="List a session's annotations",
    response_model=Page[Annotation],
    response_description="A page of the session's annotations.",
)
def list_annotations(
    reader: ReaderDep, session: NamedSession, query: Annotated[PageQuery, Depends(page_query(ANNOTATIONS_A_PAGE))]
) -> Response:
    """List the annotations of a session, in the order of their times."""
    page = query.counted("annotations", *session)
    found = reader.annotations(session.id, key=session.key, limit=page.limit, offset=page.offset)
    if not found.total and not reader.exists(session.id, key=session.key):
        raise no_such(session)
    return answer(page.of(map(Annotation.of, found.annotations), total=found.total))


@router.post(
    f"{SESSION}/annotations",
    operation_id="addAnnotation",
    summary="Annotate a session",
    status_code=201,
    response_model=One[Annotation],
    response_description="The annotation.",
    responses=_WRITING,
    openapi_extra=body_of(AnnotationIn),
)
async def add_annotation(
    request: Request, backend: BackendDep, session: NamedSession, idempotency_key: IdempotencyKey = None
) -> Response:
    """Add a remark to a session, or to a trace or a span of it. Annotations are never changed."""
    given = await read_body(request, AnnotationIn)
    key = _key_of(given.id, idempotency_key)
    annotation = StoredAnnotation(
        identified(StoredScore(0, "", None, None, None, "", 0, given=(session,)), key or uuid4().hex).id,
        given.text,
        _time(given.time),
        int(given.trace_id or "0", 16),
        int(given.span_id or "0", 16),
        given.author or None,
    )

    def added() -> Response:
        stored = _in_session(
            backend, session, lambda: backend.given.add_annotation((session.key, session.id), annotation)
        )
        if stored._replace(time=annotation.time) != annotation and key is not None:
            raise _conflict()
        return _created(One[Annotation](data=Annotation.of(stored)))

    return await to_thread.run_sync(added)


@router.patch(
    SESSION,
    operation_id="renameSession",
    summary="Rename a session",
    response_model=One[Session],
    response_description="The session under its name.",
    responses=_WRITING,
    openapi_extra=body_of(Renaming),
)
async def rename(request: Request, backend: BackendDep, session: NamedSession) -> Response:
    """Give a session a name, which comes before those that spans give; null takes it back."""
    given = await read_body(request, Renaming)

    def renamed() -> Response:
        _in_session(backend, session, lambda: backend.given.rename((session.key, session.id), given.name or None))
        found = backend.reader.session(session.id, key=session.key)
        if found is None:
            raise no_such(session)
        return answer(One[Session](data=Session.of(found)))

    return await to_thread.run_sync(renamed)


def _in_session(backend: Backend, session: SessionRef, change: Callable[[], _T]) -> _T:
    """Make a change of a session that exists."""
    with backend.reader.answering():
        if not backend.reader.exists(session.id, key=session.key):
            raise no_such(session)
        return change()


def _key_of(body: str | None, header: str | None) -> str | None:
    if header is not None and not 0 < len(header) <= LONGEST_LINE:
        raise ApiError(400, "invalid_body", f"the header Idempotency-Key has 1 to {LONGEST_LINE} characters")
    if body is not None and header is not None and body != header:
        raise ApiError(400, "invalid_body", "id and the header Idempotency-Key differ; give one of them")
    return body or header


def _conflict() -> ApiError:
    return ApiError(
        409, "conflict", "something else was added to this session under the same id or Idempotency-Key; choose another"
    )


def _time(text: str | None) -> int:
    return time.time_ns() if text is None else parse_time(text) or 0


def _created(body: Any) -> Response:
    response = answer(body)
    response.status_code = 201
    return response
