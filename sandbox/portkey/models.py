"""The AI providers that an integration may be of, and a few of the models of each; OpenRouter's are those of its own."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.openrouter.catalogue import MODELS


@dataclass(frozen=True)
class AiProvider:
    """``keyed``: whether it is reached with one API key; others have credentials among their configurations."""

    models: tuple[str, ...] = ()
    keyed: bool = True
    required: tuple[str, ...] = ()
    """What the configurations of an integration of it have to say."""


AI_PROVIDERS = {
    "openai": AiProvider(
        ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "text-embedding-3-small", "text-embedding-3-large")
    ),
    "anthropic": AiProvider(
        (
            "claude-opus-4-20250514",
            "claude-sonnet-4-20250514",
            "claude-3-5-haiku-20241022",
            "claude-haiku-4-5-20251001",
            "claude-sonnet-4-5-20250929",
        )
    ),
    "openrouter": AiProvider(tuple(model.slug for model in MODELS)),
    "google": AiProvider(("gemini-2.5-pro", "gemini-2.5-flash", "text-embedding-004")),
    "mistral-ai": AiProvider(("mistral-large-latest", "mistral-small-latest", "mistral-embed")),
    "cohere": AiProvider(("command-r-plus", "embed-english-v3.0", "rerank-english-v3.0")),
    "deepseek": AiProvider(("deepseek-chat", "deepseek-reasoner")),
    "groq": AiProvider(("llama-3.3-70b-versatile", "llama-3.1-8b-instant")),
    "together-ai": AiProvider(("meta-llama/Llama-3.3-70B-Instruct-Turbo",)),
    "fireworks-ai": AiProvider(("accounts/fireworks/models/llama-v3p1-70b-instruct",)),
    "perplexity-ai": AiProvider(("sonar", "sonar-pro")),
    "x-ai": AiProvider(("grok-3", "grok-3-mini")),
    "voyage": AiProvider(("voyage-3",)),
    "jina": AiProvider(("jina-embeddings-v3",)),
    "huggingface": AiProvider(),
    "azure-openai": AiProvider(required=("azure_auth_mode", "azure_resource_name", "azure_deployment_config")),
    "azure-ai": AiProvider(required=("azure_auth_mode", "azure_foundry_url")),
    "bedrock": AiProvider(keyed=False, required=("aws_auth_type", "aws_region")),
    "sagemaker": AiProvider(keyed=False, required=("aws_auth_type", "aws_region")),
    "vertex-ai": AiProvider(keyed=False, required=("vertex_auth_type", "vertex_region")),
    "workers-ai": AiProvider(required=("workers_ai_account_id",)),
    "cortex": AiProvider(required=("snowflake_account",)),
    "ollama": AiProvider(keyed=False, required=("custom_host",)),
}
