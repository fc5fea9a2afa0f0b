"""HubSpot's API: what a CRM is made of, an account for each stage; and the webhooks of a public app."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Routes
from sandbox.hubspot import access, account, associations, lists, pipelines, properties, schemas, webhooks
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_routes = Routes("hubspot", access.admit, access.render)
_of_apps = Routes("hubspot", access.admit_developer, access.render)
_PROPERTIES, _PIPELINES = "/crm/v3/properties/{type}", "/crm/v3/pipelines/{type}"
_SCHEMAS, _LABELS = "/crm-object-schemas/v3/schemas", "/crm/v4/associations/{from}/{to}/labels"
_LISTS, _APPS = "/crm/v3/lists", "/webhooks/v3/{app}"

PLATFORM = Platform(
    name="hubspot",
    title="HubSpot",
    routes=[
        _routes("/account-info/v3/details", GET=account.read_details),
        _routes("/account-info/v3/api-usage/daily/private-apps", GET=account.read_usage),
        _routes("/oauth/v2/private-apps/get/access-token-info", POST=account.read_token),
        _routes("/crm/v3/limits/custom-properties", GET=account.read_property_limits),
        _routes("/crm/v3/limits/custom-object-types", GET=account.read_type_limits),
        _routes(f"{_PROPERTIES}/groups", GET=properties.list_groups, POST=properties.create_group),
        _routes(
            f"{_PROPERTIES}/groups/{{name}}",
            GET=properties.read_group,
            PATCH=properties.update_group,
            DELETE=properties.archive_group,
        ),
        _routes(_PROPERTIES, GET=properties.list_properties, POST=properties.create_property),
        _routes(
            f"{_PROPERTIES}/{{name}}",
            GET=properties.read_property,
            PATCH=properties.update_property,
            DELETE=properties.archive_property,
        ),
        _routes(_PIPELINES, GET=pipelines.list_pipelines, POST=pipelines.create_pipeline),
        _routes(
            f"{_PIPELINES}/{{id}}",
            GET=pipelines.read_pipeline,
            PATCH=pipelines.update_pipeline,
            DELETE=pipelines.delete_pipeline,
        ),
        _routes(f"{_PIPELINES}/{{id}}/stages", GET=pipelines.list_stages, POST=pipelines.create_stage),
        _routes(
            f"{_PIPELINES}/{{id}}/stages/{{stage}}",
            GET=pipelines.read_stage,
            PATCH=pipelines.update_stage,
            DELETE=pipelines.delete_stage,
        ),
        _routes(_SCHEMAS, GET=schemas.list_schemas, POST=schemas.create_schema),
        _routes(
            f"{_SCHEMAS}/{{type}}", GET=schemas.read_schema, PATCH=schemas.update_schema, DELETE=schemas.delete_schema
        ),
        _routes(f"{_SCHEMAS}/{{type}}/associations", POST=schemas.create_association),
        _routes(f"{_SCHEMAS}/{{type}}/associations/{{id}}", DELETE=schemas.delete_association),
        _routes(_LABELS, GET=associations.list_labels, POST=associations.create_label, PUT=associations.update_label),
        _routes(f"{_LABELS}/{{id}}", DELETE=associations.delete_label),
        _routes(f"{_LISTS}/search", POST=lists.search_lists),
        _routes(f"{_LISTS}/", GET=lists.read_lists, POST=lists.create_list),
        _routes(f"{_LISTS}/object-type-id/{{type}}/name/{{name}}", GET=lists.find_list),
        _routes(f"{_LISTS}/{{id}}", GET=lists.read_list, DELETE=lists.delete_list),
        _routes(f"{_LISTS}/{{id}}/update-list-name", PUT=lists.rename_list),
        _routes(f"{_LISTS}/{{id}}/update-list-filters", PUT=lists.update_filters),
        _routes(f"{_LISTS}/{{id}}/restore", PUT=lists.restore_list),
        _of_apps(
            f"{_APPS}/settings",
            GET=webhooks.read_settings,
            PUT=webhooks.write_settings,
            DELETE=webhooks.delete_settings,
        ),
        _of_apps(f"{_APPS}/subscriptions", GET=webhooks.list_subscriptions, POST=webhooks.create_subscription),
        _of_apps(
            f"{_APPS}/subscriptions/{{id}}",
            GET=webhooks.read_subscription,
            PATCH=webhooks.update_subscription,
            DELETE=webhooks.delete_subscription,
        ),
    ],
    failure=_failure,
    credentials={
        "HUBSPOT_BASE_URL": "{url}",
        "HUBSPOT_ACCESS_TOKEN": access.access_token("{stage}"),
        "HUBSPOT_DEVELOPER_API_KEY": access.developer_key(),
    },
    secret=frozenset({"HUBSPOT_ACCESS_TOKEN", "HUBSPOT_DEVELOPER_API_KEY"}),
    simulated=(
        "properties with groups, pipelines with stages, custom objects, association labels, lists with their filters' "
        "form, what is archived and restored, scopes, limits, an app's webhooks; no records, and no events"
    ),
)
