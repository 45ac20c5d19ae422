"""Prices: those that were given, what models cost, and pricing again what is counted already."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.prices.price_entries import plain_provider
from otel_sessions.counting.prices.rates_of_model import rates_of
from otel_sessions.rules import MAX_NAME_LENGTH
from otel_sessions.server.api.bodies import body_of, read_body
from otel_sessions.server.api.cursors import list_mark, price_cursor, read_price_cursor
from otel_sessions.server.api.dependencies import BackendDep, ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import ApiError, error_responses
from otel_sessions.server.api.models import One, Page
from otel_sessions.server.api.named_sessions import SessionRef, no_such
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import Key, moment, time_parameter
from otel_sessions.server.api.price_models import ModelPrice, Price, PriceIn, PricesRemoved, Recomputed, RecomputeIn
from otel_sessions.server.backend import Backend
from otel_sessions.server.prices import TooManyPricesError
from otel_sessions.server.projections.price_changes import GivenPrice
from otel_sessions.server.projections.recomputed_prices import KeyCosts, Scope, added
from otel_sessions.server.queries.used_models import UsedModel
from otel_sessions.timestamps import parse_time

PRICES_A_PAGE: Final = 100
RECOMPUTE_SECONDS: Final = 2.0
"""After how long a request of `POST /v1/prices/recompute` returns, and says how to go on."""

router: Final = APIRouter(route_class=Endpoint, tags=["prices"], responses=error_responses(400, 401, 421, 503))
_WRITING: Final = error_responses(403, 408, 413, 415)

ModelName = Annotated[
    str | None, Query(description="Only this model, in any case.", min_length=1, max_length=MAX_NAME_LENGTH)
]
ProviderName = Annotated[
    str | None, Query(description="Only prices of this provider.", min_length=1, max_length=MAX_NAME_LENGTH)
]


@router.get(
    "/v1/prices",
    operation_id="listPrices",
    summary="List the given prices",
    response_model=Page[Price],
    response_description="A page of the prices that were given.",
)
def list_prices(
    backend: BackendDep, query: Annotated[PageQuery, Depends(page_query(PRICES_A_PAGE))], *, model: ModelName = None
) -> Response:
    """List the prices that were given to this server, by model. They come before those of the prices file and the public ones."""
    page = query.counted("prices", model)
    return answer(page.cut_from([Price.of(one) for one in backend.prices.in_force() if _is_of(one, model)]))


@router.put(
    "/v1/prices",
    operation_id="givePrice",
    summary="Give a price",
    response_model=One[Price],
    response_description="The price.",
    responses=_WRITING | error_responses(409),
    openapi_extra=body_of(PriceIn),
)
async def give_price(request: Request, backend: BackendDep) -> Response:
    """Give a model a price, which counts for calls that are stored from now on; nothing that is counted already changes.

    It replaces a price of the same model, provider and days. Of several that cover a call, the most specific one counts: whole names before
    beginnings, prices of a provider before those of any, then the one that starts last, then the one that ends first.
    """
    price = (await read_body(request, PriceIn)).given()

    def given() -> Response:
        try:
            return answer(One[Price](data=Price.of(backend.prices.give(price))))
        except TooManyPricesError as error:
            raise ApiError(409, "too_many_prices", str(error)) from None

    return await to_thread.run_sync(given)


@router.delete(
    "/v1/prices",
    operation_id="takeBackPrices",
    summary="Take prices back",
    response_model=One[PricesRemoved],
    response_description="What was taken back.",
    responses=error_responses(403),
)
def take_back(
    backend: BackendDep,
    model: Annotated[
        str, Query(description="The model as it was given, in any case.", min_length=1, max_length=MAX_NAME_LENGTH)
    ],
    *,
    provider: ProviderName = None,
    first_day: Annotated[
        str | None, Query(alias="from", description="Only the price with this first day.", max_length=10)
    ] = None,
) -> Response:
    """Take back the given prices of a model, for calls that are stored from now on; nothing that is counted already changes."""

    def wanted(price: GivenPrice) -> bool:
        return (
            _is_of(price, model)
            and (provider is None or (price.provider is not None and _same_provider(price.provider, provider)))
            and (first_day is None or str(price.first_day) == first_day)
        )

    return answer(One[PricesRemoved](data=PricesRemoved(prices=list(map(Price.of, backend.prices.take_back(wanted))))))


@router.get(
    "/v1/prices/models",
    operation_id="listModelPrices",
    summary="List what models cost",
    response_model=Page[ModelPrice],
    response_description="A page of the models in the sessions of a key.",
)
def list_models(
    backend: BackendDep,
    reader: ReaderDep,
    query: Annotated[PageQuery, Depends(page_query(PRICES_A_PAGE))],
    *,
    key: Key = ID_KEY,
    since: Annotated[str | None, time_parameter("Only traces that went on at or after this time.")] = None,
    model: ModelName = None,
    provider: ProviderName = None,
) -> Response:
    """List the models of the calls in the sessions of a key, those with the most calls without a known cost first, with their prices.

    With `model`, a model without calls is in the list as well.
    """
    page = query.counted("models", key, since, model, provider)
    found = [
        used
        for used in reader.used_models(key, since=_from(moment("since", since)))
        if (model is None or (used.model or "").lower() == model.lower())
        and (provider is None or (used.provider is not None and _same_provider(used.provider, provider)))
    ]
    if model is not None and not found:
        found = [UsedModel(provider, model, 0, 0, 0, [])]
    now = time.time_ns()
    shown = [_with_prices(backend, used, now) for used in found[page.offset : page.offset + page.limit]]
    return answer(page.of(shown, total=len(found)))


@router.post(
    "/v1/prices/recompute",
    operation_id="recomputePrices",
    summary="Price again",
    response_model=One[Recomputed],
    response_description="What was priced again, and how to go on.",
    responses=_WRITING | error_responses(404),
    openapi_extra=body_of(RecomputeIn),
)
async def recompute(request: Request, backend: BackendDep) -> Response:
    """Price calls that are counted already again, by the prices of now; costs that calls report stay.

    A request works for about two seconds and says with `next` how to go on. In between, everything else goes on. What was priced again
    stays so if the rest is not; asked again from the start, it comes to the same.
    """
    given = await read_body(request, RecomputeIn)
    scope = _scope(given)
    position = read_price_cursor(given.cursor, list_mark("recompute", *scope))

    def recomputed() -> Response:
        if scope.session is not None and not backend.reader.exists(scope.session[1], key=scope.session[0]):
            raise no_such(SessionRef(*scope.session))
        return answer(One[Recomputed](data=_recompute(backend, scope, position)))

    return await to_thread.run_sync(recomputed)


def _recompute(backend: Backend, scope: Scope, position: tuple[int, int, int] | None) -> Recomputed:
    prices = backend.prices
    after, before, total = position or (0, 0, prices.count_units(scope))
    end = time.monotonic() + RECOMPUTE_SECONDS
    costs: Mapping[str, KeyCosts] = {}
    units = changed = 0
    last: int | None = after
    while last is not None and (not units or time.monotonic() < end):
        part = prices.recompute(scope, last)
        last = part.last
        units += part.units
        changed += part.changed
        costs = added(costs, part.costs)
    done = before + units
    following = None if last is None else price_cursor((last, done, total), list_mark("recompute", *scope))
    return Recomputed.of(costs, units=units, changed=changed, done=done, total=total, following=following)


def _scope(given: RecomputeIn) -> Scope:
    if given.session is None and given.key is not None:
        raise ApiError(400, "invalid_body", "key: names the key of a session; give session as well")
    since = None if given.since is None else parse_time(given.since)
    if given.since is not None and since is None:
        raise ApiError(400, "invalid_body", "since: give a time such as 2026-11-20T12:00:00Z, or a date")
    return Scope(None if given.session is None else (given.key or ID_KEY, given.session), _from(since))


def _from(since: int | None) -> int:
    """A time as the store has it: none is before 1970, or after what 64 bits hold."""
    return min(max(since or 0, 0), (1 << 64) - 1)


def _with_prices(backend: Backend, used: UsedModel, now: int) -> ModelPrice:
    if used.model is None:
        return ModelPrice.of(used, None)
    return ModelPrice.of(used, rates_of(backend.prices.pricer, provider=used.provider, model=used.model, at=now))


def _is_of(price: GivenPrice, model: str | None) -> bool:
    return model is None or price.identity[0] == model.strip().lower()


def _same_provider(one: str, other: str) -> bool:
    return plain_provider(one) == plain_provider(other)
