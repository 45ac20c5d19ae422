"""`runs_locally`: whether a model runs on your own machine or network, where no vendor's price applies.

Programs such as vLLM, Ollama and llama.cpp are called through OpenAI's client, so the provider of such a call says
`openai`; the address of the server tells better. A gateway may stand at such an address as well, so only models whose
weights are open, which anybody can run, count as local there.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

LOCAL_SERVER: Final = ("server", "local")
"""The entry in the context of a price for a model that runs locally. Price lists of vendors do not apply to it."""

_PRIVATE_NAMES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc", ".localdomain")
_CLOSED: Final = re.compile(
    r"(?:^|[/.])(?:gpt-(?!oss|j\b|neo|2\b)|chatgpt|o\d(?:$|-)|computer-use|codex|text-(?:embedding-(?:3|ada)|davinci|bison)"
    r"|davinci|babbage|dall-e|tts-|claude|gemini|palm|imagen|grok-[34]|nova-|titan|sonar|command|embed-|rerank-"
    r"|mistral-(?:large|medium)|voyage|jamba-(?:large|mini)|kimi-latest|moonshot-v1|qwen-(?:max|plus|turbo)|ernie|hunyuan|doubao)"
)
"""Models that only their vendor runs; behind a private address is a gateway to it."""


@lru_cache(maxsize=4_096)
def runs_locally(host: str, model: str) -> bool:
    """Return True if the host is of this machine or a private network, and anybody can run the model.

    Args:
        host: a name or an address, without a port.
        model: the name of the model, as the span has it.
    """
    return _is_private(host.lower().rstrip(".")) and _CLOSED.search(model.strip().lower()) is None


def _is_private(host: str) -> bool:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        # A name without a dot is one of the local network, for example of a container.
        return bool(host) and ("." not in host or f".{host}".endswith(_PRIVATE_NAMES))
    return not ip.is_global
