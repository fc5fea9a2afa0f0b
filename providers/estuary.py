"""Estuary Flow: catalogs of captures, collections and materializations, and what stands around them.

Source of facts: Estuary's GraphQL schema (estuary/ui, ``schema.graphql``) and catalog schema (estuary/flow,
``flow.schema.json``). How a catalog is published is in ``providers/estuary_catalog.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pulumi
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from providers import base
from providers.base import (
    Call,
    Calls,
    Carried,
    Immutable,
    Json,
    Kind,
    Listing,
    Out,
    Pick,
    PlatformError,
    Trouble,
    Unordered,
    Within,
    WriteOnly,
)
from providers.estuary_catalog import ESTUARY, Publish, Read, Unpublish

Prefix = Annotated[str, Field(pattern=r"^([\w.-]+/)+$", description="a catalog prefix, with a slash at its end")]
Name = Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)+$", description="a catalog name, its prefix first")]


class EstuaryInputs(base.Inputs):
    model_config = ConfigDict(alias_generator=to_camel)


def _graphql(query: str, answer: str = "", *, repeatable: bool = True, **variables: str) -> Call:
    body: Json = {"query": " ".join(query.split()), "variables": variables}
    return Call("POST", "/api/graphql", body, payload="variables", answer=answer, repeatable=repeatable)


class Spec(base.Inputs):
    """One spec of a catalog, as the catalog's schema has it; without the secrets of its connector."""

    type: Literal["capture", "collection", "materialization", "test"]
    spec: dict[str, Any]


class BundleInputs(base.Inputs):
    """``specs`` and ``configurations`` are by catalog name. A configuration has the secret members of the spec's
    ``endpoint.connector.config``, in the same shape; ``settings`` says where in the settings a spec comes from.
    """

    prefix: Immutable[Prefix]
    data_plane: Immutable[str]
    specs: dict[str, Spec]
    configurations: WriteOnly[dict[str, Any] | None] = None
    settings: Carried[dict[str, str]] = Field(default_factory=dict)
    detail: Carried[str] = "Sophia AI"


class Bundle(base.Resource):
    """Specs that are published together, because they refer to each other: all of them, or none.

    Of the specs that exist, one that somebody else published in the meantime is not overwritten. Deleting a collection
    leaves its data in the storage bucket, deleting a materialization leaves its tables.
    """

    kind = Kind(
        api=ESTUARY,
        title="catalog bundle",
        setting="",
        inputs=BundleInputs,
        calls=Calls(
            create=Publish(),
            read=Read(),
            update=Publish(),
            delete=Unpublish(),
            update_sends="whole",
            rehearse=Publish(dry_run=True),
        ),
        identity="{prefix}",
        natural_key=("prefix",),
        mark="detail",
        outputs=(Out("publications", "publications"),),
    )


def _relay(field: str, node: str) -> Listing:
    """A list with Relay's pages, as Estuary's GraphQL has them; ``node`` are the members of one object."""
    edges = f"edges {{ node {{ {node} }} }} pageInfo {{ hasNextPage endCursor }}"
    call = _graphql(f"query ($first: Int, $after: String) {{ {field}(first: $first, after: $after) {{ {edges} }} }}")
    info = f"data.{field}.pageInfo"
    pages = base.Cursor(
        f"{info}.endCursor", param="after", size=100, limit_param="first", more_at=f"{info}.hasNextPage"
    )
    return Listing(call, items=f"data.{field}.edges", each="node", pages=pages)


_MAPPING = "catalogPrefix detail spec"


class StorageMappingInputs(EstuaryInputs):
    catalog_prefix: Immutable[Prefix]
    spec: dict[str, Any] = Field(description="stores and data_planes")
    detail: str = "Sophia AI"


class StorageMapping(base.Resource):
    """In which buckets the collections under a prefix are kept. Estuary has no call to delete one: it stays.

    Estuary makes one only while there are no specs under its prefix, and tries the buckets first.
    """

    kind = Kind(
        api=ESTUARY,
        title="storage mapping",
        setting="storage",
        inputs=StorageMappingInputs,
        calls=Calls(
            create=_graphql(
                f"""mutation ($catalogPrefix: Prefix!, $detail: String, $spec: JSON!) {{
                  createStorageMapping(catalogPrefix: $catalogPrefix, detail: $detail, spec: $spec) {{
                    storageMapping {{ {_MAPPING} }} }} }}""",
                "data.createStorageMapping.storageMapping",
                repeatable=False,
            ),
            update=_graphql(
                f"""mutation ($catalogPrefix: Prefix!, $detail: String, $spec: JSON!) {{
                  updateStorageMapping(catalogPrefix: $catalogPrefix, detail: $detail, spec: $spec) {{
                    storageMapping {{ {_MAPPING} }} }} }}""",
                "data.updateStorageMapping.storageMapping",
                catalogPrefix="{catalog_prefix}",
            ),
            update_sends="whole",
            listing=_relay("storageMappings", _MAPPING),
        ),
        identity="catalogPrefix",
        natural_key=("catalog_prefix",),
        mark="detail",
    )


