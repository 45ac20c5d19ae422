"""`ServerPrices`: the prices that were given to a server: which there are, to give one, to take some back, to price again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from otel_sessions.counting.membership import Pair
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.delete import Changing
from otel_sessions.server.projections.given_prices import MOST_PRICES, GivenPrices
from otel_sessions.server.projections.price_changes import GivenPrice
from otel_sessions.server.projections.recomputed_prices import Part, Scope, count_units, recompute
from otel_sessions.server.projections.sessions import SessionRows


class TooManyPricesError(Exception):
    """No more prices can be given."""


class ServerPrices:
    """The prices that were given to a server. Methods block and may be called from any thread."""

    def __init__(
        self,
        store: Store,
        rows: SessionRows,
        pricer: GivenPrices,
        *,
        exclusive: Callable[[], AbstractContextManager[int]],
        changing: Changing,
        settle: Callable[[], object],
        tell: Callable[[frozenset[Pair]], object],
    ) -> None:
        """Work on the prices of a store.

        Args:
            store: where everything is.
            rows: the rows of sessions, to bring them in step.
            pricer: prices calls by what was given.
            exclusive: holds up commits, with a version between earlier and later ones.
            changing: the same, and rows of sessions as well.
            settle: waits for what was acknowledged before.
            tell: tells others which sessions changed.
        """
        self._store = store
        self._rows = rows
        self._pricer = pricer
        self._exclusive = exclusive
        self._changing = changing
        self._settle = settle
        self._tell = tell

    @property
    def pricer(self) -> GivenPrices:
        """Prices calls by the prices of now."""
        return self._pricer

    def in_force(self) -> list[GivenPrice]:
        """The prices in force now, sorted by model, provider and first day."""
        return self._pricer.in_force()

    def give(self, price: GivenPrice) -> GivenPrice:
        """Price what is committed from now on by a given price; when this returns, it survives the death of the process.

        Returns:
            The price; the one that is given already if it is the same.

        Raises:
            TooManyPricesError: no more prices can be given.
            StoreError: the store cannot do it.
        """
        with self._exclusive() as version:
            given = {one.identity: one for one in self._pricer.in_force()}
            stored = given.get(price.identity)
            if stored is not None and stored.is_same(price):
                return stored
            if stored is None and len(given) >= MOST_PRICES:
                raise TooManyPricesError(f"{MOST_PRICES} prices are given already; take some back first")
            self._pricer.change([price], [], version)
        return price

    def take_back(self, wanted: Callable[[GivenPrice], bool]) -> list[GivenPrice]:
        """Take given prices back, for what is committed from now on; return which.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._exclusive() as version:
            gone = [price for price in self._pricer.in_force() if wanted(price)]
            if gone:
                self._pricer.change([], gone, version)
        return gone

    def count_units(self, scope: Scope) -> int:
        """How many traces and cells `recompute` has to look at, of all that was acknowledged before.

        Raises:
            UnsettledError: what was acknowledged before takes too long to be committed.
            StoreError: the store cannot do it.
        """
        self._settle()
        return count_units(self._store, scope)

    def recompute(self, scope: Scope, after: int) -> Part:
        """Price the next part of what is counted already again.

        Args:
            scope: what is priced again.
            after: the greatest id of the part before, 0 for the first part.

        Raises:
            StoreError: the store cannot do it.
        """
        part = recompute(self._store, self._rows, scope, after, changing=self._changing, pricer=self._pricer)
        self._tell(part.sessions)
        return part
