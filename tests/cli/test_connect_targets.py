"""What `connect` prints is valid in its language, and names the server."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from tests import processes

from otel_sessions.cli import connect_targets
from otel_sessions.cli.connect_targets import TARGETS, Block

URL = "https://sessions.example:8443/base"
KEY = "OTEL_SESSIONS_API_KEY"
BLOCKS = [block for target in TARGETS.values() for block in target.blocks]
WORDS = {
    "claude-code": "OTEL_LOG_USER_PROMPTS",
    "codex": "log_user_prompt",
    "gemini-shell": "GEMINI_TELEMETRY_LOG_PROMPTS",
    "gemini-settings": "logPrompts",
    "qwen-shell": "QWEN_TELEMETRY_LOG_PROMPTS",
    "qwen-settings": "logPrompts",
    "copilot-vscode": "captureContent",
    "copilot-cli": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "python": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "node": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
}
"""The switch of each text that also sends words."""


def named(name: str) -> Block:
    """The block of this name."""
    (block,) = [block for block in BLOCKS if block.name == name]
    return block


def exported(block: Block, *, with_key: bool = False) -> dict[str, str]:
    """The variables that a shell has after the exports of a text."""
    lines = [line for line in block.text(URL, with_key=with_key).splitlines() if line.startswith(("export ", "#"))]
    before = processes.environment(**{KEY: "hush"})
    ran = processes.run("sh", "-euc", "\n".join([*lines, "env -0"]), env=before)
    assert ran.returncode == 0, ran.stderr
    after = dict(one.split("=", 1) for one in ran.stdout.split("\0") if "=" in one)
    return {name: value for name, value in after.items() if before.get(name) != value and name not in ("_", "PWD")}


def json_of(block: Block) -> dict[str, object]:
    """The value of JSON with comments."""
    value: dict[str, object] = json.loads(re.sub(r"(?m)^\s*//.*$", "", block.text(URL, with_key=True)))
    return value


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_texts(block: Block) -> None:
    """Every text names the server, leaves nothing to fill in, and says where it goes in its first line."""
    for with_key in (False, True):
        text = block.text(URL, with_key=with_key)
        assert URL in text
        assert "{{" not in text
        assert "hush" not in text
        assert text.startswith(("# ", "// "))
        assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sh"], ids=lambda block: block.name)
def test_comments_do_nothing_in_any_shell(block: Block) -> None:
    """A comment has no character with a meaning in a shell: zsh runs comments that are typed or pasted as commands."""
    comments = [line for line in block.text(URL, with_key=True).splitlines() if line.startswith("# ")]
    words = [line for line in comments if not line.startswith("# export ")]
    assert [line for line in words if set(line[1:]) & set(";&|<>$`'\"()#!*?")] == []


def test_every_text_is_used() -> None:
    """The folder has no text that no target names."""
    folder = Path(connect_targets.__file__).parent / "targets"
    assert {path.stem for path in folder.iterdir()} == {block.name for block in BLOCKS}


@pytest.mark.parametrize("name", WORDS)
def test_words_are_off(name: str) -> None:
    """The switch that also sends words is named, and is off unless it is changed."""
    lines = [line.strip() for line in named(name).text(URL, with_key=True).splitlines() if WORDS[name] in line]
    assert lines
    assert all(line.startswith(("#", "//")) or "false" in line for line in lines)


def test_claude_code() -> None:
    """Claude Code sends log records and spans over HTTP; its prompts stay."""
    assert exported(named("claude-code")) == {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": URL,
    }


@pytest.mark.parametrize("name", ["claude-code", "gemini-shell", "qwen-shell", "copilot-cli", "node"])
def test_the_key_comes_from_its_variable(name: str) -> None:
    """With an API key, a header is set from the variable that holds the key."""
    assert exported(named(name), with_key=True)["OTEL_EXPORTER_OTLP_HEADERS"] == "authorization=hush"
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in exported(named(name))


def test_codex() -> None:
    """Codex gets both exporters, each with the whole path of its signal and a protocol, without which it does not start."""
    table = tomllib.loads(named("codex").text(URL, with_key=True))["otel"]
    assert table == {
        "exporter": {"otlp-http": {"endpoint": f"{URL}/v1/logs", "protocol": "binary"}},
        "trace_exporter": {"otlp-http": {"endpoint": f"{URL}/v1/traces", "protocol": "binary"}},
        "log_user_prompt": False,
    }


@pytest.mark.parametrize("name", ["gemini", "qwen"])
def test_settings_and_variables_say_the_same(name: str) -> None:
    """The settings file of an agent has what its variables have."""
    settings = json_of(named(f"{name}-settings"))["telemetry"]
    assert isinstance(settings, dict)
    variables = exported(named(f"{name}-shell"))
    prefix = f"{name.upper()}_TELEMETRY_"
    for variable, value in variables.items():
        words = variable.removeprefix(prefix).lower().split("_")
        member = words[0] + "".join(map(str.capitalize, words[1:]))
        assert str(settings[member]).lower() == value.lower()
    assert settings["otlpEndpoint"] == URL


def test_copilot() -> None:
    """Copilot in VS Code gets the settings of its own sessions and of those of the agent host, and Copilot CLI variables."""
    settings = json_of(named("copilot-vscode"))
    for prefix in ("github.copilot.chat.otel", "chat.agentHost.otel"):
        assert settings[f"{prefix}.enabled"] is True
        assert settings[f"{prefix}.exporterType"] == "otlp-http"
        assert settings[f"{prefix}.otlpEndpoint"] == URL
        assert settings[f"{prefix}.captureContent"] is False
    assert exported(named("copilot-cli"))["OTEL_EXPORTER_OTLP_ENDPOINT"] == URL


def test_the_collector() -> None:
    """The Collector sends traces and logs; its API key comes from the environment."""
    config = yaml.safe_load(named("collector").text(URL, with_key=False))
    assert config["exporters"] == {"otlp_http/sessions": {"endpoint": URL}}
    pipeline = {"receivers": ["otlp"], "exporters": ["otlp_http/sessions"]}
    assert config["service"]["pipelines"] == {"traces": pipeline, "logs": pipeline}
    config = yaml.safe_load(named("collector").text(URL, with_key=True))
    headers = {"authorization": "Bearer ${env:OTEL_SESSIONS_API_KEY}"}
    assert config["exporters"]["otlp_http/sessions"]["headers"] == headers
