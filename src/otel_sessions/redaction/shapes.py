"""Shapes of secrets, as data: what they look like wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple


class Shape(NamedTuple):
    """What a secret looks like.

    Attributes:
        kind: the word in its placeholder.
        hints: a text without any of these has no such secret; looked for first, since that is fast.
        pattern: finds it; the group `secret` is what is replaced, or all of it.
        check: tells a secret from what only looks like one.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None


def _luhn(text: str) -> bool:
    """Return True if the digits of a text have the check digit of a card number."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _shape(
    kind: str, hints: str, pattern: str, check: Callable[[str], bool] | None = None, flags: re.RegexFlag = re.NOFLAG
) -> Shape:
    return Shape(kind, tuple(hints.split("|")), re.compile(pattern, re.ASCII | flags), check)


_NAMED: Final = r"password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|(?:access|auth|refresh|session|bearer)[_-]?token"

SHAPES: Final = (
    _shape(
        "private_key",
        "PRIVATE KEY",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _shape("jwt", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    _shape("aws_key", "AKIA|ASIA", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    _shape("anthropic_key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    _shape("openai_key", "sk-", r"\bsk-(?!ant-)[A-Za-z0-9_-]{20,}", lambda text: any(map(str.isdigit, text))),
    _shape("github_token", "gh|github_pat_", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    _shape("gitlab_token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    _shape(
        "google_key",
        "AIza|ya29.|GOCSPX-",
        r"\b(?:AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,})",
    ),
    _shape(
        "slack_token",
        "xox|hooks.slack.com",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    ),
    _shape(
        "stripe_key", "k_live_|k_test_|whsec_", r"\b(?:[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,})"
    ),
    _shape("huggingface_token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    _shape("npm_token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _shape("pypi_token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    _shape("sendgrid_key", "SG.", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _shape("groq_key", "gsk_", r"\bgsk_[A-Za-z0-9]{40,}\b"),
    _shape("xai_key", "xai-", r"\bxai-[A-Za-z0-9]{40,}\b"),
    _shape("langsmith_key", "lsv2_", r"\blsv2_(?:pt|sk)_[A-Za-z0-9_]{20,}"),
    _shape("digitalocean_token", "_v1_", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    _shape("azure_key", "AccountKey=", r"AccountKey=(?P<secret>[A-Za-z0-9+/=]{40,})"),
    _shape("url_password", "://", r"://[^\s/:@\"'<>]{0,200}:(?P<secret>[^\s/@\"'<>]{1,500})(?=@)"),
    _shape(
        "authorization",
        "earer |EARER ",
        r"\bbearer\s+(?P<secret>(?=[^\s]{0,200}[0-9])[A-Za-z0-9._~+/=-]{16,})",
        flags=re.IGNORECASE,
    ),
    _shape(
        "authorization",
        "asic |ASIC ",
        r"\bbasic\s+(?P<secret>(?=[A-Za-z0-9+/]*[0-9=])[A-Za-z0-9+/]{12,}={0,2})(?![A-Za-z0-9+/=])",
        flags=re.IGNORECASE,
    ),
    _shape(
        "assignment",
        "=",
        rf"\b[A-Za-z0-9_.-]{{0,40}}(?:{_NAMED})=[\"']?(?P<secret>(?!\[redacted:)[^\s\"'`,;&<>{{}}]{{6,500}})",
        flags=re.IGNORECASE,
    ),
    _shape(
        "assignment",
        "'|\"",
        rf"[\"'](?:[A-Za-z0-9_.-]{{0,40}}[_.-])?(?:{_NAMED})[\"']\s{{0,3}}[:=]\s{{0,3}}[\"'](?P<secret>(?!\[redacted:)[^\"'\n]{{4,500}})[\"']",
        flags=re.IGNORECASE,
    ),
    _shape(
        "card_number",
        "3|4|5|6|2",
        r"(?<![\w.+-])(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|35\d\d)([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-]|\.\d)",
        _luhn,
    ),
    _shape("card_number", "34|37", r"(?<![\w.+-])3[47]\d\d([ -]?)\d{6}\1\d{5}(?![\w-]|\.\d)", _luhn),
)
"""In the order in which they are looked for."""

EMAIL: Final = _shape("email", "@", r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b")
