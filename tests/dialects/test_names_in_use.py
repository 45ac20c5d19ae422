"""A benchmark of names: what SDKs write on one call, and the right reading, from their sources and documentation.

Each file in `names/` has samples: the emitter, the source that tells what its names mean, the attributes of a span, and the
reading. A sample for a new name is all that a new name needs here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.exporting import finished

from otel_sessions import SessionExporter
from otel_sessions.dialects.read import read_attributes

SAMPLES: list[dict[str, Any]] = [
    sample
    for path in sorted((Path(__file__).parent / "names").glob("*.json"))
    for sample in json.loads(path.read_text())
]
IDS = [f"{sample['emitter']} {number}" for number, sample in enumerate(SAMPLES)]

COUNTED = ("input", "output", "cache_read", "cache_write", "reasoning")
"""Parts of a reading that a session shows; one that a sample does not name is unknown."""

NAMED = ("model", "provider", "session", "user")


def attributes(sample: dict[str, Any]) -> dict[str, Any]:
    """The attributes of the span; objects are written as JSON, unless the sample has their text."""
    return {
        name: json.dumps(value) if isinstance(value, dict) else value for name, value in sample["attributes"].items()
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_session_shows_the_right_reading(sample: dict[str, Any]) -> None:
    """The tokens, the model, the provider, the session and the user of one call are those that its emitter means."""
    written, reading = attributes(sample), sample["reading"]
    exporter = SessionExporter(InMemorySpanExporter())
    session = reading.get("session", "s")
    if "session" not in reading:
        written["session.id"] = session
    exporter.export([finished(attributes=written, scope=sample.get("scope", "app"))])
    rollup = exporter.session(session)
    assert rollup is not None
    (call,) = rollup.models
    found = {part: getattr(rollup, part + "_tokens") for part in COUNTED}
    found |= {"model": call.model, "provider": call.provider, "session": rollup.id}
    found["user"] = rollup.user_ids[0] if rollup.user_ids else None
    assert rollup.call_count == 1
    assert {part: found[part] for part in COUNTED} == {part: reading.get(part) for part in COUNTED}
    assert {part: found[part] for part in NAMED if part in reading} == {
        part: reading[part] for part in NAMED if part in reading
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_each_part_is_read_under_its_own_name(sample: dict[str, Any]) -> None:
    """Parts and conditions of the price that a session does not show are read as well."""
    read = read_attributes(attributes(sample), sample.get("scope", "app"))
    found: dict[str, Any] = dict(read.fields)
    for _, tokens in sorted((read.tokens or {}).items(), reverse=True):
        found |= {name: count for name, count in tokens.items() if name not in COUNTED}
    expected = {part: value for part, value in sample["reading"].items() if part not in (*COUNTED, *NAMED)}
    assert {part: found.get(part) for part in expected} == expected


def test_there_are_many_samples() -> None:
    """No file is left out, each sample names its source, and every emitter has one."""
    assert len(SAMPLES) >= 80
    assert all(sample["source"] and sample["emitter"] for sample in SAMPLES)
