"""`GivenToSessions`: what people give to sessions: scores, annotations and names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.score import Score
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.ingest.commit_target import ClickHouseTarget
from otel_sessions.server.projections.given_to_sessions import (
    Annotation,
    GivenRecords,
    insert_annotations,
    insert_names,
    unknown_annotations,
    unknown_names,
)
from otel_sessions.server.projections.scores import place_scores
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.trace_facts import facts_of
from otel_sessions.server.queries.given import has_given
from otel_sessions.server.queries.scores import stored_annotation, stored_score_of


class GivenToSessions:
    """Stores what people give to sessions. Methods block and may be called from any thread.

    Attributes:
        may_be_any: false as long as nothing was ever given to a session of the store.
    """

    def __init__(
        self,
        store: Store,
        target: ClickHouseTarget,
        rows: SessionRows,
        *,
        exclusive: Callable[[], AbstractContextManager[int]],
        tell: Callable[[frozenset[Pair]], object],
    ) -> None:
        """Work on a store.

        Args:
            store: where everything is.
            target: the tables as commits need them.
            rows: the rows of sessions, to bring them in step.
            exclusive: holds up commits, with a version between earlier and later ones.
            tell: tells others which sessions changed.
        """
        self._store = store
        self._target = target
        self._rows = rows
        self._exclusive = exclusive
        self._tell = tell
        self.may_be_any = has_given(store)

    def add_score(self, session: Pair, score: Score) -> Score:
        """Store a score on a session, or on a trace or a span of it; when this returns, it survives the death of the process.

        Returns:
            The score; the one that is stored already under its id, if there is one.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._exclusive() as version:
            stored = stored_score_of(self._store, session, score.id)
            if stored is not None:
                return stored
            self._target.has_scores = self.may_be_any = True
            facts = facts_of(self._store, [score.trace_id]) if score.trace_id else {}
            changed = place_scores(self._store, facts, version, [score], posted=True)
        self._tell(changed | {session})
        return score

    def add_annotation(self, session: Pair, annotation: Annotation) -> Annotation:
        """Store an annotation of a session; when this returns, it survives the death of the process.

        Returns:
            The annotation; the one that is stored already under its id, if there is one.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._exclusive() as version:
            stored = stored_annotation(self._store, session, annotation.id)
            if stored is not None:
                return stored
            self.may_be_any = True
            insert_annotations(self._store, [(session, annotation)], version)
        self._tell(frozenset({session}))
        return annotation

    def rename(self, session: Pair, name: str | None) -> None:
        """Give a session a name that comes before those of its spans; `None` takes it back.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._exclusive() as version:
            self.may_be_any = True
            insert_names(self._store, {session: name}, version)
            self._rows.mark_renamed(session, version)
        self._rows.refresh()
        self._tell(frozenset({session}))

    def bring_back(self, given: GivenRecords) -> None:
        """Store what sessions were given before, in this store or another; what is stored already stays as it is.

        Raises:
            StoreError: the store cannot do it.
        """
        with self._exclusive() as version:
            self._target.has_scores = self.may_be_any = True
            facts = facts_of(self._store, sorted({score.trace_id for score in given.scores if score.trace_id}))
            changed = place_scores(self._store, facts, version, given.scores, posted=True)
            annotations = unknown_annotations(self._store, given.annotations)
            insert_annotations(self._store, annotations, version)
            names = unknown_names(self._store, given.names)
            insert_names(self._store, names, version)
            for session in names:
                self._rows.mark_renamed(session, version)
        self._rows.refresh()
        self._tell(frozenset({*changed, *(session for session, _ in annotations), *names}))
