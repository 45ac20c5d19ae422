"""Pages of lists that are counted through: where one starts, and how it is answered."""

from __future__ import annotations

from collections.abc import Sequence

from otel_sessions.server.api.cursors import offset_cursor, read_offset_cursor
from otel_sessions.server.api.models import Item, Page, Pagination
from otel_sessions.server.api.parameters import MOST_SKIPPED


def first_row(cursor: str | None, offset: int, mark: str) -> int:
    """The number of the first row of a page.

    Raises:
        ApiError: for a cursor that is none, or of another list.
    """
    return read_offset_cursor(cursor, mark, most=MOST_SKIPPED) + offset


def page(
    rows: Sequence[Item], *, total: int, limit: int, offset: int, mark: str, after: int | None = None
) -> Page[Item]:
    """A page of a list, with the cursor of the next one if there is one.

    Args:
        rows: the page.
        total: how long the list is.
        limit: how long a page is.
        offset: the number of the first row.
        mark: what tells the list from others.
        after: the number of the row after the page, if that is shorter than it could be.
    """
    after = offset + limit if after is None else after
    more = offset_cursor(after, mark) if after < min(total, MOST_SKIPPED) else None
    return Page(data=list(rows), pagination=Pagination(total=total, limit=limit, offset=offset, next=more))


def page_of_all(rows: Sequence[Item], *, limit: int, offset: int, mark: str) -> Page[Item]:
    """A page of a list that is all there."""
    return page(rows[offset : offset + limit], total=len(rows), limit=limit, offset=offset, mark=mark)
