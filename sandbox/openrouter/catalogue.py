"""The models that OpenRouter offers here: real ones, at about the prices of 2026. Not all of OpenRouter's hundreds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sandbox.store import Document

_CHAT = ("max_tokens", "stop", "temperature", "top_p")
_TOOLS = (*_CHAT, "tool_choice", "tools")
_STRUCTURED = (*_TOOLS, "response_format", "structured_outputs")
_REASONING = (*_STRUCTURED, "include_reasoning", "reasoning")
_MILLION = Decimal(1_000_000)
_TEXT, _SEES, _READS = ("text",), ("text", "image"), ("text", "image", "file")


@dataclass(frozen=True)
class _Model:
    """``prompt`` and ``completion`` are US dollars a million tokens; ``canonical`` is the date in the canonical slug."""

    slug: str
    name: str
    tokenizer: str
    context: int
    prompt: str
    completion: str
    created: int
    inputs: tuple[str, ...] = _TEXT
    parameters: tuple[str, ...] = _STRUCTURED
    outputs: tuple[str, ...] = ("text",)
    zdr: bool = True
    canonical: str = ""
    expires: str | None = None

    def document(self) -> Document:
        """As the store keeps it: ``zdr`` (whether a provider retains nothing of what it is asked) is not shown."""
        return {
            "id": self.slug,
            "canonical_slug": f"{self.slug}-{self.canonical}" if self.canonical else self.slug,
            "name": self.name,
            "description": f"{self.name}, as the sandbox lists it.",
            "created": self.created,
            "context_length": self.context,
            "architecture": {
                "modality": f"{'+'.join(self.inputs)}->{'+'.join(self.outputs)}",
                "input_modalities": list(self.inputs),
                "output_modalities": list(self.outputs),
                "tokenizer": self.tokenizer,
                "instruct_type": None,
            },
            "pricing": {"prompt": _a_token(self.prompt), "completion": _a_token(self.completion), "request": "0"},
            "top_provider": {"context_length": self.context, "max_completion_tokens": 8192, "is_moderated": False},
            "per_request_limits": None,
            "supported_parameters": list(self.parameters),
            "default_parameters": None,
            "supported_voices": None,
            "expiration_date": self.expires,
            "links": {"details": f"/api/v1/models/{self.slug}/endpoints"},
            "zdr": self.zdr,
        }


def _a_token(a_million: str) -> str:
    return format((Decimal(a_million) / _MILLION).normalize(), "f")


def _embeds(slug: str, name: str, tokenizer: str, context: int, prompt: str, *, zdr: bool = True) -> _Model:
    return _Model(
        slug, name, tokenizer, context, prompt, "0", 1760000000, parameters=(), outputs=("embeddings",), zdr=zdr
    )


MODELS = (
    _Model("anthropic/claude-opus-4", "Anthropic: Claude Opus 4", "Claude", 200000, "15", "75", 1747931245, _READS,
           _TOOLS, expires="2027-03-31"),
    _Model("anthropic/claude-opus-4.5", "Anthropic: Claude Opus 4.5", "Claude", 200000, "5", "25", 1764010580, _READS,
           _REASONING),
    _Model("anthropic/claude-sonnet-4", "Anthropic: Claude Sonnet 4", "Claude", 200000, "3", "15", 1747930371, _SEES,
           _TOOLS),
    _Model("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", "Claude", 1000000, "3", "15", 1759161676,
           _READS, _REASONING),
    _Model("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", "Claude", 200000, "1", "5", 1760547638, _SEES,
           _REASONING),
    _Model("openai/gpt-5.2", "OpenAI: GPT-5.2", "GPT", 400000, "1.75", "14", 1765389775, _READS, _REASONING,
           canonical="20251211"),
    _Model("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", "GPT", 400000, "0.25", "2", 1754587407, _READS, _REASONING),
    _Model("openai/gpt-5-nano", "OpenAI: GPT-5 Nano", "GPT", 400000, "0.05", "0.4", 1754587402, _READS, _REASONING),
    _Model("openai/gpt-4.1", "OpenAI: GPT-4.1", "GPT", 1047576, "2", "8", 1744651385, _READS),
    _Model("openai/gpt-4.1-mini", "OpenAI: GPT-4.1 Mini", "GPT", 1047576, "0.4", "1.6", 1744651381, _READS),
    _Model("openai/gpt-4o", "OpenAI: GPT-4o", "GPT", 128000, "2.5", "10", 1715558400, _READS),
    _Model("openai/gpt-4o-mini", "OpenAI: GPT-4o-mini", "GPT", 128000, "0.15", "0.6", 1721260800, _READS),
    _Model("google/gemini-3-pro-preview", "Google: Gemini 3 Pro Preview", "Gemini", 1048576, "2", "12", 1763474668,
           (*_READS, "audio", "video"), _REASONING),
    _Model("google/gemini-2.5-pro", "Google: Gemini 2.5 Pro", "Gemini", 1048576, "1.25", "10", 1750169544,
           (*_READS, "audio"), _REASONING),
    _Model("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", "Gemini", 1048576, "0.3", "2.5", 1750172488,
           (*_READS, "audio"), _REASONING),
    _Model("google/gemini-2.5-flash-lite", "Google: Gemini 2.5 Flash Lite", "Gemini", 1048576, "0.1", "0.4",
           1753200276, (*_READS, "audio"), _REASONING),
    _Model("x-ai/grok-4", "xAI: Grok 4", "Grok", 256000, "3", "15", 1752087689, _SEES, _REASONING, zdr=False),
    _Model("x-ai/grok-4-fast", "xAI: Grok 4 Fast", "Grok", 2000000, "0.2", "0.5", 1758240090, _SEES, _REASONING,
           zdr=False),
    _Model("deepseek/deepseek-r1", "DeepSeek: R1", "DeepSeek", 163840, "0.4", "2", 1737381095),
    _Model("deepseek/deepseek-r1-0528:free", "DeepSeek: R1 0528 (free)", "DeepSeek", 163840, "0", "0", 1748455170,
           parameters=_CHAT, zdr=False),
    _Model("deepseek/deepseek-v3.2", "DeepSeek: V3.2", "DeepSeek", 163840, "0.26", "0.39", 1764594642,
           parameters=_REASONING),
    _Model("meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct", "Llama3", 131072, "0.13", "0.39",
           1733506137),
    _Model("mistralai/mistral-large", "Mistral Large", "Mistral", 128000, "2", "6", 1708905600),
    _Model("mistralai/mistral-small-3.2-24b-instruct", "Mistral: Small 3.2 24B", "Mistral", 131072, "0.06", "0.18",
           1750443016, _SEES),
    _Model("qwen/qwen3-235b-a22b-2507", "Qwen: Qwen3 235B A22B Instruct", "Qwen3", 262144, "0.08", "0.55",
           1753119555, zdr=False),
    _Model("cohere/command-a", "Cohere: Command A", "Cohere", 256000, "2.5", "10", 1741894342, parameters=_CHAT),
    _Model("amazon/nova-lite-v1", "Amazon: Nova Lite 1.0", "Nova", 300000, "0.06", "0.24", 1733437363, _SEES, _TOOLS),
    _embeds("openai/text-embedding-3-small", "OpenAI: Text Embedding 3 Small", "GPT", 8192, "0.02"),
    _embeds("openai/text-embedding-3-large", "OpenAI: Text Embedding 3 Large", "GPT", 8192, "0.13"),
    _embeds("google/gemini-embedding-001", "Google: Gemini Embedding 001", "Gemini", 20000, "0.15"),
    _embeds("qwen/qwen3-embedding-8b", "Qwen: Qwen3 Embedding 8B", "Qwen3", 32768, "0.01", zdr=False),
)  # fmt: skip
