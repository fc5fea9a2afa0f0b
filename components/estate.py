"""The settings of a stack: one optional key a platform. A platform whose key is absent is not deployed."""

from __future__ import annotations

from collections.abc import Iterator

from components.airbyte import AirbyteSettings
from components.asana.settings import AsanaSettings
from components.aws.settings import AwsSettings
from components.estuary import EstuarySettings
from components.explain import Mistake
from components.figma.settings import FigmaSettings
from components.github import GitHubSettings
from components.incidents import IncidentsSettings
from components.incidents import references as incident_references
from components.kubernetes import KubernetesSettings
from components.lambda_labs.settings import LambdaLabsSettings
from components.linear import LinearSettings
from components.monitoring.settings import MonitoringSettings
from components.n8n import N8nSettings
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
    asana: AsanaSettings | None = None
    aws: AwsSettings | None = None
    estuary: EstuarySettings | None = None
    figma: FigmaSettings | None = None
    github: GitHubSettings | None = None
    incidents: IncidentsSettings | None = None
    kubernetes: KubernetesSettings | None = None
    monitoring: MonitoringSettings | None = None
    lambda_labs: LambdaLabsSettings | None = None
    linear: LinearSettings | None = None
    n8n: N8nSettings | None = None
    openrouter: OpenRouterSettings | None = None
    pinecone: PineconeSettings | None = None
    portkey: PortkeySettings | None = None
    qdrant: QdrantSettings | None = None
    slack: SlackSettings | None = None
    snowflake: SnowflakeSettings | None = None
    vercel: VercelSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Monitoring stands in the namespace of what it watches; AWS trusts the subjects that GitHub writes; the incident
        path joins what is there.
        """
        if self.incidents is not None:
            for mistake in incident_references.mistakes(self.incidents, self):
                yield Mistake(("incidents", *mistake.path), mistake.message)
        if self.aws is not None and self.github is not None:
            for key, role in self.aws.roles.items():
                if role.workflows and (subject := self.github.other_subject(role.workflows.repository)):
                    path = ("aws", "roles", key, "workflows", "repository")
                    yield Mistake(path, f"trusts subjects by repo and context, but github gives it {subject}")
        if self.monitoring is not None and self.kubernetes is None:
            yield Mistake(("monitoring",), "needs kubernetes, in whose namespace it runs")
        elif self.monitoring is not None and self.kubernetes is not None:
            namespace = self.kubernetes.namespace
            if self.monitoring.namespace != namespace:
                yield Mistake(("monitoring", "namespace"), f'must be that of kubernetes, "{namespace}"')