AlertType = Literal[
    "auto_discover_failed",
    "background_publication_failed",
    "data_movement_stalled",
    "free_trial",
    "free_trial_ending",
    "free_trial_stalled",
    "missing_payment_method",
    "shard_failed",
    "task_auto_disabled_failing",
    "task_auto_disabled_idle",
    "task_chronically_failing",
    "task_idle",
]


class AlertSubscriptionInputs(EstuaryInputs):
    prefix: Immutable[Prefix]
    email: Immutable[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]]
    alert_types: Unordered[AlertType] | None = None
    detail: str = "Sophia AI"


_SUBSCRIPTION = "prefix: catalogPrefix email alertTypes detail"


class AlertSubscription(base.Resource):
    """Who gets an email when a task under a prefix fails or stands still. Without ``alert_types``: Estuary's choice."""

    kind = Kind(
        api=ESTUARY,
        title="alert subscription",
        setting="alerts",
        inputs=AlertSubscriptionInputs,
        calls=Calls(
            create=_graphql(
                f"""mutation ($prefix: Prefix!, $email: String!, $alertTypes: [AlertType!], $detail: String) {{
                  createAlertSubscription(prefix: $prefix, email: $email, alertTypes: $alertTypes, detail: $detail)
                  {{ {_SUBSCRIPTION} }} }}""",
                "data.createAlertSubscription",
                repeatable=False,
            ),
            read=Pick(
                _graphql(
                    f"query ($prefix: Prefix!) {{ alertSubscriptions(by: {{prefix: $prefix}}) {{ {_SUBSCRIPTION} }} }}",
                    prefix="{prefix}",
                ),
                "data.alertSubscriptions",
                by={"prefix": "prefix", "email": "email"},
            ),
            update=_graphql(
                f"""mutation ($prefix: Prefix!, $email: String!, $alertTypes: [AlertType!], $detail: String) {{
                  updateAlertSubscription(prefix: $prefix, email: $email, alertTypes: $alertTypes, detail: $detail)
                  {{ {_SUBSCRIPTION} }} }}""",
                "data.updateAlertSubscription",
                prefix="{prefix}",
                email="{email}",
            ),
            delete=_graphql(
                """mutation ($prefix: Prefix!, $email: String!) {
                  deleteAlertSubscription(prefix: $prefix, email: $email) { email } }""",
                prefix="{prefix}",
                email="{email}",
            ),
            update_sends="whole",
        ),
        identity="{prefix}{email}",
        natural_key=("prefix", "email"),
        mark="detail",
    )


_ACCOUNT = "catalogName grants { prefix capability } apiKeys { id detail createdAt expiresAt lastUsedAt }"
_ADD_GRANT = _graphql(
    f"""mutation ($catalogName: Name!, $prefix: Prefix!, $capability: Capability!) {{
      addServiceAccountGrant(catalogName: $catalogName, prefix: $prefix, capability: $capability) {{ {_ACCOUNT} }} }}""",
    "data.addServiceAccountGrant",
    catalogName="{catalog_name}",
)
_REMOVE_GRANT = _graphql(
    f"""mutation ($catalogName: Name!, $prefix: Prefix!) {{
      removeServiceAccountGrant(catalogName: $catalogName, prefix: $prefix) {{ {_ACCOUNT} }} }}""",
    "data.removeServiceAccountGrant",
    catalogName="{catalog_name}",
)
_CREATE_ACCOUNT = _graphql(
    f"""mutation ($catalogName: Name!, $grants: [UserGrantInput!]!) {{
      createServiceAccount(catalogName: $catalogName, grants: $grants) {{ {_ACCOUNT} }} }}""",
    "data.createServiceAccount",
    repeatable=False,
)


class Grant(EstuaryInputs):
    prefix: Prefix
    capability: Literal["read", "write", "admin"]


Grants = Annotated[list[Grant], AfterValidator(lambda grants: sorted(grants, key=lambda grant: grant.prefix))]
"""A set for Estuary: one capability a prefix."""


