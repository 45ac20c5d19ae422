"""The same support agent on LangChain, where the two spans of a call are not nested.

LangChain's instrumentation does not make its span current, so the span of the client is a child of the agent span instead
of LangChain's span: one call, in two branches of the trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from examples.agent import AGENT, CHAT_MODEL, EMBEDDING_MODEL, SUMMARY_MODEL, SYSTEM
from examples.openai_server import SESSION_HEADER
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


class LangChainAgent:
    """Like `SupportAgent`, with a LangChain chain for each turn under one agent span."""

    def __init__(self, tracer: Tracer, base_url: str, ticket: str) -> None:
        self._tracer = tracer
        client: dict[str, Any] = {
            "api_key": "not-needed-here",
            "base_url": base_url,
            "max_retries": 0,
            "default_headers": {SESSION_HEADER: ticket},
        }
        # Without this LangChain would fetch a tokenizer to check the length of a text.
        embeddings = OpenAIEmbeddings(model=EMBEDDING_MODEL, check_embedding_ctx_length=False, **client)
        chat = ChatOpenAI(model=CHAT_MODEL, stream_usage=True, **client)
        self._summary = ChatOpenAI(model=SUMMARY_MODEL, **client)
        self._messages: list[BaseMessage] = [SystemMessage(SYSTEM)]

        @tool
        def search_help(query: str) -> str:
            """Find help articles that answer a question."""
            embeddings.embed_query(query)
            return "Orders arrive within five days."

        def answer(question: str) -> str:
            self._messages.append(HumanMessage(question))
            first = chat.bind_tools([search_help]).invoke(self._messages)
            self._messages.append(first)
            for call in first.tool_calls:
                self._messages.append(ToolMessage(search_help.invoke(call["args"]), tool_call_id=call["id"]))
            text = "".join(str(chunk.text) for chunk in chat.stream(self._messages))
            self._messages.append(AIMessage(text))
            return text

        self._chain = RunnableLambda(answer, name="support")

    def turn(self, question: str) -> str:
        """Answer one question in one trace: ask, search, answer."""
        with self._tracer.start_as_current_span("invoke_agent support", attributes=AGENT):
            return self._chain.invoke(question)

    def close(self) -> str:
        """Sum the ticket up in one trace, with a reasoning model."""
        with self._tracer.start_as_current_span("invoke_agent summary", attributes=AGENT):
            return str(self._summary.invoke([*self._messages, HumanMessage("Sum this ticket up")]).text)
