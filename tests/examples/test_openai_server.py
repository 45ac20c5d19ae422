"""The local OpenAI server: what it answers is what its ledger says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import openai
import pytest
from examples.openai_ledger import Bill, Handed, Ledger
from examples.openai_prices import cost
from examples.openai_server import FAIL_MARK, SESSION_HEADER, OpenAIServer

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOL: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}},
}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A server for one test."""
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def client(server: OpenAIServer) -> Iterator[openai.OpenAI]:
    """The real client, without retries, in session s1."""
    headers = {SESSION_HEADER: "s1"}
    with closing(openai.OpenAI(api_key="x", base_url=server.base_url, max_retries=0, default_headers=headers)) as given:
        yield given


def user(text: str) -> Any:
    """The messages of a first question."""
    return [{"role": "system", "content": "be kind"}, {"role": "user", "content": text}]


def test_an_answer_costs_what_the_ledger_says(server: OpenAIServer, client: openai.OpenAI) -> None:
    """The usage block of an answer and its ledger entry hold the same numbers under the same id."""
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=user("hello there"))

    (entry,) = server.ledger.entries()
    assert answer.usage is not None
    assert entry == Handed(
        session="s1",
        operation="chat",
        model="gpt-4o-mini-2024-07-18",
        response_id=answer.id,
        status=200,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
    )
    assert answer.model == entry.model
    assert answer.usage.total_tokens == entry.prompt_tokens + entry.completion_tokens


def test_the_same_request_costs_the_same(server: OpenAIServer, client: openai.OpenAI) -> None:
    """Usage is a function of the request; only the response id tells two equal calls apart."""
    usages = [client.chat.completions.create(model="gpt-4o", messages=user("again")).usage for _ in range(2)]

    assert usages[0] == usages[1]
    assert len({entry.response_id for entry in server.ledger.entries()}) == 2


def test_a_longer_conversation_is_partly_cached(server: OpenAIServer, client: openai.OpenAI) -> None:
    """From the third message on half of the prompt counts as cached, and cached tokens are part of the prompt."""
    messages = [*user("one"), {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}]
    usage = client.chat.completions.create(model="gpt-4o-mini", messages=messages).usage

    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == usage.prompt_tokens // 2
    assert server.ledger.bill().cached_tokens == usage.prompt_tokens // 2


def test_a_reasoning_model_reasons(server: OpenAIServer, client: openai.OpenAI) -> None:
    """Reasoning tokens are part of the completion and in the ledger."""
    usage = client.chat.completions.create(model="o4-mini", messages=user("why")).usage

    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == server.ledger.bill().reasoning_tokens > 0
    assert usage.completion_tokens > server.ledger.bill().reasoning_tokens


def test_a_stream_says_the_same_as_a_plain_answer(server: OpenAIServer, client: openai.OpenAI) -> None:
    """Text and usage of a stream, put together, equal those of the plain answer."""
    plain = client.chat.completions.create(model="gpt-4o-mini", messages=user("tell me"))
    text, usage = "", None
    for chunk in client.chat.completions.create(
        model="gpt-4o-mini", messages=user("tell me"), stream=True, stream_options={"include_usage": True}
    ):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage

    assert text.strip() == plain.choices[0].message.content
    assert usage == plain.usage
    assert server.ledger.bill("s1").calls == 2


def test_a_stream_keeps_its_usage_to_itself_unless_asked(server: OpenAIServer, client: openai.OpenAI) -> None:
    """Without include_usage no chunk has usage, while the call is billed all the same."""
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=user("hi"), stream=True))

    assert all(chunk.usage is None for chunk in chunks)
    assert server.ledger.bill().completion_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_with_tools_is_answered_with_a_tool_call(client: openai.OpenAI, *, stream: bool) -> None:
    """The server calls the first tool with a value for each of its parameters, streamed or not."""
    if stream:
        chunks = client.chat.completions.create(model="gpt-4o-mini", messages=user("where"), tools=[TOOL], stream=True)
        calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or []]
        name = "".join(call.function.name or "" for call in calls if call.function)
        arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    else:
        choice = client.chat.completions.create(model="gpt-4o-mini", messages=user("where"), tools=[TOOL]).choices[0]
        assert choice.finish_reason == "tool_calls"
        (call,) = choice.message.tool_calls or []
        assert call.type == "function"
        name, arguments = call.function.name, call.function.arguments

    assert name == "look_up"
    assert json.loads(arguments) == {"order": "value of order"}