class ServiceAccountInputs(EstuaryInputs):
    catalog_name: Immutable[Name] = Field(description="where it is managed; says nothing about what it may reach")
    grants: Grants


def _account_shown(document: Json) -> Json:
    grants = sorted(document["grants"], key=lambda grant: str(grant["prefix"]))
    return {**document, "grants": [{"prefix": g["prefix"], "capability": g["capability"]} for g in grants]}


def _retired(account: Json) -> bool:
    """Estuary deletes no service account. One that has no grant and no key can do nothing any more."""
    return not account["grants"] and not account["apiKeys"]


_ACCOUNTS = _relay("serviceAccounts", _ACCOUNT)


def _account(api: base.Api, name: str) -> Json | None:
    return next((account for account in _ACCOUNTS.fetch(api, {}) if account["catalogName"] == name), None)


@dataclass(frozen=True)
class _Employ:
    """Creates a service account; one of that name that was retired gets the grants instead."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        try:
            return _CREATE_ACCOUNT.send(api, values, payload)
        except PlatformError as error:
            retired = _account(api, values["catalog_name"]) if error.trouble is Trouble.CONFLICT else None
            if retired is None or not _retired(retired):
                raise
        return _SetGrants().send(api, values, payload)


@dataclass(frozen=True)
class _SetGrants:
    """Adds and changes what is wanted, then removes what is not: an account is never without what it keeps."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        account = _account(api, values["catalog_name"])
        if account is None:
            raise PlatformError(Trouble.NOT_FOUND, f"there is no service account {values['catalog_name']}")
        wanted = {grant["prefix"]: grant for grant in (payload or {})["grants"]}
        for grant in wanted.values():
            account = _ADD_GRANT.send(api, values, grant)
        for prefix in {grant["prefix"] for grant in account["grants"]} - wanted.keys():
            account = _REMOVE_GRANT.send(api, values, {"prefix": prefix})
        return account


class ServiceAccount(base.Resource):
    """An identity of a program, with what it may reach. Estuary deletes none: deleting takes its grants, and its keys
    are resources of their own.
    """

    kind = Kind(
        api=ESTUARY,
        title="service account",
        setting="service_accounts",
        inputs=ServiceAccountInputs,
        calls=Calls(
            create=_Employ(),
            setters={"grants": _SetGrants()},
            delete=_graphql(
                """mutation ($catalogName: Name!) {
                  removeAllServiceAccountGrants(catalogName: $catalogName) { catalogName } }""",
                catalogName="{id}",
            ),
            listing=_ACCOUNTS,
        ),
        identity="catalogName",
        natural_key=("catalog_name",),
        decode=_account_shown,
        hidden=_retired,
    )


@dataclass(frozen=True)
class _Keys(Listing):
    """The keys of one service account, which are shown with it."""

    def fetch(self, api: base.Api, values: Mapping[str, Any]) -> Iterator[Json]:
        for account in super().fetch(api, {}):
            if account["catalogName"] == values["catalog_name"]:
                yield from ({**key, "catalogName": account["catalogName"]} for key in account["apiKeys"])


class ApiKeyInputs(EstuaryInputs):
    catalog_name: Immutable[Name] = Field(description="the service account's")
    detail: Immutable[str] = Field(min_length=1, description="what the key is for: by this it is found again")
    valid_for: Immutable[Annotated[str, Field(pattern=r"^P(\d+[YMWD])+$")]] = Field(
        default="P90D", description="ISO 8601, at most one year; the time starts again with each use"
    )


class ApiKey(base.Resource):
    """A key of a service account. Its secret is shown once. A key that is used never expires: only deleting revokes it."""

    secret: pulumi.Output[str]

    kind = Kind(
        api=ESTUARY,
        title="API key",
        setting="api_keys",
        inputs=ApiKeyInputs,
        calls=Calls(
            create=_graphql(
                """mutation ($catalogName: Name!, $detail: String!, $validFor: String!) {
                  createApiKey(catalogName: $catalogName, detail: $detail, validFor: $validFor) { id secret } }""",
                "data.createApiKey",
                repeatable=False,
            ),
            delete=_graphql("mutation ($id: Id!) { revokeApiKey(id: $id) { catalogName } }", id="{id}"),
            listing=_Keys(_ACCOUNTS.call, _ACCOUNTS.items, _ACCOUNTS.each, _ACCOUNTS.pages),
        ),
        identity="id",
        natural_key=("detail",),
        within=Within("catalog_name", ServiceAccount.kind),
        mark="detail",
        outputs=(Out("secret", "secret", once=True),),
    )
