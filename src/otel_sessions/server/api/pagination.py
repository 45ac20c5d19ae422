"""Pages of lists: which page a request asks for, and the page that it gets."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from otel_sessions.server.api.cursors import list_mark, offset_cursor, read_offset_cursor
from otel_sessions.server.api.models import Item, Page, Pagination
from otel_sessions.server.api.parameters import MAX_OFFSET, Limit, Offset, PageCursor


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The page that a request asks for, by the parameters `limit`, `offset` and `cursor`."""

    limit: int
    offset: int = 0
    cursor: str | None = None

    def counted(self, *identity: Any) -> CountedPage:
        """The same page of a list whose items are counted from the start; `identity` tells the list from all others.

        Raises:
            ApiError: the cursor is not valid, or of another list.
        """
        mark = list_mark(*identity)
        return CountedPage(self.limit, read_offset_cursor(self.cursor, mark, most=MAX_OFFSET) + self.offset, mark)


@dataclass(frozen=True, slots=True)
class CountedPage:
    """A page of a list whose items are counted from the start.

    Attributes:
        limit: how many items the page has at most.
        offset: how many items come before the page.
        mark: tells the list from all others.
    """

    limit: int
    offset: int
    mark: str

    def of(self, items: Iterable[Item], *, total: int, next_offset: int | None = None) -> Page[Item]:
        """The page, with the cursor of the next one if there is one.

        Args:
            items: of this page.
            total: how many items the list has.
            next_offset: how many items come before the next page, if this one is shorter than its limit.
        """
        after = self.offset + self.limit if next_offset is None else next_offset
        cursor = offset_cursor(after, self.mark) if after < min(total, MAX_OFFSET) else None
        return Page(
            data=list(items), pagination=Pagination(total=total, limit=self.limit, offset=self.offset, next=cursor)
        )

    def cut_from(self, items: Sequence[Item]) -> Page[Item]:
        """The page of a list whose items are all given."""
        return self.of(items[self.offset : self.offset + self.limit], total=len(items))


def page_query(default_limit: int) -> Callable[..., Coroutine[Any, Any, PageQuery]]:
    """A dependency that reads the page that a request asks for."""

    async def read(limit: Limit = default_limit, offset: Offset = 0, cursor: PageCursor = None) -> PageQuery:
        return PageQuery(limit, offset, cursor)

    return read
