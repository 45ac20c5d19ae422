"""Switches the real instrumentation packages on and off, one or several at once.

`openai-v2` and `openinference` both wrap the `openai` client, so with both on every call is in the trace twice;
`langchain` wraps LangChain's models and makes it three times. That happens in real apps by accident (a vendor's SDK
brings one, `opentelemetry-instrument` finds the other), and is what the counting has to see through.
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

# Called without arguments they all do the same, whatever their annotations say.
INSTRUMENTORS: dict[str, Callable[[], Any]] = {
    "openai-v2": OpenAIV2Instrumentor,
    "openinference": OpenInferenceInstrumentor,
    "langchain": LangChainInstrumentor,
}


@contextmanager
def instrumented(names: Iterable[str], provider: TracerProvider) -> Iterator[None]:
    """The named instrumentations, writing to `provider`, until the block ends; clients must be made inside."""
    with ExitStack() as stack:
        for name in names:
            instrumentor = INSTRUMENTORS[name]()
            instrumentor.instrument(tracer_provider=provider)
            stack.callback(instrumentor.uninstrument)
        yield
