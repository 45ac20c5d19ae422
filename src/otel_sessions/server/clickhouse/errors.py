"""`StoreError` and its kinds: what went wrong with the store. Imports nothing, so that commands start fast."""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked; the message names the next step."""


class StoreAwayError(StoreError):
    """The store cannot be reached or written now; the same may work later."""


class StoreLockedError(StoreError):
    """Another process works on the store's folder."""


class NewerSchemaError(StoreError):
    """The database was written by a newer version of this program."""
