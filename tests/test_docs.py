"""The documentation is true: every snippet runs, and what a comment behind a `print` says is what is printed."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from examples.otlp_receiver import OTLPReceiver
from tests import processes
from typer.testing import CliRunner

import otel_sessions
from otel_sessions.cli.app import app
from otel_sessions.cli.client import DEFAULT_URL
from otel_sessions.cli.connect_targets import TARGETS
from otel_sessions.counting.calls import CACHE_HIT, COVERED, DUPLICATE, REPEATED
from otel_sessions.counting.prices.rates import AT_LEAST, TOTALS_ONLY

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NO_PROGRAM = {"cli.md", "coding-agents.md", "doctor.md", "end-of-a-process.md", "install.md", "mcp.md", "prices.md"}
"""`end-of-a-process.md` has several programs, which tests/test_end_of_a_process.py runs; the others have settings and commands only."""
PRINTED = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)


def snippets(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in NO_PROGRAM], ids=lambda page: page.name)
def test_python_snippets_print_what_they_say(page: Path) -> None:
    """The snippets of a page run in order, as one program."""
    program = "\n".join(snippets(page, "python"))
    assert program
    with OTLPReceiver() as receiver:
        environment = processes.environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        process = processes.run(sys.executable, "-W", "error", "-c", program, env=environment)
    assert process.returncode == 0, process.stderr
    assert PRINTED.findall(program) == process.stdout.splitlines()


def test_the_first_example_runs_after_the_command_above_it() -> None:
    """The README installs before it shows code, and the first example needs nothing else: no server, and no other extra."""
    readme = (ROOT / "README.md").read_text()
    assert -1 < readme.index("\npip install ") < readme.index("```python")
    example = snippets(ROOT / "README.md", "python")[0]
    assert "opentelemetry.exporter" not in example
    process = processes.run(sys.executable, "-W", "error", "-c", example)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines() == PRINTED.findall(example)


def test_commands_in_the_readme_exist() -> None:
    """The documentation names only make targets that exist, and only extras that exist."""
    commands = "\n".join(snippets(ROOT / "README.md", "console"))
    makefile = (ROOT / "Makefile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    targets = re.findall(r"^make (\w+)", commands, re.MULTILINE)
    extras = [extra for group in re.findall(r"[.\w-]\[([\w,]+)\]", commands) for extra in group.split(",")]
    assert ["demo", "test"] == targets
    pages = "".join(page.read_text() for page in (*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"))
    named = {*targets, *re.findall(r"`make (?:PYTHON=\S+ )?(\w+)", pages)}
    assert {"collector", "dist"} <= named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()
    assert {"otlp", "prices", "server"} == set(extras)
    everywhere = "\n".join(command for page in PAGES for command in snippets(page, "console"))
    named = {extra for group in re.findall(r"[.\w-]\[([\w,]+)\]", everywhere) for extra in group.split(",")}
    assert named <= project["optional-dependencies"].keys()
    in_table = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "install.md").read_text(), re.MULTILINE)
    assert set(in_table) == project["optional-dependencies"].keys()


def test_the_prices_file_in_the_docs_can_be_loaded(tmp_path: Path) -> None:
    """The TOML snippet is a prices file."""
    (snippet,) = snippets(ROOT / "docs" / "counting.md", "toml")
    path = tmp_path / "prices.toml"
    path.write_text(snippet)
    prices = otel_sessions.PriceFile(path)
    usage = otel_sessions.Usage(1_000_000, 0)
    cost = prices.price(provider=None, model="our-own-model", usage=usage, at=0)
    assert cost is not None
    assert "0.15" == format(cost.total.normalize(), "f")


def test_the_policy_in_the_docs_is_the_samplers_rule() -> None:
    """The number in the Collector's policy is the sampler's threshold for the ratio that the text names."""
    page = ROOT / "docs" / "backends.md"
    (snippet,) = snippets(page, "yaml")
    (condition,) = yaml.safe_load(snippet)["policies"][0]["ottl_condition"]["span"]
    (ratio,) = re.findall(r"SessionRatioSampler\(([\d.]+)\)", page.read_text())
    assert condition.endswith(f"< {int(float(ratio) * 2**32)}")


def test_settings_of_coding_agents_are_what_connect_prints() -> None:
    """The page has, agent by agent, the texts that `otel-sessions connect` prints for a server at its default address."""
    sections = (ROOT / "docs" / "coding-agents.md").read_text().split("\n## ")
    for target in TARGETS.values():
        if target.services:
            (section,) = [section for section in sections if section.startswith(f"{target.title}\n")]
            shown = re.findall(r"^```(\w+)\n(.*?)\n```$", section, re.MULTILINE | re.DOTALL)
            assert shown == [(block.language, block.text(DEFAULT_URL, with_key=False)) for block in target.blocks]


def test_the_page_about_totals_names_every_reason() -> None:
    """The tables have each reason for which something is not counted, and each doubt that makes a cost inexact."""
    page = (ROOT / "docs" / "why-this-total.md").read_text()
    in_table = re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)
    assert in_table == [COVERED, REPEATED, DUPLICATE, CACHE_HIT]
    sources = "".join(path.read_text() for path in (ROOT / "src" / "otel_sessions" / "counting").rglob("*.py"))
    doubts = [AT_LEAST + rest for rest in re.findall(r'AT_LEAST \+ "([^"]+)"', sources)]
    assert len(doubts) > 1
    assert [doubt for doubt in (TOTALS_ONLY, *doubts) if f"`{doubt.strip()}`" not in page] == []


def test_commands_in_the_docs_exist() -> None:
    """Every command in code and in consoles exists, and so does every option that stands behind one."""
    for page in PAGES:
        text = page.read_text()
        for line in [
            *re.findall(r"^(?:\$ )?otel-sessions (\w.*)$", text, re.MULTILINE),
            *re.findall(r"`otel-sessions (\w[^`]*)`", text),
        ]:
            name, *words = line.split()
            if name != "ready":
                group = [words[0]] if name == "prices" and words else []
                ran = CliRunner().invoke(app, [name, *group, "--help"], env={"COLUMNS": "200"})
                assert ran.exit_code == 0, f"{page.name}: {line}"
                options = [word for word in words if word.startswith("--")]
                assert [option for option in options if option not in ran.output] == [], f"{page.name}: {line}"


def test_links_between_the_pages_lead_somewhere() -> None:
    """Every relative link leads to a file."""
    links = [
        (page.name, target)
        for page in [*PAGES, *ROOT.glob("*.md")]
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert [] == links
