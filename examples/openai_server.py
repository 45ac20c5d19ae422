"""A small local server with the OpenAI API, which returns the same token counts for the same request.

With it the examples and the demo run offline and their totals can be checked: every request that it answers is in
`OpenAIServer.ledger`. It has `POST /v1/chat/completions` (plain, streamed, with tools) and `POST /v1/embeddings`.

The rules for a request:

- A header `x-session-id` only labels the ledger entry; no answer contains it.
- A last message that contains `FAIL_MARK` is answered with status 500.
- A request with `tools` whose last message is from the user is answered with a call of the first tool.
- Model aliases are answered by a dated model, as the real API does.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from examples.openai_ledger import Handed, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

FAIL_MARK = "[server error]"
SESSION_HEADER = "x-session-id"
DATED_MODELS = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18", "gpt-4o": "gpt-4o-2024-08-06", "o4-mini": "o4-mini-2025-04-16"}
REASONING_MODELS = {"o4-mini-2025-04-16"}
EMBEDDING_SIZE = 8
CREATED = 1_767_225_600

Json = dict[str, Any]


def chat_usage(model: str, messages: list[Json], *, tool_call: bool) -> Json:
    """The usage block of a chat answer, which depends on the request only.

    A longer conversation has more tokens; from the third message on, half of the prompt is cached, as with prompt caching
    in a growing conversation; reasoning models have reasoning tokens in their answer.
    """
    prompt = 40 + sum(11 + len(str(message.get("content") or "").split()) for message in messages)
    cached = prompt // 2 if len(messages) > 2 else 0
    answer = 17 if tool_call else 23 + 2 * len(messages)
    reasoning = 64 if model in REASONING_MODELS else 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer + reasoning,
        "total_tokens": prompt + answer + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat_message(request: Json) -> Json:
    """The assistant's message: a call of the first tool for a user's question, else a sentence about the last message."""
    last = request["messages"][-1]
    tools = request.get("tools") or []
    if tools and last["role"] == "user":
        function = tools[0]["function"]
        names = function.get("parameters", {}).get("properties", {})
        arguments = json.dumps({name: f"value of {name}" for name in names})
        call = {"id": "call_1", "type": "function", "function": {"name": function["name"], "arguments": arguments}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"role": "assistant", "content": f"This is what I know about: {str(last.get('content'))[:60]}"}


def chat_chunks(answer: Json, *, include_usage: bool) -> Iterator[Json]:
    """The same answer as the API streams it; with `include_usage`, the last chunk has the usage and no choices."""
    choice = answer["choices"][0]
    message = choice["message"]
    head = {"id": answer["id"], "object": "chat.completion.chunk", "created": CREATED, "model": answer["model"]}

    def chunk(delta: Json, finish_reason: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}

    yield chunk({"role": "assistant", "content": None if message.get("tool_calls") else ""})
    for index, call in enumerate(message.get("tool_calls") or []):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        yield chunk({"tool_calls": [{"index": index, **call, "function": {"name": name, "arguments": ""}}]})
        yield chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
    for word in (message["content"] or "").split():
        yield chunk({"content": word + " "})
    yield chunk({}, choice["finish_reason"])
    if include_usage:
        yield {**head, "choices": [], "usage": answer["usage"]}


class OpenAIServer:
    """The server on a free port of 127.0.0.1; `with OpenAIServer() as server:` starts and stops it.

    `base_url` is the argument of `openai.OpenAI(base_url=…)`; `ledger` has all answered requests.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._numbers = itertools.count(1)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="openai-server")
        self.base_url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, path: str, request: Json, session: str | None) -> tuple[int, Json]:
        """The status and the JSON body for one request, which is in the ledger when this returns."""
        number = next(self._numbers)
        if path == "/v1/chat/completions":
            return self._chat(request, session, f"chatcmpl-{number:06d}")
        if path == "/v1/embeddings":
            return self._embeddings(request, session, f"embd-{number:06d}")
        return 404, {"error": {"message": f"no such path: {path}", "type": "invalid_request_error"}}

    def _chat(self, request: Json, session: str | None, response_id: str) -> tuple[int, Json]:
        model = str(DATED_MODELS.get(request["model"], request["model"]))
        if FAIL_MARK in str(request["messages"][-1].get("content")):
            self.ledger.add(Handed(session, "chat", model, response_id, 500))
            return 500, {"error": {"message": "the server had an error", "type": "server_error", "code": None}}
        message = chat_message(request)
        tool_call = "tool_calls" in message
        usage = chat_usage(model, request["messages"], tool_call=tool_call)
        self.ledger.add(
            Handed(
                session,
                "chat",
                model,
                response_id,
                200,
                prompt_tokens=usage["prompt_tokens"],
                completion_tokens=usage["completion_tokens"],
                cached_tokens=usage["prompt_tokens_details"]["cached_tokens"],
                reasoning_tokens=usage["completion_tokens_details"]["reasoning_tokens"],
            )
        )
        return 200, {
            "id": response_id,
            "object": "chat.completion",
            "created": CREATED,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": "tool_calls" if tool_call else "stop",
                    "logprobs": None,
                }
            ],
            "usage": usage,
            "service_tier": "default",
        }

    def _embeddings(self, request: Json, session: str | None, response_id: str) -> tuple[int, Json]:
        given = request["input"]
        # A list of numbers is one text, in tokens.
        texts = given if isinstance(given, list) and not all(isinstance(item, int) for item in given) else [given]
        tokens = sum(3 + len(text.split() if isinstance(text, str) else text) for text in texts)
        self.ledger.add(Handed(session, "embeddings", request["model"], response_id, 200, prompt_tokens=tokens))
        vector = [round(1 / (index + 1), 4) for index in range(EMBEDDING_SIZE)]
        return 200, {
            "object": "list",
            "model": request["model"],
            "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(len(texts))],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                """Log nothing: the ledger has all requests."""

            def handle(self) -> None:
                """Handle a request as inherited, but ignore a client that disconnects; its request is in the ledger."""
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, body = server.answer(self.path, request, self.headers.get(SESSION_HEADER))
                if status == 200 and request.get("stream"):
                    include = bool((request.get("stream_options") or {}).get("include_usage"))
                    self._stream(chat_chunks(body, include_usage=include))
                else:
                    self._json(status, body)

            def _json(self, status: int, body: Json) -> None:
                payload = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def _stream(self, chunks: Iterator[Json]) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                lines = itertools.chain((json.dumps(chunk) for chunk in chunks), ["[DONE]"])
                for line in lines:
                    event = f"data: {line}\n\n".encode()
                    self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

        return Handler


if __name__ == "__main__":
    with OpenAIServer() as running:
        print(f"OpenAI API at {running.base_url} (ctrl-c stops it)")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
