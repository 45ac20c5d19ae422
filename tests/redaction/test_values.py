"""Secrets are taken out of values, and nothing else is."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.redaction import redact_value

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----"
RANDOM = "q7Gx2LmZ0vT9sYb4KcW1nRf8DjH5pXu3AeQ6"

TRUE_POSITIVES = [
    ("AKIAIOSFODNN7EXAMPLE", "[redacted:aws_key]"),
    ("key sk-ant-" + "api03-" + "a1B2" * 10 + " there", "key [redacted:anthropic_key] there"),
    ("sk-proj-" + "a1B2" * 10, "[redacted:openai_key]"),
    ("ghp_" + "a1B2" * 9, "[redacted:github_token]"),
    ("github_pat_" + "a1B2" * 15, "[redacted:github_token]"),
    ("glpat-" + "a1B2" * 5, "[redacted:gitlab_token]"),
    (f"Cookie jar: {JWT}.", "Cookie jar: [redacted:jwt]."),
    (f"before\n{PEM}\nafter", "before\n[redacted:private_key]\nafter"),
    ("-----BEGIN PRIVATE KEY-----\ncut", "[redacted:private_key]"),
    ("xoxb-" + "123456789012-" * 2 + "abc", "[redacted:slack_token]"),
    ("sk" + "_live_" + "a1B2" * 6, "[redacted:stripe_key]"),
    ("AIza" + "a1B2-" * 7, "[redacted:google_key]"),
    ("hf_" + "a1B2" * 9, "[redacted:huggingface_token]"),
    ("postgres://app:s3cret@db.internal/orders", "postgres://app:[redacted:url_password]@db.internal/orders"),
    ("https://:pw@host/", "https://:[redacted:url_password]@host/"),
    ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer [redacted:authorization]"),
    ("authorization: Basic dXNlcjpwYXNzd29yZDE=", "authorization: Basic [redacted:authorization]"),
    ("export OPENAI_API_KEY=hunter22hunter", "export OPENAI_API_KEY=[redacted:assignment]"),
    ("{'password': 'hunter2'}", "{'password': '[redacted:assignment]'}"),
    ("card 4111 1111 1111 1111, thanks", "card [redacted:card_number], thanks"),
    ("3782-822463-10005", "[redacted:card_number]"),
    (f"the value {RANDOM} is", "the value [redacted:random_text] is"),
    ('{"a": "AKIAIOSFODNN7EXAMPLE",  "n": 1.10}', '{"a": "[redacted:aws_key]",  "n": 1.10}'),
    (
        '[{"role":"user","content":"my password=hunter22"}]',
        '[{"role":"user","content":"my password=[redacted:assignment]"}]',
    ),
    ('{"password": {"new": ["a", 7]}}', '{"password": {"new": ["[redacted:password]", 7]}}'),
    ('{"arguments": "{\\"token\\": \\"abc\\"}"}', '{"arguments": "{\\"token\\": \\"[redacted:token]\\"}"}'),
]
FALSE_POSITIVES = [
    "0af7651916cd43dd8448eb211c80319c",
    "550e8400-e29b-41d4-a716-446655440000",
    "550E8400-E29B-41D4-A716-446655440000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 4).decode(),
    "1795000000000000000",
    "4111 1111 1111 1112",
    "chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ012345",
    "toolu_01A09q90qw90lq917835lq9",
    "a task-management-system-with-2-parts",
    "https://example.com:8080/path?q=1@2",
    "src/otel_sessions/server/queries/sql/SessionsPage2026.sql",
    "basic responsibilities of the Bearer of bad news",
    "claude-sonnet-4-5-20250929",
    "the secret = love, and the password is unknown",
    "opentelemetry.instrumentation.OpenAIInstrumentor2026Version",
    '{"input_tokens": 5, "max_token": 7, "text": "hello", "big": 12345678901234567890, "f": 1.50}',
    "{broken json",
    "",
]
NAMES = [
    ("password", "password"),
    ("db.password", "password"),
    ("http.request.header.authorization", "authorization"),
    ("http.request.header.x-api-key", "api_key"),
    ("OPENAI_API_KEY", "api_key"),
    ("accessToken", "token"),
    ("refresh_token", "token"),
    ("clientSecret", "secret"),
    ("Set-Cookie", "cookie"),
    ("aws_secret_access_key", "secret"),
    ("privateKey", "private_key"),
    ("db.connection_string", "secret"),
]
OTHER_NAMES = [
    "gen_ai.usage.input_tokens",
    "first_token",
    "max_token",
    "session.key",
    "key",
    "token_count",
    "password_changed_at",
    "secretary",
    "session.id",
    "cookie_count",
]


@pytest.mark.parametrize(("text", "expected"), TRUE_POSITIVES)
def test_secrets_in_texts(text: str, expected: str) -> None:
    """A secret is replaced by its kind, and the text around it stays, character by character; a second pass changes nothing."""
    counts: Counter[str] = Counter()
    assert redact_value(text, counts=counts) == expected
    assert counts.total() == 1
    assert redact_value(expected) == expected


@pytest.mark.parametrize("text", FALSE_POSITIVES)
def test_what_only_looks_like_a_secret(text: str) -> None:
    """Ids, hashes, images, times, names and prose stay as they are."""
    counts: Counter[str] = Counter()
    assert redact_value(text, counts=counts) == text
    assert not counts


@pytest.mark.parametrize(("name", "kind"), NAMES)
def test_secret_names(name: str, kind: str) -> None:
    """Whatever stands under the name of a secret is replaced, in lists and mappings too; numbers, truth and nothing stay."""
    value = {name: ["short", b"raw", {"inner": "x", "n": 1}, True, None, 1.5, ""]}
    secret = f"[redacted:{kind}]"
    assert redact_value(value) == {name: [secret, secret.encode(), {"inner": secret, "n": 1}, True, None, 1.5, ""]}
    assert redact_value("short", name=name) == secret


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names(name: str) -> None:
    """Names of counts, of pieces of text and of ids hide nothing."""
    assert redact_value({name: "short"}) == {name: "short"}


@pytest.mark.parametrize(
    "name", ["trace_id", "spanId", "parentSpanId", "TraceId", "session.id", "session.key.ticket_id"]
)
def test_ids_stay(name: str) -> None:
    """Ids of traces, spans and sessions stay, whatever they look like."""
    assert redact_value({name: RANDOM, "x": {name: "AKIAIOSFODNN7EXAMPLE"}}) == {
        name: RANDOM,
        "x": {name: "AKIAIOSFODNN7EXAMPLE"},
    }


def test_other_ids_may_look_random() -> None:
    """What is called an id is not replaced for its randomness, but for its shape."""
    assert redact_value({"gen_ai.response.id": RANDOM, "client_id": "AKIAIOSFODNN7EXAMPLE"}) == {
        "gen_ai.response.id": RANDOM,
        "client_id": "[redacted:aws_key]",
    }


def test_emails_are_optional() -> None:
    """An address of e-mail stays unless it is to go."""
    assert redact_value("ask a.b@example.com now") == "ask a.b@example.com now"
    assert redact_value("ask a.b@example.com now", emails=True) == "ask [redacted:email] now"


def test_kinds_are_counted() -> None:
    """Each secret counts once under its kind."""
    counts: Counter[str] = Counter()
    redact_value({"password": "x", "a": '{"password": "y", "b": "AKIAIOSFODNN7EXAMPLE"}', "c": ("p", 1)}, counts=counts)
    assert counts == {"password": 2, "aws_key": 1}


def test_depth_is_bounded() -> None:
    """What is nested too deeply is replaced whole, also in a text; JSON in JSON in JSON is looked at to a depth."""
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    counts: Counter[str] = Counter()
    assert "[redacted:too_deep]" in json.dumps(redact_value(deep, counts=counts))
    assert "[redacted:too_deep]" in redact_value(json.dumps(deep), counts=counts)
    assert counts == {"too_deep": 2}
    text = '{"password": "x"}'
    for _ in range(9):
        text = json.dumps([text])
    assert isinstance(redact_value(text), str)
    assert redact_value("[" * 100_000) == "[" * 100_000


def test_half_surrogates_stay_json() -> None:
    """Half of a surrogate pair in JSON stays escaped beside what is replaced."""
    redacted = redact_value('{"a": "\\ud800 AKIAIOSFODNN7EXAMPLE"}')
    assert json.loads(redacted) == {"a": "\ud800 [redacted:aws_key]"}


texts = st.text(max_size=40) | st.sampled_from([text for text, _ in TRUE_POSITIVES]) | st.sampled_from(FALSE_POSITIVES)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts | st.sampled_from(["password", "a"]), inner, max_size=4)
    ),
    max_leaves=20,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts | st.sampled_from(["password", "a"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def shape(value: Any) -> Any:
    """A value with every text and all bytes the same."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value) if isinstance(value, str | bytes) else value


@given(values)
def test_the_structure_stays(value: Any) -> None:
    """No value makes it raise; names, numbers, lists and mappings stay, and a second pass changes nothing."""
    redacted = redact_value(value)
    assert shape(redacted) == shape(value)
    assert redact_value(redacted) == redacted


@given(json_values, st.booleans(), st.sampled_from([None, 1]))
def test_json_in_texts_stays_json(value: Any, ascii_only: bool, indent: int | None) -> None:
    """A text that is JSON is redacted as its value is, and written as it was."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    if isinstance(value, dict | list):
        assert json.loads(redact_value(text)) == redact_value(value)
