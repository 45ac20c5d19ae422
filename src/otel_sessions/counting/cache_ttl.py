"""`cache_ttl`: how long a provider keeps a prompt in its cache after the last use, where it documents that."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from otel_sessions.counting.model_names import plain_name
from otel_sessions.counting.prices.aliases import LOCAL, provider_id

FIVE_MINUTES: Final = 5 * 60 * 1_000_000_000
ONE_HOUR: Final = 60 * 60 * 1_000_000_000


class CacheTtl(NamedTuple):
    """The time to live of the entries of a cache.

    Attributes:
        default: nanoseconds, if the request asks for no other time.
        may_be_an_hour: a request can ask for an hour.
    """

    default: int
    may_be_an_hour: bool


_DOCUMENTED: Final = (
    ("claude-", CacheTtl(FIVE_MINUTES, may_be_an_hour=True)),
    ("nova-", CacheTtl(FIVE_MINUTES, may_be_an_hour=False)),
)
"""Beginnings of names of models, and the time to live of their caches.

https://docs.claude.com/en/docs/build-with-claude/prompt-caching and https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html:
the time of an entry starts again with each use. Other providers cache on their own and promise no fixed time, or let the client choose one.
"""


@lru_cache(maxsize=4_096)
def cache_ttl(provider: str | None, model: str | None) -> CacheTtl | None:
    """The time to live of the caches of a model; `None` if none is documented.

    Args:
        provider: the provider, as spans name it.
        model: the model, as spans name it.
    """
    if model is None or provider_id(provider) in LOCAL:
        return None
    plain = plain_name(model)
    return next((lasts for start, lasts in _DOCUMENTED if plain.startswith(start)), None)