def test_a_tool_result_is_answered_with_text(client: openai.OpenAI) -> None:
    """After the tool's message the model speaks, though tools are still offered."""
    messages = [*user("where"), {"role": "tool", "tool_call_id": "call_1", "content": "on its way"}]
    message = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[TOOL]).choices[0].message

    assert message.tool_calls is None
    assert "on its way" in (message.content or "")


def test_embeddings_are_billed_by_input(server: OpenAIServer, client: openai.OpenAI) -> None:
    """Each text gets one vector, and tokens are billed for input only."""
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one two", "three"])

    assert len(answer.data) == 2
    assert server.ledger.bill() == Bill(calls=1, prompt_tokens=answer.usage.prompt_tokens)


def test_a_text_given_as_tokens_is_one_text(client: openai.OpenAI) -> None:
    """A list of numbers is one input, as clients send it that tokenize themselves."""
    answer = client.embeddings.create(model="text-embedding-3-small", input=[5, 6, 7])

    assert len(answer.data) == 1
    assert answer.usage.prompt_tokens == 6


def test_a_request_that_asks_for_it_fails(server: OpenAIServer, client: openai.OpenAI) -> None:
    """The answer is 500, the ledger counts a failure and no tokens."""
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="gpt-4o-mini", messages=user(f"please {FAIL_MARK}"))

    assert server.ledger.bill() == Bill(failures=1)


def test_an_unknown_path_is_404(server: OpenAIServer) -> None:
    """Unknown paths are answered with 404 and not billed."""
    request = urllib.request.Request(f"{server.base_url}/images", data=b"{}", method="POST")

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)

    with caught.value as error:
        assert error.status == 404
    assert server.ledger.entries() == []


def test_bills_add_up_by_session_and_model(server: OpenAIServer) -> None:
    """Every split of the ledger of concurrent clients adds up to the whole."""

    def work(number: int) -> None:
        headers = {SESSION_HEADER: f"s{number % 3}"}
        with closing(openai.OpenAI(api_key="x", base_url=server.base_url, default_headers=headers)) as client:
            client.chat.completions.create(model=("gpt-4o", "o4-mini")[number % 2], messages=user("x " * number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(24)))

    ledger = server.ledger
    assert sorted(ledger.sessions()) == ["s0", "s1", "s2"]
    assert sum(ledger.bill(session).prompt_tokens for session in ledger.sessions()) == ledger.bill().prompt_tokens
    assert sum(bill.completion_tokens for bill in ledger.by_model().values()) == ledger.bill().completion_tokens
    assert {model: bill.calls for model, bill in ledger.by_model("s1").items()} == {
        "gpt-4o-2024-08-06": 4,
        "o4-mini-2025-04-16": 4,
    }


def test_cost_is_by_call_and_without_failures() -> None:
    """Costs add up over calls, cached tokens are cheaper, and a failure costs nothing."""
    call = Handed("s", "chat", "gpt-4o-mini-2024-07-18", "1", 200, 1000, 100, cached_tokens=500)
    failure = Handed("s", "chat", "gpt-4o-mini-2024-07-18", "2", 500)

    assert cost([call, call, failure]) == 2 * cost([call])
    assert str(cost([call])) == "0.0001725"
    assert str(cost([call], cached=False)) == "0.00021"


def test_a_model_that_only_failed_has_no_bill() -> None:
    """`by_model` lists models that answered, so that a failed request is no row of zeros."""
    ledger = Ledger()
    ledger.add(Handed("s", "chat", "gpt-4o", "1", 500))

    assert ledger.by_model() == {}
