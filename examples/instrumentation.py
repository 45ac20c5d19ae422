"""Turns the real instrumentation packages on and off, one or several at once.

`openai-v2` and `openinference` both wrap the `openai` client, so that with both on every call is in the trace twice;
`langchain` wraps LangChain's models, which adds a third span. That happens in real apps by accident (a vendor's SDK
includes one, `opentelemetry-instrument` finds the other), and counting has to recognise it.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInferenceInstrumentor
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as OpenAIV2Instrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opentelemetry.sdk.trace import TracerProvider

# All can be called without arguments, although their annotations differ.
INSTRUMENTORS: dict[str, Callable[[], Any]] = {
    "openai-v2": OpenAIV2Instrumentor,
    "openinference": OpenInferenceInstrumentor,
    "langchain": LangChainInstrumentor,
}


@contextmanager
def instrumented(names: Iterable[str], provider: TracerProvider) -> Iterator[None]:
    """Turn the named instrumentations on, for `provider`, until the block ends; make clients inside the block."""
    with ExitStack() as stack:
        for name in names:
            instrumentor = INSTRUMENTORS[name]()
            instrumentor.instrument(tracer_provider=provider)
            stack.callback(instrumentor.uninstrument)
        yield
