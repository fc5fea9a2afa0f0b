"""Which platforms the sandbox has: the one list to add a new emulator to."""

from __future__ import annotations

from sandbox import (
    accounts,
    airbyte,
    apollo,
    asana,
    estuary,
    figma,
    gong,
    hubspot,
    lambda_labs,
    linear,
    n8n,
    official,
    openrouter,
    pinecone,
    portkey,
    qdrant,
    slack,
)
from sandbox.platform import Platform

EMULATORS = (
    airbyte.PLATFORM,
    apollo.PLATFORM,
    asana.PLATFORM,
    estuary.PLATFORM,
    figma.PLATFORM,
    gong.PLATFORM,
    hubspot.PLATFORM,
    lambda_labs.PLATFORM,
    linear.PLATFORM,
    n8n.PLATFORM,
    openrouter.PLATFORM,
    pinecone.PLATFORM,
    portkey.PLATFORM,
    qdrant.PLATFORM,
    slack.PLATFORM,
)


def all_platforms() -> list[Platform]:
    """The emulators, and the stand-ins for the platforms with an official Pulumi package."""
    return [*EMULATORS, *official.PLATFORMS, *accounts.PLATFORMS]
