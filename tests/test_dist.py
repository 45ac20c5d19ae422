"""What people install: a compiled wheel, the pure wheel, and the source distribution."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest
from benchmarks.requests import Requests
from benchmarks.spans import BATCH
from tests import processes
from tools.build_dist import COMPILED, ROOT, VERSIONS, Dist, build, find_interpreter, has_c_compiler

SECONDS = 300
REQUEST = Requests().make(1)

ALONE = """
import importlib.metadata, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions

exporter = SessionExporter()
provider = TracerProvider()
provider.add_span_processor(SessionSpanProcessor())
provider.add_span_processor(SimpleSpanProcessor(exporter))
with propagate_sessions("ticket-2611", user_id="user-a"):
    with provider.get_tracer("app").start_as_current_span("answer") as span:
        pass
assert span.attributes == {"session.id": "ticket-2611", "user.id": "user-a"}, span.attributes
session = exporter.session("ticket-2611")
assert (session.trace_count, session.total_cost) == (1, None)
optional = {"genai_prices", "grpc", "requests", "fastapi", "pydantic", "yaml"} & set(sys.modules)
assert not optional, optional
print(sorted(dist.name for dist in importlib.metadata.distributions() if dist.name.startswith(("otel", "opentelemetry"))))
"""

ANSWER = """
import json, sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import otel_sessions
from otel_sessions import default_pricer
from otel_sessions.counting.trace import roll_up
from otel_sessions.server.otlp.decode import read_payload
from otel_sessions.server.signals import TRACES

assert Path(otel_sessions.__file__).is_relative_to(sys.prefix), otel_sessions.__file__
batch = read_payload(TRACES, Path(sys.argv[1]).read_bytes())
traces = defaultdict(list)
for trace_id, facts in zip(batch.trace_ids, batch.facts):
    traces[trace_id].append(facts)
pricer = default_pricer()
files = [import_module(name).__file__ for name in sys.argv[2:]]
package = Path(otel_sessions.__file__).parent
print(json.dumps({
    "suffixes": sorted({Path(file).suffix for file in files}),
    "extensions": sorted(str(file.relative_to(package.parent)) for file in package.rglob("*.so")),
    "rows": [row.hex() for row in batch.rows],
    "groups": [repr(roll_up(trace_id, spans, pricer=pricer)) for trace_id, spans in sorted(traces.items())],
}))
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Dist:
    """Everything that is uploaded, built from this tree; a compiled wheel for this Python if there is a C compiler."""
    return build(tmp_path_factory.mktemp("dist"), [sys.executable] if has_c_compiler() else [])


@pytest.fixture(scope="module")
def compiled(dist: Dist) -> Path:
    """The compiled wheel."""
    if not dist.compiled:
        pytest.skip("no C compiler (cc) on this machine, so there is no compiled wheel to test")
    return dist.compiled[0]


def run(*command: str | Path, **more: Any) -> str:
    """Run a command; return its stdout."""
    ran = processes.run(*command, timeout=SECONDS, **more)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def answers(file: Path, folder: Path) -> Any:
    """What a program answers that runs in an environment with a built file, beside the dependencies of these tests."""
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env")
    python = folder / "env" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", file, env={**os.environ, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")})
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    # Packages only: files `*.pth` in a folder that is added this way do not count, so no editable installation does.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    request = folder / "request"
    request.write_bytes(REQUEST)
    modules = [source.removeprefix("src/").removesuffix(".py").replace("/", ".") for source in COMPILED]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return json.loads(run(python, "-c", ANSWER, request, *modules, cwd=folder, env={**clean, "PYTHONHASHSEED": "0"}))


@pytest.fixture(scope="module")
def pure_answers(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the program answers with the pure wheel."""
    return answers(dist.pure, tmp_path_factory.mktemp("pure"))


def test_the_compiled_wheel_is_compiled(compiled: Path, pure_answers: Any, tmp_path: Path) -> None:
    """Exactly the modules that pyproject lists are compiled, and they give the same rows and trace groups."""
    found = answers(compiled, tmp_path)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    listed = {source.removeprefix("src/").replace(".py", suffix) for source in COMPILED}
    assert found["suffixes"] == [Path(suffix).suffix]
    assert set(found["extensions"]) == listed
    assert len(found["rows"]) == BATCH
    assert (found["rows"], found["groups"]) == (pure_answers["rows"], pure_answers["groups"])


def test_the_pure_wheel_is_not(pure_answers: Any) -> None:
    """The pure wheel has sources only, for any platform."""
    assert (pure_answers["suffixes"], pure_answers["extensions"]) == ([".py"], [])


def test_the_source_distribution_is_complete(dist: Dist, pure_answers: Any, tmp_path: Path) -> None:
    """Installed from its sources, the package answers like the pure wheel."""
    assert answers(dist.sdist, tmp_path) == pure_answers


def test_indexes_accept_the_files(dist: Dist, compiled: Path) -> None:
    """The pure wheel is for every platform; on Linux the compiled one has a tag that names the oldest C library."""
    assert dist.pure.name.endswith("-py3-none-any.whl")
    assert f"-cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-" in compiled.name
    assert "-linux_" not in compiled.name


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_alone_stamps_and_counts(dist: Dist, tmp_path: Path, version: str) -> None:
    """Nothing but OpenTelemetry's API and SDK is needed, or imported, to stamp spans and add sessions up."""
    interpreter = find_interpreter(version)
    if interpreter is None:
        pytest.skip(f"no Python {version} on this machine")
    run(interpreter, "-m", "venv", tmp_path)
    python = tmp_path / "bin" / "python"
    install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*install, "-c", ROOT / "constraints.txt", dist.pure)
    names = "['opentelemetry-api', 'opentelemetry-sdk', 'opentelemetry-semantic-conventions', 'otel-sessions']"
    assert names == run(python, "-W", "error", "-c", ALONE, cwd=tmp_path).strip()


def test_the_wheels_are_typed_and_licensed(dist: Dist) -> None:
    """`py.typed` and the licence are in every wheel."""
    for wheel in (dist.pure, *dist.compiled):
        names = zipfile.ZipFile(wheel).namelist()
        assert "otel_sessions/py.typed" in names
        assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.parametrize("source", COMPILED)
def test_listed_sources_exist(source: str) -> None:
    """A module that is renamed is renamed in pyproject too; its tests are where `make test` looks for them."""
    assert (ROOT / source).is_file()
    assert (ROOT / "tests" / source.removeprefix("src/otel_sessions/")).parent.is_dir()
