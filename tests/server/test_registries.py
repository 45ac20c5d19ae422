"""A measure and a facet are one entry each: filters, sorting, cohorts, columns and the OpenAPI document follow from it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests import processes
from tests.processes import ROOT

from otel_sessions.counting.facets import FACETS
from otel_sessions.counting.measures import MEASURES

ADDED = """
from types import MappingProxyType

from otel_sessions.counting import facets, measures
from otel_sessions.counting.columns import STRINGS, Column, union_of
from otel_sessions.counting.facets import Facet
from otel_sessions.counting.measures import UINT64, Measure

spans = Measure(
    "span_count",
    "spans",
    "the number of spans",
    UINT64,
    (Column("Spans", UINT64, "span_count", "sum(SpanCount)"),),
    minimum=True,
    quantiles="spans",
)
named = Facet("metadata name", Column("MetadataNames", STRINGS, "metadata_names", union_of("MetadataKeys", 9)))
measures.MEASURES = MappingProxyType({**measures.MEASURES, "spans": spans})
facets.FACETS = MappingProxyType({**facets.FACETS, "metadata_name": named})
facets.COHORTS = MappingProxyType({**facets.COHORTS, "metadata_name": named})
"""

STORED = """
import sys
from pathlib import Path

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from otel_sessions import SessionSpanProcessor, propagate_sessions
from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SessionSpanProcessor())
provider.add_span_processor(SimpleSpanProcessor(exporter))
for session, count, metadata in (("few", 1, {}), ("many", 5, {"plan": "pro"})):
    with propagate_sessions(session, metadata=metadata):
        for _ in range(count):
            provider.get_tracer("t").start_span("s").end()
folder = Path(sys.argv[1])
backend = Backend(Store(StoreSettings(f"chdb://{folder / 'store'}")), folder / "requests")
"""

SENT = """
backend.receive("traces", encode_spans(exporter.get_finished_spans()).SerializeToString())
backend.settle()
assert backend.reader.sessions().total == 2
assert backend.close(60)
"""

ASKED = """
client = TestClient(create_app(backend))


def get(path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


ids = lambda path: [session["id"] for session in get(path)["data"]]
assert ids("/v1/sessions?sort=spans&order=desc") == ["many", "few"]
first = get("/v1/sessions?sort=spans&order=asc&limit=1")["pagination"]["next"]
assert ids(f"/v1/sessions?sort=spans&order=asc&limit=1&cursor={first}") == ["many"]
assert ids("/v1/sessions?min_spans=2") == ["many"]
assert ids("/v1/sessions?metadata_name=plan") == ["many"]
cohorts = {one["value"]: one for one in get("/v1/cohorts?by=metadata_name")["data"]}
assert (cohorts["plan"]["spans_p50"], cohorts[None]["spans_p95"]) == (5, 1)
(parameters,) = [one["get"]["parameters"] for path, one in get("/openapi.json")["paths"].items() if path == "/v1/sessions"]
assert {"min_spans", "metadata_name"} <= {one["name"] for one in parameters}
assert "the number of spans" in str([one for one in parameters if one["name"] == "sort"])
assert backend.close(60)
"""


def run(folder: Path, *parts: str) -> None:
    """Run the parts of a script in a process of its own, since registries are read when modules are imported."""
    done = processes.run(sys.executable, "-c", "\n".join(parts), folder)
    assert done.returncode == 0, done.stderr


def test_a_new_measure_and_a_new_facet_are_an_entry_each(tmp_path: Path) -> None:
    """A new measure and a new facet work on a store that was filled before, since the next start adds their columns and writes the rows."""
    run(tmp_path, STORED, SENT)
    run(tmp_path, ADDED, STORED, ASKED)


def test_the_documentation_has_every_measure_and_facet() -> None:
    """The tables of the page about REST are those of the registries."""
    page = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")
    measures = [
        f"| `{name}` | {one.unit} | {one.about} | {f'`min_{name}`' if one.minimum else ''} | "
        f"{f'`{one.quantiles}_p50`, `{one.quantiles}_p95`' if one.quantiles else ''} |\n"
        for name, one in MEASURES.items()
    ]
    facets = [f"| `{name}` | {one.about} | `{one.cohort or name}` |\n" for name, one in FACETS.items()]
    assert "".join(measures) in page
    assert "".join(facets) in page
