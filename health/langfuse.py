"""Langfuse: a credential with which OpenRouter sends traces; nothing of this project asks Langfuse itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="langfuse",
    title="Langfuse",
    credentials=(
        Credential(
            "LANGFUSE_SECRET_KEY",
            "by hand: Langfuse, the project's Settings, API keys; pairs of a public and a secret key, several at a time",
            by_api=False,
        ),
    ),
    identifiers=("LANGFUSE_PUBLIC_KEY",),
)
