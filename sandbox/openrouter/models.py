"""A few of the models that OpenRouter lists; prices and limits are illustrations. Anybody may read them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from sandbox.http import Call, answer, cut
from sandbox.store import Document

_PARAMETERS = ["max_tokens", "stop", "temperature", "tool_choice", "tools", "top_p"]


@dataclass(frozen=True)
class _Model:
    """``prompt`` and ``completion`` are US dollars a token, as decimal text."""

    slug: str
    name: str
    tokenizer: str
    context: int
    prompt: str
    completion: str
    created: int

    def document(self) -> Document:
        return {
            "id": self.slug,
            "canonical_slug": self.slug,
            "name": self.name,
            "description": f"{self.name}, as the sandbox lists it.",
            "created": self.created,
            "context_length": self.context,
            "architecture": {
                "modality": "text->text",
                "input_modalities": ["text"],
                "output_modalities": ["text"],
                "tokenizer": self.tokenizer,
                "instruct_type": None,
            },
            "pricing": {"prompt": self.prompt, "completion": self.completion, "request": "0", "image": "0"},
            "top_provider": {"context_length": self.context, "max_completion_tokens": 8192, "is_moderated": False},
            "per_request_limits": None,
            "supported_parameters": _PARAMETERS,
            "default_parameters": None,
            "supported_voices": None,
            "links": {"details": f"/api/v1/models/{self.slug}/endpoints"},
        }


_MODELS = (
    _Model(
        "anthropic/claude-sonnet-4", "Anthropic: Claude Sonnet 4", "Claude", 200000, "0.000003", "0.000015", 1747930371
    ),
    _Model("anthropic/claude-opus-4", "Anthropic: Claude Opus 4", "Claude", 200000, "0.000015", "0.000075", 1747931245),
    _Model("openai/gpt-4o", "OpenAI: GPT-4o", "GPT", 128000, "0.0000025", "0.00001", 1715558400),
    _Model("openai/gpt-4o-mini", "OpenAI: GPT-4o-mini", "GPT", 128000, "0.00000015", "0.0000006", 1721260800),
    _Model("google/gemini-2.5-pro", "Google: Gemini 2.5 Pro", "Gemini", 1048576, "0.00000125", "0.00001", 1750169544),
    _Model(
        "google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", "Gemini", 1048576, "0.0000003", "0.0000025", 1750172488
    ),
    _Model("deepseek/deepseek-r1", "DeepSeek: R1", "DeepSeek", 163840, "0.0000004", "0.000002", 1737381095),
    _Model("mistralai/mistral-large", "Mistral Large", "Mistral", 128000, "0.000002", "0.000006", 1708905600),
)


def list_models(call: Call) -> Response:
    """``limit`` 1 to 1000 (500 unless said) and ``offset``; the filters of the platform are not imitated."""
    limit, offset = call.number("limit", 500, 1, 1000), call.number("offset", 0, 0)
    found = [model.document() for model in cut(_MODELS, limit, offset)]
    more = offset + limit < len(_MODELS)
    following = str(call.request.url.include_query_params(limit=limit, offset=offset + limit)) if more else None
    return answer({"data": found, "total_count": len(_MODELS), "links": {"next": following}})
