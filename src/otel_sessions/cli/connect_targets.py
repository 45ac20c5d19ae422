"""`TARGETS`: what can be connected to a server; a new one is an entry here and a text in `targets/`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

_FOLDER: Final = "targets"
_COMMENTS: Final = {"sh": "# ", "toml": "# ", "yaml": "# ", "python": "# ", "jsonc": "// "}
_URL: Final = "{{url}}"
_KEY: Final = "{{key}}"
"""Begins a line of a text that only a server with an API key needs; for any other it is a comment."""


@dataclass(frozen=True, slots=True)
class Block:
    """A text that is pasted into one place.

    Attributes:
        name: of its file, without the ending.
        language: that it is written in.
        place: where it is pasted.
    """

    name: str
    language: str
    place: str

    def text(self, url: str, *, with_key: bool) -> str:
        """The text for a server.

        Args:
            url: the address of the server.
            with_key: whether it has an API key, which is named by its variable and never shown.
        """
        comment = "" if with_key else _COMMENTS[self.language]
        template = files(__package__).joinpath(_FOLDER, f"{self.name}.txt").read_text(encoding="utf-8")
        return "\n".join(_key_line(line, comment) for line in template.replace(_URL, url).splitlines())


@dataclass(frozen=True, slots=True)
class Target:
    """Something that sends records.

    Attributes:
        title: its name for people.
        blocks: what has to be set.
        services: the service names that it sends with; empty if that is up to the app.
        start: what makes it send its first record.
    """

    title: str
    blocks: tuple[Block, ...]
    services: tuple[str, ...]
    start: str


def _key_line(line: str, comment: str) -> str:
    if not line.startswith(_KEY):
        return line
    bare = line.removeprefix(_KEY)
    indent = len(bare) - len(bare.lstrip())
    return f"{bare[:indent]}{comment}{bare[indent:]}"


TARGETS: Final = {
    "claude-code": Target(
        "Claude Code",
        (Block("claude-code", "sh", "shell"),),
        ("claude-code",),
        "start claude in a shell with these variables and ask it something",
    ),
    "codex": Target(
        "Codex",
        (Block("codex", "toml", "~/.codex/config.toml"),),
        ("codex_cli_rs", "codex_exec", "codex-app-server"),
        "start codex again and ask it something",
    ),
    "gemini": Target(
        "Gemini CLI",
        (
            Block("gemini-shell", "sh", "shell"),
            Block("gemini-settings", "jsonc", "~/.gemini/settings.json, instead of the variables"),
        ),
        ("gemini-cli",),
        "start gemini in a shell with these variables, or with these settings, and ask it something",
    ),
    "qwen": Target(
        "Qwen Code",
        (
            Block("qwen-shell", "sh", "shell"),
            Block("qwen-settings", "jsonc", "~/.qwen/settings.json, instead of the variables"),
        ),
        ("qwen-code",),
        "start qwen in a shell with these variables, or with these settings, and ask it something",
    ),
    "copilot": Target(
        "GitHub Copilot",
        (
            Block("copilot-vscode", "jsonc", "settings.json of VS Code"),
            Block("copilot-cli", "sh", "shell, for Copilot CLI"),
        ),
        ("copilot-chat", "github-copilot", "vscode-agent-host"),
        "reload the window of VS Code, or start copilot in a shell with these variables, and ask it something",
    ),
    "python": Target("Python", (Block("python", "python", "the app"),), (), "start the app and have it make a span"),
    "node": Target("Node.js", (Block("node", "sh", "shell"),), (), "start the app and have it make a span"),
    "collector": Target(
        "OpenTelemetry Collector",
        (Block("collector", "yaml", "configuration of the Collector"),),
        (),
        "start the Collector again and have something send to it",
    ),
}
