"""NMHC Top 50: who of the largest apartment managers and owners is worth most work, computed where the data are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pulumi

from components.airbyte.settings import ConnectionSettings
from components.n8n import N8n
from components.n8n.shipped import Shipped, Values
from components.nmhc.queries import query
from components.nmhc.references import landed_tables
from components.nmhc.settings import NmhcSettings, WriteBackSettings
from components.settings import Stage, data_store_options
from components.snowflake import Snowflake
from components.snowflake.previews import check_previews
from components.warehouse import Warehouse
from providers.base import dynamic

if TYPE_CHECKING:
    import pulumi_snowflake as snowflake_sdk

__all__ = ["FILES", "NMHC", "NmhcSettings"]

FILES: Final = {"nmhc-write-back": ("NMHC scores to HubSpot", "workflows/nmhc-write-back.json")}
"""By key, what the workflow is called and its file."""

COLUMNS: Final = (
    ("LIST_YEAR", "NUMBER(4)", False, "The year of NMHC's publication"),
    ("KIND", "VARCHAR", False, "Which of its lists: MANAGERS, OWNERS, DEVELOPERS or BUILDERS"),
    ("NMHC_RANK", "NUMBER(3)", False, "The rank on that list"),
    ("COMPANY", "VARCHAR", False, "The company, as NMHC writes it"),
    ("DOMAIN", "VARCHAR", True, "Its web site, which people look up: what companies are recognised by"),
    ("UNITS", "NUMBER(9)", True, "Apartments managed or owned, as NMHC says"),
    ("PROPERTY_MANAGEMENT_SYSTEM", "VARCHAR", True, "What people have found out; HubSpot's word counts before it"),
)
"""Name, type, whether it may be empty, and what it says, of each column of the list."""

_DECISION_MAKERS: Final = (
    ("COMPANY_KEY", None), ("SOURCE", None), ("CONTACT_ID", None), ("FULL_NAME", "name"), ("EMAIL", "email"),
    ("TITLE", None), ("SENIORITY", None), ("AREA", None),
)  # fmt: skip
"""The columns of the view of decision makers, and the member of ``privacy`` that masks them."""

_HEALTH: Final = (("LISTED", None), ("KNOWN", None), ("AGE_MINUTES", None))
"""The columns of the view that `sophia health` asks."""

Names = dict[str, pulumi.Output[str]]


class NMHC(pulumi.ComponentResource):
    """A table for NMHC's lists, views that find their companies in HubSpot, Apollo and Gong, and a score as a dynamic table.

    ``NMHC_COMPANIES``: the newest lists. ``NMHC_MATCHES``: which records of HubSpot and Apollo are which company.
    ``NMHC_CALLS``: Gong's calls with them. ``NMHC_DECISION_MAKERS``: people whose title says that they decide, their names
    and addresses masked. ``NMHC_OPPORTUNITIES``: the score, a dynamic table. ``NMHC_WRITE_BACK``: what HubSpot is to have;
    a workflow in n8n reads it, compares it with HubSpot, and changes what differs. ``NMHC_HEALTH``: what `sophia health`
    asks.

    The dynamic table is refreshed in full: Airbyte replaces tables that it overwrites, and calls are those of the last
    days, which a change of the tables alone does not tell.

    Outputs: ``table`` and ``opportunities``, qualified names (the second is None before data have landed), and
    ``workflow_ids``, by key.

    Not managed, on purpose: the rows of the list. NMHC publishes it once a year (nmhc.org, NMHC 50), has no API for it and
    holds the rights; people load it (docs/nmhc.md). The landing tables, which Airbyte makes. The properties in HubSpot,
    which ``sophia-ai:hubspot`` declares. Airbyte's own destination HubSpot: for companies it wants a property with unique
    values, signs in with OAuth only, and writes whether a value has changed or not.
    """

    table: pulumi.Output[str]
    opportunities: pulumi.Output[str] | None
    workflow_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: NmhcSettings,
        *,
        stage: Stage,
        snowflake: Snowflake,
        warehouse: Warehouse,
        connections: Mapping[str, ConnectionSettings],
        n8n: N8n | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``warehouse``: the logins of Snowflake's users. ``connections``: Airbyte's, which say where tables land. ``n8n``
        is there if the settings write back. All this `components.nmhc.references` has checked.

        Raises SettingsError for a preview feature that the stack file does not enable, and for an address of another stage
        in the workflow.
        """
        super().__init__("sophia:platform:NMHC", name, None, opts)
        check_previews([("nmhc.table", "tables"), *([("nmhc.landed", "dynamic_tables")] if settings.landed else [])])
        # Here, because the SDK takes seconds to import, and only stacks with Snowflake should pay for it.
        from components.snowflake.scope import Scope, qualified

        child = pulumi.ResourceOptions(parent=self)
        self._settings, self._stage, self._snowflake = settings, stage, snowflake
        self._scope = Scope(child, data_store_options(stage, child), snowflake.database, snowflake.schemas)
        self._views: Names = {}
        self._raw = {
            key: qualified(snowflake.database, snowflake.schemas[schema], table)
            for key, (schema, table) in landed_tables(settings, connections).items()
        }
        self.table = self._create_list().fully_qualified_name
        self.opportunities, self.workflow_ids = None, {}
        if settings.landed:
            self._create_working_views()
            self.opportunities = self._create_opportunities().fully_qualified_name
            self._view("health", settings.schemas.results, "How fresh the score is, and how much it knows", _HEALTH)
            if settings.write_back is not None:
                if n8n is None:
                    raise ValueError("the score is written back by n8n, which this stack has not: check the settings")
                self._write_back(settings.write_back, warehouse, n8n)
        self.register_outputs({"table": self.table, "opportunities": self.opportunities})

    def _create_list(self) -> snowflake_sdk.Table:
        import pulumi_snowflake as snowflake

        return snowflake.Table(
            "nmhc-top-50",
            name=self._settings.table,
            database=self._scope.database,
            schema=self._scope.schemas[self._settings.schemas.list_],
            columns=[
                {"name": name, "type": type_, "nullable": empty, "comment": comment}
                for name, type_, empty, comment in COLUMNS
            ],
            primary_key={"keys": ["LIST_YEAR", "KIND", "COMPANY"]},
            change_tracking=True,  # Snowflake turns it on for dynamic tables, and it must not be turned off again
            comment="The companies of NMHC's lists by year; people load it from its publication",
            opts=self._scope.store,
        )

    def _create_working_views(self) -> None:
        working, results = self._settings.schemas.working, self._settings.schemas.results
        self._view("companies", working, "The companies of NMHC's newest lists")
        self._view("matches", working, "Which records of HubSpot and Apollo are which company")
        self._view("calls", working, "Gong's calls with them, of the last days")
        self._view("decision-makers", results, "Who decides there; names and addresses are masked", _DECISION_MAKERS)

    def _create_opportunities(self) -> snowflake_sdk.DynamicTable:
        import pulumi_snowflake as snowflake

        settings = self._settings
        return snowflake.DynamicTable(
            "nmhc-opportunities",
            name="NMHC_OPPORTUNITIES",
            database=self._scope.database,
            schema=self._scope.schemas[settings.schemas.results],
            query=self._filled("opportunities"),
            warehouse=self._snowflake.warehouses[settings.warehouse],
            target_lag={"maximum_duration": settings.lag},
            refresh_mode="FULL",
            comment="How much each company of NMHC's lists is worth, from 0 to 100",
            opts=self._scope.unique,
        )

    def _view(self, key: str, schema: str, comment: str, columns: tuple[tuple[str, str | None], ...] = ()) -> None:
        import pulumi_snowflake as snowflake

        from components.snowflake.scope import flag

        declared: list[snowflake.ViewColumnArgsDict] = []
        for column, member in columns:
            shown: snowflake.ViewColumnArgsDict = {"column_name": column}
            if member:
                mask = self._snowflake.masks[getattr(self._settings.privacy, member)]
                shown["masking_policy"] = {"policy_name": mask}
            declared.append(shown)
        self._views[key] = snowflake.View(
            f"nmhc-{key}",
            name=f"NMHC_{key.upper().replace('-', '_')}",
            database=self._scope.database,
            schema=self._scope.schemas[schema],
            statement=self._filled(key.replace("-", "_")),
            columns=declared or None,
            is_secure=flag(True),
            comment=comment,
            opts=self._scope.unique,
        ).fully_qualified_name

    def _filled(self, name: str) -> pulumi.Output[str]:
        from components.snowflake.scope import filled

        tables = {} if self.opportunities is None else {"opportunities": self.opportunities}
        known = {"raw": self._raw, "nmhc": {"list": self.table}, "views": dict(self._views), "tables": tables}
        return filled(query(name, self._settings), known)

    def _write_back(self, settings: WriteBackSettings, warehouse: Warehouse, n8n: N8n) -> None:
        self._view("write-back", self._settings.schemas.results, "What HubSpot's companies are to have, as texts")
        own = dynamic(self._scope.child)
        ships = Shipped("nmhc", n8n, self._stage, settings.error_workflow, settings.adopt, own)
        login, private_key = warehouse.login(settings.user, "nmhc.write_back.user")
        used = {
            "hubspot": n8n.credential_ids[settings.hubspot],
            "snowflake": ships.credential(
                "nmhc-snowflake",
                "Snowflake, NMHC scores",
                "snowflake",
                account=self._snowflake.account,
                database=login.database,
                warehouse=login.warehouse,
                role=login.role,
                authentication="keyPair",
                username=login.user,
                privateKey=private_key,
            ),
        }
        written = settings.properties
        properties = {
            "NMHC_RANK": written.rank,
            "SCORE": written.score,
            "TIER": written.tier,
            "DECISION_MAKERS": written.decision_makers,
            "AREAS": written.areas,
        }
        values: Values = {"view": self._views["write-back"], "properties": json.dumps(properties)}
        ((key, (title, path)),) = FILES.items()
        self.workflow_ids = {key: ships.workflow(key, title, path, used, values)}
