"""Sessions over time."""

from __future__ import annotations

from typing import Annotated, Final, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from otel_sessions.money import shown_money
from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import error_responses
from otel_sessions.server.api.models import CostExact, Money, Time
from otel_sessions.server.api.parameters import Filters
from otel_sessions.server.queries.histogram import MOST_BUCKETS
from otel_sessions.server.queries.histogram import Bucket as StoredBucket
from otel_sessions.timestamps import format_time

BUCKETS: Final = 60

router: Final = APIRouter(route_class=Endpoint, tags=["sessions"], responses=error_responses(400, 401, 421, 503))


class Bucket(BaseModel):
    """The sessions that were last active in a time."""

    start: Time = Field(description="Where the bucket begins, inclusive.")
    end: Time = Field(description="Where the bucket ends, exclusive: the start of the next one.")
    session_count: int = Field(description="The number of sessions.")
    failed_session_count: int = Field(description="The number of sessions with a failed trace.")
    total_cost: Money | None = Field(
        description="Cost in USD of the calls whose cost is known; null if it is known for none."
    )
    cost_exact: CostExact
    total_tokens: int | None = Field(description="Input and output tokens; null if no call reported any.")

    @classmethod
    def of(cls, bucket: StoredBucket) -> Self:
        """The bucket as the store has counted it."""
        return cls(
            start=format_time(bucket.start),
            end=format_time(bucket.end),
            session_count=bucket.sessions,
            failed_session_count=bucket.failed,
            total_cost=None if bucket.cost is None else shown_money(bucket.cost),
            cost_exact=bucket.cost_exact,
            total_tokens=bucket.tokens,
        )


class Histogram(BaseModel):
    """Sessions over time."""

    data: list[Bucket] = Field(description="The buckets in the order of time, also those without sessions.")


@router.get(
    "/v1/histogram",
    operation_id="getHistogram",
    summary="Count sessions over time",
    response_model=Histogram,
    response_description="The buckets.",
)
def get(
    reader: ReaderDep,
    filters: Filters,
    buckets: Annotated[
        int,
        Query(
            description="How many buckets at most; there are fewer where the time is too short.", ge=1, le=MOST_BUCKETS
        ),
    ] = BUCKETS,
) -> Response:
    """Count the sessions that the list has for the same filters, each in the bucket of its last activity.

    The buckets go from `since` to `until`; by default from the first of these activities to the last. Sessions that were still active
    after `until` are in the last bucket. The buckets add up to the list, and a list from the start of a bucket on, without `until`, has the
    sessions of this bucket and of those after it.
    """
    return answer(Histogram(data=[Bucket.of(bucket) for bucket in reader.histogram(filters, buckets=buckets)]))
