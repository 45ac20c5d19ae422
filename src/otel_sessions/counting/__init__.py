"""Tokens, cost and failures of traces and sessions: pure functions of the facts of spans."""
