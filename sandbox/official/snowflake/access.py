"""Snowflake: roles, service users and grants.

Users and roles that every account has are known without being stored: ``USER`` is the one whose key the sandbox issues.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, text
from sandbox.official.snowflake.account import MONITOR, NETWORK_POLICY, WAREHOUSE
from sandbox.official.snowflake.checks import (
    LOG_LEVELS,
    TRACE_LEVELS,
    every,
    exactly_one,
    flags,
    identifiers,
    not_empty,
    one_of,
    within,
)
from sandbox.official.snowflake.names import (
    DATABASE,
    account_object,
    identifier,
    invalid,
    qualified,
    refer,
    refer_to_schema,
    spelled,
    spelling,
)
from sandbox.official.snowflake.privileges import (
    ACCOUNT_OBJECTS,
    ALL_PLURALS,
    FUTURE_PLURALS,
    SCHEMA_OBJECTS,
    has,
)
from sandbox.official.snowflake.schema_objects import SCHEMA_OBJECT_TYPES
from sandbox.official.types import Failure
from sandbox.official.values import Properties, has_unknowns

USER = "SCOOBYJAVA15"

ROLE = "snowflake:index/accountRole:AccountRole"
SERVICE_USER = "snowflake:index/serviceUser:ServiceUser"
ROLE_GRANT = "snowflake:index/grantAccountRole:GrantAccountRole"
PRIVILEGE_GRANT = "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"

USERS = (
    SERVICE_USER,
    "snowflake:index/user:User",
    "snowflake:index/legacyServiceUser:LegacyServiceUser",
)
INTEGRATIONS = (
    "snowflake:index/storageIntegrationAws:StorageIntegrationAws",
    "snowflake:index/emailNotificationIntegration:EmailNotificationIntegration",
    "snowflake:index/notificationIntegration:NotificationIntegration",
    "snowflake:index/storageIntegration:StorageIntegration",
    "snowflake:index/apiIntegration:ApiIntegration",
)
SYSTEM_ROLES = ("ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "ORGADMIN", "PUBLIC")

_ACCOUNT_OBJECT_TYPES = {
    "DATABASE": ("Database", (DATABASE,)),
    "WAREHOUSE": ("Warehouse", (WAREHOUSE,)),
    "RESOURCE MONITOR": ("Resource monitor", (MONITOR,)),
    "INTEGRATION": ("Integration", INTEGRATIONS),
    "USER": ("User", USERS),
}
_GRANT_TARGETS = ("onAccount", "onAccountObject", "onSchema", "onSchemaObject")
_SCHEMA_GRANTS = {
    "schemaName": "OnSchema",
    "allSchemasInDatabase": "OnAllSchemasInDatabase",
    "futureSchemasInDatabase": "OnFutureSchemasInDatabase",
}


def refer_to_user(written: str) -> Reference:
    return refer(USERS[0], "User", written, also=USERS[1:])


def _user_references(properties: Properties) -> Iterator[Reference]:
    if policy := text(properties, "networkPolicy"):
        yield refer(NETWORK_POLICY, "Network policy", policy, WhenGone.PREVENTS)


def _role_grant_parts(properties: Properties) -> tuple[str, str, str]:
    parent = text(properties, "parentRoleName")
    kind, target = ("ROLE", parent) if parent else ("USER", text(properties, "userName"))
    return qualified(identifier(text(properties, "roleName"))), kind, qualified(identifier(target))


def _role_grant_references(properties: Properties) -> Iterator[Reference]:
    yield refer(ROLE, "Role", text(properties, "roleName"))
    if parent := text(properties, "parentRoleName"):
        yield refer(ROLE, "Role", parent)
    if user := text(properties, "userName"):
        yield refer_to_user(user)


def _role_grant_refusals(draft: Draft) -> Iterator[str]:
    """A role under itself; longer circles Snowflake refuses as well, and here nobody looks for them."""
    role, kind, target = _role_grant_parts(draft.asked)
    if kind == "ROLE" and role == target:
        name = spelled(role)[0]
        yield f"SQL access control error:\nRole '{name}' cannot be granted to itself."


def _grant_failures(properties: Properties) -> Iterator[Failure]:
    if isinstance(on_object := properties.get("onSchemaObject"), dict):
        for scope, allowed in (("all", ALL_PLURALS), ("future", FUTURE_PLURALS)):
            inner = on_object.get(scope)
            if not isinstance(inner, dict) or has_unknowns(inner):
                continue
            if not ({"inDatabase", "inSchema"} & inner.keys()):
                yield Failure(f"onSchemaObject.{scope}", "one of inDatabase, inSchema must be given")
            if (several := text(inner, "objectTypePlural")).upper() not in allowed:
                reason = f"invalid object type for {scope}: {several}"
                yield Failure(f"onSchemaObject.{scope}.objectTypePlural", reason)
        if "objectName" in on_object and "objectType" not in on_object:
            yield Failure("onSchemaObject.objectName", "all of objectName, objectType must be given")


def _privilege_failures(properties: Properties) -> Iterator[Failure]:
    for index, privilege in enumerate(properties.get("privileges") or ()):
        if has_unknowns(privilege):
            continue
        if str(privilege).upper() == "OWNERSHIP":
            yield Failure(f"privileges[{index}]", "ownership is granted by the resource GrantOwnership")
        if privilege != str(privilege).upper():
            yield Failure(f"privileges[{index}]", "privileges are case-sensitive; use upper case")


def _grant_references(properties: Properties) -> Iterator[Reference]:
    yield refer(ROLE, "Role", text(properties, "accountRoleName"))
    kind = text(properties, "onAccountObject", "objectType").upper()
    if kind in _ACCOUNT_OBJECT_TYPES:
        what, tokens = _ACCOUNT_OBJECT_TYPES[kind]
        yield refer(tokens[0], what, text(properties, "onAccountObject", "objectName"), also=tokens[1:])
    if schema := text(properties, "onSchema", "schemaName"):
        yield from refer_to_schema(identifier(schema))
    places = [
        ("onSchema", "allSchemasInDatabase"),
        ("onSchema", "futureSchemasInDatabase"),
        ("onSchemaObject", "all", "inDatabase"),
        ("onSchemaObject", "future", "inDatabase"),
    ]
    for place in places:
        if database := text(properties, *place):
            yield refer(DATABASE, "Database", database)
    for scope in ("all", "future"):
        if schema := text(properties, "onSchemaObject", scope, "inSchema"):
            yield from refer_to_schema(identifier(schema))
    kind = text(properties, "onSchemaObject", "objectType").upper()
    if kind in SCHEMA_OBJECT_TYPES:
        tokens = SCHEMA_OBJECT_TYPES[kind]
        yield refer(tokens[0], kind.capitalize(), text(properties, "onSchemaObject", "objectName"), also=tokens[1:])


def _granted_on(properties: Properties) -> str:
    """The type of the objects that the grant is about."""
    if "onAccountObject" in properties:
        return text(properties, "onAccountObject", "objectType").upper()
    if "onSchema" in properties:
        return "SCHEMA"
    if on := properties.get("onSchemaObject"):
        several = text(on, "all", "objectTypePlural") or text(on, "future", "objectTypePlural")
        known = {**ALL_PLURALS, **FUTURE_PLURALS}
        return known.get(several.upper(), several) if several else text(on, "objectType").upper()
    return "ACCOUNT"


def _grant_refusals(draft: Draft) -> Iterator[str]:
    object_type = _granted_on(draft.asked)
    for privilege in draft.asked.get("privileges") or ():
        if not has(object_type, privilege):
            yield (
                f"SQL access control error:\nInvalid object type '{object_type.replace(' ', '_')}' for "
                f"privilege '{privilege}'."
            )
    on = draft.asked.get("onSchemaObject", {})
    places = [text(on, scope, place) for scope in ("all", "future") for place in ("inDatabase", "inSchema")]
    if len([place for place in places if place]) > 1:
        yield invalid("Only one of IN DATABASE and IN SCHEMA can be given.")


def _grant_id(properties: Properties) -> str:
    privileges = "ALL" if properties.get("allPrivileges") else ",".join(properties.get("privileges") or ())
    flagged = [str(bool(properties.get(name))).lower() for name in ("withGrantOption", "alwaysApply")]
    role = qualified(identifier(text(properties, "accountRoleName")))
    return "|".join((role, *flagged, privileges, *_grant_target(properties)))


def _grant_target(properties: Properties) -> list[str]:
    if "onAccountObject" in properties:
        on = properties["onAccountObject"]
        return ["OnAccountObject", text(on, "objectType").upper(), qualified(identifier(text(on, "objectName")))]
    if "onSchema" in properties:
        on = properties["onSchema"]
        for name, label in _SCHEMA_GRANTS.items():
            if name in on:
                return ["OnSchema", label, qualified(identifier(text(on, name)))]
    if "onSchemaObject" in properties:
        return ["OnSchemaObject", *_schema_object_target(properties["onSchemaObject"])]
    return ["OnAccount"]


def _schema_object_target(on: Properties) -> list[str]:
    for scope, label in (("all", "OnAll"), ("future", "OnFuture")):
        if scope in on:
            plural = text(on, scope, "objectTypePlural").upper()
            for place, where in (("inDatabase", "InDatabase"), ("inSchema", "InSchema")):
                if place in on[scope]:
                    return [label, plural, where, qualified(identifier(text(on, scope, place)))]
    return ["OnObject", text(on, "objectType").upper(), qualified(identifier(text(on, "objectName")))]


def _grant_identity(properties: Properties) -> Identity:
    return (_grant_id(properties),)


def _reapplied(properties: Properties) -> str | None:
    return "alwaysApplyTrigger" if properties.get("alwaysApply") else None


KINDS = {
    ROLE: account_object(existing=frozenset((role,) for role in SYSTEM_ROLES)),
    SERVICE_USER: account_object(
        references=_user_references,
        existing=frozenset({(USER,)}),
        rivals=USERS[1:],
        fill=lambda _: {"userType": "SERVICE"},
        normal=spelling("defaultRole", "defaultWarehouse", "networkPolicy"),
        validate=every(
            one_of("defaultSecondaryRolesOption", ("DEFAULT", "NONE", "ALL"), "secondary roles option"),
            one_of("logLevel", LOG_LEVELS, "log level"),
            one_of("traceLevel", TRACE_LEVELS, "trace level"),
            flags("disabled"),
            within("minsToUnlock", 0),
            within("statementTimeoutInSeconds", 0, 604_800),
            exactly_one("aws", "gcp", "azure", "oidc", inside="defaultWorkloadIdentity"),
        ),
    ),
    ROLE_GRANT: Kind(
        identity=_role_grant_parts,
        make_id=lambda properties: "|".join(_role_grant_parts(properties)),
        duplicate=None,
        references=_role_grant_references,
        replaces=paths("roleName", "parentRoleName", "userName"),
        normal=spelling("roleName", "parentRoleName", "userName"),
        validate=exactly_one("parentRoleName", "userName"),
        refusals=_role_grant_refusals,
    ),
    PRIVILEGE_GRANT: Kind(
        identity=_grant_identity,
        make_id=_grant_id,
        duplicate=None,
        references=_grant_references,
        unordered=paths("privileges"),
        replaces=paths("accountRoleName", "withGrantOption", *_GRANT_TARGETS),
        normal=spelling(
            "accountRoleName",
            "onAccountObject.objectName",
            *(f"onSchema.{name}" for name in _SCHEMA_GRANTS),
            "onSchemaObject.objectName",
            *(f"onSchemaObject.{scope}.{place}" for scope in ("all", "future") for place in ("inDatabase", "inSchema")),
        ),
        validate=every(
            exactly_one("privileges", "allPrivileges"),
            exactly_one(*_GRANT_TARGETS),
            exactly_one("objectName", "all", "future", "inherited", inside="onSchemaObject"),
            exactly_one(*_SCHEMA_GRANTS, "inherited", inside="onSchema"),
            one_of("onAccountObject.objectType", ACCOUNT_OBJECTS, "object type"),
            one_of("onSchemaObject.objectType", SCHEMA_OBJECTS, "object type"),
            not_empty("privileges"),
            identifiers("onSchema.schemaName", "<database_name>.<name>"),
            identifiers("onSchemaObject.all.inSchema", "<database_name>.<name>"),
            identifiers("onSchemaObject.future.inSchema", "<database_name>.<name>"),
            _grant_failures,
            _privilege_failures,
        ),
        refusals=_grant_refusals,
        always_changes=_reapplied,
    ),
}
