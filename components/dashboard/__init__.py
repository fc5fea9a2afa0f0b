"""The executive dashboard: what Pay Ready earns, its share of the market, what a customer costs; views, and a page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi

from components.dashboard import sql
from components.dashboard.settings import DashboardSettings, HubSpotSettings

if TYPE_CHECKING:
    from components.snowflake import Snowflake

__all__ = ["FILES", "MAIN", "PAGE", "Dashboard", "DashboardSettings"]

PAGE: Final = Path(__file__).resolve().parents[2] / "dashboard"
"""The folder of the page."""

MAIN: Final = "streamlit_app.py"
FILES: Final = (MAIN, "environment.yml")
"""What of the folder Snowflake gets."""

_PREFIX = "dashboard."
"""Of logical names: keys of Snowflake's settings have no dots, so that these never meet them."""


class Dashboard(pulumi.ComponentResource):
    """Secure views in a schema of their own, a Streamlit app that shows them, and the task that knows who was won.

    The app's files are put into a stage by the deployment itself, under a folder named by their content; the app is then
    turned to that folder, and the old files go. Whoever has one of ``roles`` may open it. It asks Snowflake with the
    rights of the role that deployed it, as every Streamlit app does, and takes nothing from its readers but a month.

    Outputs: ``views``, qualified, by key; ``page``, the qualified name of the app.

    Not managed, on purpose: the tables that the views read (``sophia-ai:snowflake.tables`` declares them; dbt and finance
    fill them), the address of the app (Snowflake makes it, ``SHOW STREAMLITS`` tells its ``url_id``), who has a role. No
    Git repository in Snowflake: the provider's Streamlit cannot stand on one
    (snowflakedb/terraform-provider-snowflake#4766).
    """

    views: Mapping[str, pulumi.Output[str]]
    page: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: DashboardSettings,
        *,
        snowflake: Snowflake,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``snowflake``: has what the settings name, as `components.dashboard.references` has checked."""
        super().__init__("sophia:platform:Dashboard", name, None, opts)
        self._settings, self._snowflake = settings, snowflake
        self._child = pulumi.ResourceOptions(parent=self)
        self._unique = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        self._tables = {source: snowflake.tables[key] for _, source, key in sql.sources(settings)}
        self._schema = snowflake.schemas[settings.schema_key]
        self.views = self._create_views()
        cost = settings.figures.acquisition_cost
        if cost is not None and cost.hubspot is not None:
            self._create_task(cost.hubspot)
        self.page = self._create_page()
        self.register_outputs({"views": self.views, "page": self.page})

    def _create_views(self) -> Mapping[str, pulumi.Output[str]]:
        # Here, because the SDK takes seconds to import, and only stacks with the dashboard should pay for it.
        import pulumi_snowflake as snowflake

        from components.snowflake.scope import filled, flag

        made: dict[str, pulumi.Output[str]] = {}
        for key, view in sql.views(self._settings).items():
            made[key] = snowflake.View(
                f"{_PREFIX}{key}",
                name=key.replace("-", "_").upper(),
                database=self._snowflake.database,
                schema=self._schema,
                statement=filled(view.sql, {"tables": self._tables, "views": dict(made)}),
                is_secure=flag(True),
                comment=view.comment,
                opts=self._unique,
            ).fully_qualified_name
        return made

    def _create_task(self, settings: HubSpotSettings) -> None:
        import pulumi_snowflake as snowflake

        from components.snowflake.scope import filled, qualified

        statement = sql.won_deals(self._settings)
        told = qualified(self._snowflake.database, self._snowflake.schemas[settings.schema_key], settings.table)
        snowflake.Task(
            f"{_PREFIX}won-deals",
            name="WON_DEALS_FROM_HUBSPOT",
            database=self._snowflake.database,
            schema=self._schema,
            sql_statement=filled(statement.sql, {"tables": self._tables, "hubspot": {"deals": told}}),
            started=True,
            schedule={"using_cron": settings.schedule.text()},
            warehouse=self._snowflake.warehouses[settings.warehouse],
            comment=statement.comment,
            opts=self._unique,
        )

    def _create_page(self) -> pulumi.Output[str]:
        import pulumi_snowflake as snowflake

        from components.snowflake.scope import qualified

        settings = self._settings
        stage = snowflake.StageInternal(
            f"{_PREFIX}page",
            name="DASHBOARD_FILES",
            database=self._snowflake.database,
            schema=self._schema,
            encryption={"snowflake_sse": {}},  # the app reads its files on Snowflake's side
            comment="The files of the executive dashboard; each folder is one state of them",
            opts=self._unique,
        )
        warehouse = self._snowflake.warehouses[settings.warehouse]
        # An unload needs a warehouse, which the connection of all other resources does not have.
        writer = snowflake.Provider(
            f"{_PREFIX}files",
            warehouse=warehouse,
            validate_default_parameters="false",  # a first preview knows its name before it is there
            opts=self._child,
        )
        content = {file: (PAGE / file).read_text() for file in FILES}
        folder = hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()[:12]
        written = [
            snowflake.Execute(
                f"{_PREFIX}{file}",
                execute=stage.fully_qualified_name.apply(
                    lambda at, file=file, text=text: sql.write_file(at, f"{folder}/{file}", text)  # type: ignore[misc]  # mypy does not infer lambdas with defaults
                ),
                revert=stage.fully_qualified_name.apply(
                    lambda at, file=file: sql.remove_file(at, f"{folder}/{file}")  # type: ignore[misc]  # as above
                ),
                opts=pulumi.ResourceOptions(parent=self, provider=writer),
            )
            for file, text in content.items()
        ]
        page = snowflake.Streamlit(
            f"{_PREFIX}page",
            name="EXECUTIVE_DASHBOARD",
            database=self._snowflake.database,
            schema=self._schema,
            stage=stage.fully_qualified_name,
            directory_location=folder,
            main_file=MAIN,
            query_warehouse=warehouse,
            title=settings.title,
            comment="Figures of the views beside it",
            opts=pulumi.ResourceOptions.merge(self._unique, pulumi.ResourceOptions(depends_on=written)),
        )
        for key in settings.roles:
            snowflake.GrantPrivilegesToAccountRole(
                f"{_PREFIX}page.{key}",
                account_role_name=qualified(self._snowflake.roles[key]),
                privileges=["USAGE"],
                on_schema_object={
                    "object_type": "STREAMLIT",
                    "object_name": page.fully_qualified_name,
                },
                opts=self._child,
            )
        return page.fully_qualified_name
