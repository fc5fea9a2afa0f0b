"""The settings of a stack: one optional key a platform. A platform whose key is absent is not deployed, nor loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING

from components.explain import Mistake
from components.settings import Settings

if TYPE_CHECKING:
    from components.airbyte.settings import AirbyteSettings
    from components.apollo.settings import ApolloSettings
    from components.asana.settings import AsanaSettings
    from components.aws.settings import AwsSettings
    from components.competitors.settings import CompetitorsSettings
    from components.dashboard.settings import DashboardSettings
    from components.estuary.settings import EstuarySettings
    from components.figma.settings import FigmaSettings
    from components.github.settings import GitHubSettings
    from components.gong.settings import GongSettings
    from components.hubspot.settings import HubSpotSettings
    from components.incidents.settings import IncidentsSettings
    from components.kubernetes.settings import KubernetesSettings
    from components.lambda_labs.settings import LambdaLabsSettings
    from components.linear.settings import LinearSettings
    from components.monitoring.settings import MonitoringSettings
    from components.n8n.settings import N8nSettings
    from components.nmhc.settings import NmhcSettings
    from components.openrouter.settings import OpenRouterSettings
    from components.pinecone.settings import PineconeSettings
    from components.portkey.settings import PortkeySettings
    from components.qdrant.settings import QdrantSettings
    from components.slack.settings import SlackSettings
    from components.snowflake.settings import SnowflakeSettings
    from components.usergems.settings import UserGemsSettings
    from components.vercel.settings import VercelSettings


_UPON_OTHERS = ("competitors", "dashboard", "incidents", "nmhc")
"""What stands above several platforms, and names what is in their settings."""


class Estate(Settings):
    """``sophia-ai:`` in the stack file, by platform."""

    airbyte: AirbyteSettings | None = None
    apollo: ApolloSettings | None = None
    asana: AsanaSettings | None = None
    aws: AwsSettings | None = None
    competitors: CompetitorsSettings | None = None
    dashboard: DashboardSettings | None = None
    estuary: EstuarySettings | None = None
    figma: FigmaSettings | None = None
    github: GitHubSettings | None = None
    gong: GongSettings | None = None
    hubspot: HubSpotSettings | None = None
    incidents: IncidentsSettings | None = None
    kubernetes: KubernetesSettings | None = None
    monitoring: MonitoringSettings | None = None
    lambda_labs: LambdaLabsSettings | None = None
    linear: LinearSettings | None = None
    n8n: N8nSettings | None = None
    nmhc: NmhcSettings | None = None
    openrouter: OpenRouterSettings | None = None
    pinecone: PineconeSettings | None = None
    portkey: PortkeySettings | None = None
    qdrant: QdrantSettings | None = None
    slack: SlackSettings | None = None
    snowflake: SnowflakeSettings | None = None
    usergems: UserGemsSettings | None = None
    vercel: VercelSettings | None = None

    @classmethod
    def of(cls, platforms: Collection[str]) -> type[Estate]:
        """The same settings with the types of these platforms alone: the others' modules are not loaded.

        Loading all of them takes longer than the rest of a small stack's run.
        """
        types = {}
        for platform, field in cls.__annotations__.items():
            name = field.removesuffix(" | None")
            types[name] = _settings(platform, name) if platform in platforms else NoneType
        model: type[Estate] = type(cls.__name__, (cls,), {"__module__": cls.__module__, "__doc__": cls.__doc__})
        model.model_rebuild(_types_namespace=types)
        return model

    def check(self) -> Iterator[Mistake]:
        """Monitoring stands in the namespace of what it watches; AWS trusts the subjects that GitHub writes; n8n takes what
        UserGems is told to send; what stands above several platforms names what is in their settings.
        """
        for module in _UPON_OTHERS:
            if (its := getattr(self, module)) is not None:
                for mistake in import_module(f"components.{module}.references").mistakes(its, self):
                    yield Mistake((module, *mistake.path), mistake.message)
        if self.aws is not None and self.github is not None:
            for key, role in self.aws.roles.items():
                if role.workflows and (subject := self.github.other_subject(role.workflows.repository)):
                    path = ("aws", "roles", key, "workflows", "repository")
                    yield Mistake(path, f"trusts subjects by repo and context, but github gives it {subject}")
        yield from self._unreceived()
        if self.monitoring is not None and self.kubernetes is None:
            yield Mistake(("monitoring",), "needs kubernetes, in whose namespace it runs")
        elif self.monitoring is not None and self.kubernetes is not None:
            namespace = self.kubernetes.namespace
            if self.monitoring.namespace != namespace:
                yield Mistake(("monitoring", "namespace"), f'must be that of kubernetes, "{namespace}"')

    def _unreceived(self) -> Iterator[Mistake]:
        if self.usergems is not None and self.n8n is not None:
            for mistake in self.usergems.unreceived(self.n8n):
                yield Mistake(("usergems", *mistake.path), mistake.message)


def _settings(platform: str, name: str) -> type[Settings]:
    found: type[Settings] = getattr(import_module(f"components.{platform}.settings"), name)
    return found
