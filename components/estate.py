"""The settings of a stack: one optional key a platform. A platform whose key is absent is not deployed."""

from __future__ import annotations

from components.airbyte import AirbyteSettings
from components.estuary import EstuarySettings
from components.github import GitHubSettings
from components.kubernetes import KubernetesSettings
from components.openrouter import OpenRouterSettings
from components.pinecone import PineconeSettings
from components.portkey.settings import PortkeySettings
from components.qdrant.settings import QdrantSettings
from components.settings import Settings
from components.slack import SlackSettings
from components.snowflake.settings import SnowflakeSettings
from components.vercel import VercelSettings


class Estate(Settings):
    """``sophia-ai:`` in the stack file, by platform."""

    airbyte: AirbyteSettings | None = None
    estuary: EstuarySettings | None = None
    github: GitHubSettings | None = None
    kubernetes: KubernetesSettings | None = None
    openrouter: OpenRouterSettings | None = None
    pinecone: PineconeSettings | None = None
    portkey: PortkeySettings | None = None
    qdrant: QdrantSettings | None = None
    slack: SlackSettings | None = None
    snowflake: SnowflakeSettings | None = None
    vercel: VercelSettings | None = None
