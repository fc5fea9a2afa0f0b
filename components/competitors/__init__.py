"""Competitive intelligence: what competitors publish, read on a schedule; what changed, told once; and a report a week."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.competitors.objects import objects, values
from components.competitors.settings import CompetitorsSettings
from components.n8n import N8n
from components.n8n.shipped import Shipped, Values
from components.settings import Stage, data_store_options
from components.slack import Slack
from components.snowflake import Snowflake
from components.snowflake.previews import check_previews, in_preview
from components.snowflake.settings_transforming import ScheduleSettings
from components.warehouse import Warehouse
from providers.base import dynamic
from providers.base.auth import Environment

__all__ = ["FILES", "Competitors", "CompetitorsSettings"]

FILES = {
    "pages": ("Competitors' pages", "workflows/competitor-pages.json"),
    "changes": ("Competitors' changes to Slack", "workflows/competitor-changes.json"),
    "report": ("Competitors' weekly report", "workflows/competitor-report.json"),
}
"""By key, what a workflow is called and its file. There is one of ``pages`` for each entry of ``visits``."""

_SLACK = Environment("SLACK_API_URL")


class Competitors(pulumi.ComponentResource):
    """Workflows of n8n that visit pages and tell Slack, over tables, views and tasks in Snowflake that find what changed.

    A visit asks robots.txt first, says who it is, asks only for what is new (ETag, Last-Modified), and lands the page's
    text and links. A task compares each visit with what the page said before; every change becomes one row, which is told
    in Slack once. Every week a task writes figures, with the calls in which Gong's trackers name a competitor where
    Airbyte lands those, and a workflow tells them.

    Outputs: ``workflow_ids``, by key; ``tables`` and ``views``, qualified names by key. In prod the tables are protected.

    Not managed, on purpose: pages behind a login or made by scripts (they are landed as FAILED, and said to be), Gong's
    trackers (made in Gong), Airbyte's connection that lands calls (``sophia-ai:airbyte``), and the closing of findings
    (people do it: docs/competitors.md).
    """

    workflow_ids: Mapping[str, pulumi.Output[str]]
    tables: Mapping[str, pulumi.Output[str]]
    views: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: CompetitorsSettings,
        *,
        stage: Stage,
        snowflake: Snowflake,
        warehouse: Warehouse,
        n8n: N8n,
        slack: Slack,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``warehouse``: the logins of Snowflake's users. The components are there, as `references` has checked.

        Raises SettingsError for tables without the preview feature, CredentialsError for a missing variable.
        """
        super().__init__("sophia:platform:Competitors", name, None, opts)
        self._settings, self._stage = settings, stage
        own = pulumi.ResourceOptions(parent=self)
        self._keep(snowflake, own)
        self._ships = Shipped("competitors", n8n, stage, settings.error_workflow, settings.adopt, dynamic(own))
        login, private_key = warehouse.login(settings.user, "competitors.user")
        self._credentials = {
            "slack": n8n.credential_ids[settings.slack],
            "snowflake": self._ships.credential(
                "snowflake",
                "Snowflake, as competitive intelligence",
                "snowflake",
                account=snowflake.account,
                database=login.database,
                warehouse=login.warehouse,
                role=login.role,
                schema=snowflake.schemas[settings.schema_key],
                authentication="keyPair",
                username=login.user,
                privateKey=private_key,
            ),
        }
        self.workflow_ids = self._carry(slack.channel_ids[settings.channel])
        self.register_outputs({"workflow_ids": self.workflow_ids, "tables": self.tables, "views": self.views})

    def _keep(self, snowflake: Snowflake, own: pulumi.ResourceOptions) -> None:
        settings, declared = self._settings, objects(self._settings)
        check_previews(("competitors", section) for section in in_preview(declared))

        # Here, because the SDK takes seconds to import, and only stacks with Snowflake should pay for it.
        from components.snowflake import loading, transforming
        from components.snowflake.notifications import Notifications
        from components.snowflake.scope import Scope, qualified

        scope = Scope(own, data_store_options(self._stage, own), snowflake.database, snowflake.schemas)
        words = {key: pulumi.Output.from_input(text) for key, text in values(settings).items()}
        if settings.mentions is not None:
            calls = snowflake.schemas[settings.mentions.schema_key]
            words["calls"] = qualified(snowflake.database, calls, settings.mentions.table)
        self.tables = loading.create_tables(declared, scope, {})
        streams = loading.create_streams(declared, scope, self.tables)
        readable = {"tables": self.tables, "streams": streams, "settings": words}
        self.views = transforming.create_views(declared, scope, readable, {}, {})
        readable["views"] = self.views
        transforming.create_tasks(declared, scope, readable, snowflake.warehouses, Notifications(None, None, None))

    def _carry(self, channel: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
        settings = self._settings
        told: Values = {"channel": channel, "slack-api": self._ships.address(_SLACK)}
        carried = {
            f"pages-{key}": self._workflow(
                f"pages-{key}",
                visits,
                f" ({key})",
                {
                    "schedule": key,
                    "agent": settings.agent.name,
                    "contact": settings.agent.contact,
                    "page-state": self.views["page-state"],
                    "visits": self.tables["visits"],
                },
            )
            for key, visits in settings.visits.items()
        }
        changes, reports = self.tables["changes"], self.tables["reports"]
        carried["changes"] = self._workflow("changes", settings.alerts, "", {**told, "changes": changes})
        carried["report"] = self._workflow(
            "report", settings.report.told, "", {**told, "changes": changes, "reports": reports}
        )
        return carried

    def _workflow(self, key: str, when: ScheduleSettings, suffix: str, more: Values) -> pulumi.Output[str]:
        title, path = FILES[key.partition("-")[0]]
        own: Values = {"stack": f"{pulumi.get_project()}/{self._stage.value}", "cron": when.cron, **more}
        return self._ships.workflow(key, title + suffix, path, self._credentials, own, timezone=when.time_zone)
