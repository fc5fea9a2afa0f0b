"""Figma's REST API: webhooks, dev resources and variables of an organisation with one team, and its projects and files."""

from __future__ import annotations

from sandbox.figma import access, dev_resources, places, variables, webhooks
from sandbox.http import Routes
from sandbox.platform import Platform

_mixed = Routes("figma", access.admit, access.render_mixed)
_plain = Routes("figma", access.admit, access.render_plain)
_boolean = Routes("figma", access.admit_or_401, access.render)

PLATFORM = Platform(
    name="figma",
    title="Figma",
    routes=[
        _mixed("/v1/me", GET=places.read_me),
        _mixed("/v1/teams/{team}/projects", GET=places.list_projects),
        _mixed("/v1/projects/{project}/files", GET=places.list_files),
        _plain("/v1/files/{file}/meta", GET=places.read_file),
        _mixed("/v2/webhooks", GET=webhooks.list_webhooks, POST=webhooks.create_webhook),
        _mixed(
            "/v2/webhooks/{id}",
            GET=webhooks.read_webhook,
            PUT=webhooks.update_webhook,
            DELETE=webhooks.delete_webhook,
        ),
        _mixed("/v2/webhooks/{id}/requests", GET=webhooks.list_requests),
        _boolean("/v1/dev_resources", POST=dev_resources.create_dev_resources, PUT=dev_resources.update_dev_resources),
        _boolean("/v1/files/{file}/dev_resources", GET=dev_resources.list_dev_resources),
        _boolean("/v1/files/{file}/dev_resources/{id}", DELETE=dev_resources.delete_dev_resource),
        _boolean("/v1/files/{file}/variables", POST=variables.write),
        _boolean("/v1/files/{file}/variables/local", GET=variables.read_local),
    ],
    failure=access.failure,
    credentials={
        "FIGMA_API_URL": "{url}",
        "FIGMA_TOKEN": access.TOKEN,
        "FIGMA_TEAM_ID": access.TEAM,
        "FIGMA_PLAN_ID": access.PLAN,
    },
    secret=frozenset({"FIGMA_TOKEN"}),
    simulated=(
        "webhooks with their PING, caps and log of deliveries, dev resources, variables with modes and aliases, scopes, "
        "plans and, if told so, rate limits; no file has any content, and no event but PING is ever sent"
    ),
)
