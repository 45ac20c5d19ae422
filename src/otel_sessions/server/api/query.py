"""Questions in SQL, which can change nothing."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from otel_sessions.server.api.dependencies import BackendDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import ApiError, error_responses
from otel_sessions.server.queries.query_check import QueryRefusedError
from otel_sessions.server.queries.read_only import MOST_ROWS, MOST_SECONDS, ROWS, SECONDS, QueryFailedError

QUERIES_AT_ONCE: Final = 2
"""Others wait without a thread."""

LONGEST_BODY: Final = 1 << 20

router: Final = APIRouter(route_class=Endpoint, tags=["query"], responses=error_responses(400, 401, 403, 415, 421, 503))


class Question(BaseModel):
    """A question in SQL."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sql: str = Field(
        description="One statement that reads tables of the store: SELECT, DESCRIBE TABLE, SHOW TABLES, SHOW CREATE TABLE or EXPLAIN.",
        min_length=1,
        examples=["SELECT count() FROM otel_traces"],
    )
    limit: int = Field(default=ROWS, description="How many rows to return at most.", ge=1, le=MOST_ROWS)
    seconds: float = Field(
        default=SECONDS, description="After how many seconds the query is stopped.", gt=0, le=MOST_SECONDS
    )


class Column(BaseModel):
    """A column of an answer."""

    name: str = Field(description="Its name; a name that another column has already gets a number.")
    type: str = Field(description="Its ClickHouse type.", examples=["UInt64"])


class QueryAnswer(BaseModel):
    """The answer to a question in SQL."""

    data: list[dict[str, Any]] = Field(
        description="The rows by column name. Integers of 128 bits and more, decimals, and numbers that JSON does not have are strings."
    )
    columns: list[Column] = Field(description="The columns in their order.")
    truncated: bool = Field(description="True if there are more rows than `limit`.")


async def _queries(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.queries
    return limiter


async def question(request: Request) -> Question:
    """The question in the body of a request.

    Raises:
        ApiError: the body is not such a question.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise ApiError(400, "invalid_body", f"the body has more than {LONGEST_BODY} bytes")
    try:
        return Question.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise ApiError(400, "invalid_body", f"{where[:80]}: {first['msg']}") from None


@router.post(
    "/v1/query",
    operation_id="query",
    summary="Ask in SQL",
    response_model=QueryAnswer,
    response_description="The answer.",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Question.model_json_schema()}}}
    },
)
async def ask(
    backend: BackendDep,
    limiter: Annotated[CapacityLimiter, Depends(_queries)],
    asked: Annotated[Question, Depends(question)],
) -> Response:
    """Run one SQL statement that reads tables of the store, in ClickHouse's dialect. It can change nothing.

    Functions and tables that reach outside of the store's tables are refused, as are settings. A query uses 1 GiB of memory at most, and
    its answer has 64 MiB at most.
    """

    def made() -> Response:
        try:
            found = backend.reader.ask(asked.sql, limit=asked.limit, seconds=asked.seconds)
        except QueryRefusedError as error:
            raise ApiError(400, "query_refused", str(error)) from None
        except QueryFailedError as error:
            raise ApiError(400, "query_failed", str(error)) from None
        names = [name for name, _ in found.columns]
        return answer(
            QueryAnswer(
                data=[dict(zip(names, row, strict=True)) for row in found.rows],
                columns=[Column(name=name, type=kind) for name, kind in found.columns],
                truncated=found.truncated,
            )
        )

    return await to_thread.run_sync(made, limiter=limiter)
