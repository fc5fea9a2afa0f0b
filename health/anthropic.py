"""Anthropic: a credential that OpenRouter uses for us; nothing of this project asks Anthropic itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="anthropic",
    title="Anthropic",
    credentials=(
        Credential(
            "ANTHROPIC_API_KEY", "by hand: Anthropic, Console, API keys; several may exist at a time", by_api=False
        ),
    ),
)
