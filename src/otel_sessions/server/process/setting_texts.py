"""`SETTINGS`: what each setting is for and its default, as users read them; `--help` needs no more than this."""

from __future__ import annotations

from typing import Final, NamedTuple

from otel_sessions.server.backlog import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.connections import DEFAULT_CONNECTIONS


class SettingText(NamedTuple):
    """The description of a setting, and its default as a user would write it or read it."""

    about: str
    default: str


SETTINGS: Final = {
    "host": SettingText("The address to listen on.", "127.0.0.1"),
    "port": SettingText("Port of OTLP/HTTP and the API; 0 takes a free one.", "4318"),
    "grpc_port": SettingText("Port of OTLP/gRPC; 0 takes a free one.", "4317"),
    "store": SettingText(
        "Where everything is kept: chdb:///folder, or http(s)://user:password@host:port/database of a ClickHouse.",
        "your data folder",
    ),
    "api_key": SettingText(
        "The secret that requests must send; set it as OTEL_SESSIONS_API_KEY, since command lines can be read by others.",
        "none",
    ),
    "allowed_host": SettingText(
        "A name that requests may have as their Host, besides localhost and loopback addresses; repeat it, or separate "
        "several by commas.",
        "none",
    ),
    "retention": SettingText("How much to keep: 30d, 20GB or 30d,20GB.", "everything"),
    "prices": SettingText("A file of your own prices, used before the public ones.", "none"),
    "sync": SettingText(
        "Write every request to the disk before it is acknowledged, so that it survives a power failure too.", "no"
    ),
    "backlog": SettingText(
        "How many bytes may wait to be committed before senders are told to wait.", f"{DEFAULT_BACKLOG_BYTES >> 20}MiB"
    ),
    "connections": SettingText(
        "How many connections are kept at the same time, over HTTP and over gRPC each; every one takes a file descriptor.",
        str(DEFAULT_CONNECTIONS),
    ),
    "config": SettingText("A TOML file with these settings.", "none"),
}
"""By the name of the setting in the file of `--config`."""
