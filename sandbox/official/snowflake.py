"""Snowflake: ids, references and rules of the resource types that the estate uses.

Sources: the resources of snowflakedb/terraform-provider-snowflake (ids: ``EncodeResourceIdentifier`` and the
``…_identifier.go`` files; what is replaced: ``ForceNew``), and Snowflake's SQL errors as the driver words them.
Names are quoted by the provider, so they are case-sensitive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Package, Reference, WhenGone, paths, text
from sandbox.official.types import Failure, Sdk
from sandbox.official.values import Properties, has_unknowns

USER = "SCOOBYJAVA15"

_DATABASE = "snowflake:index/database:Database"
_SCHEMA = "snowflake:index/schema:Schema"
_WAREHOUSE = "snowflake:index/warehouse:Warehouse"
_ROLE = "snowflake:index/accountRole:AccountRole"
_MONITOR = "snowflake:index/resourceMonitor:ResourceMonitor"
_POLICY = "snowflake:index/networkPolicy:NetworkPolicy"
_SERVICE_USER = "snowflake:index/serviceUser:ServiceUser"
_GRANTABLE = {
    "DATABASE": (_DATABASE, "Database"),
    "WAREHOUSE": (_WAREHOUSE, "Warehouse"),
    "RESOURCE MONITOR": (_MONITOR, "Resource monitor"),
}
_SYSTEM_ROLES = ("ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "ORGADMIN", "PUBLIC")
_NETWORK_LISTS = ("allowedIpLists", "allowedNetworkRuleLists", "blockedIpLists", "blockedNetworkRuleLists")
_GRANT_TARGETS = ("onAccount", "onAccountObject", "onSchema", "onSchemaObject")


def identifier(written: str) -> Identity:
    """The parts of ``DB.SCHEMA`` or ``"DB"."SCHEMA"``; a dot inside quotes is part of the name."""
    parts = [""]
    quoted = False
    for character in written:
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(parts)


def qualified(identity: Identity) -> str:
    return ".".join(f'"{part}"' for part in identity)


def _missing(what: str, identity: Identity) -> str:
    name = ".".join(identity)
    return f"002003 (02000): SQL compilation error:\n{what} '{name}' does not exist or not authorized."


def _refer(token: str, what: str, written: str, when_gone: WhenGone = WhenGone.GOES_TOO) -> Reference:
    identity = identifier(written)
    return Reference(token, identity, _missing(what, identity), when_gone)


def _duplicate(identity: Identity) -> str:
    return f"002002 (42710): SQL compilation error:\nObject '{identity[-1]}' already exists."


def _named(properties: Properties) -> Identity:
    return (text(properties, "name"),)


def _fully_qualified(draft: Draft) -> Properties:
    return {"fullyQualifiedName": qualified(_named(draft.asked))}


def _account_object(
    *,
    references: Callable[[Properties], Iterator[Reference]] | None = None,
    existing: frozenset[Identity] = frozenset(),
    replaces: tuple[str, ...] = (),
    unordered: tuple[str, ...] = (),
    fill: Callable[[Draft], Properties] = _fully_qualified,
    validate: Callable[[Properties], Iterator[Failure]] | None = None,
    referred: Callable[[Identity], str] = _duplicate,
) -> Kind:
    """An object at the top of the account: its name is its identity, its id the quoted name."""
    return Kind(
        identity=_named,
        make_id=lambda properties: qualified(_named(properties)),
        duplicate=_duplicate,
        references=references or (lambda _: ()),
        existing=existing,
        replaces=paths(*replaces),
        unordered=paths(*unordered),
        fill=fill,
        validate=validate or (lambda _: ()),
        referred=referred,
    )


def _schema_identity(properties: Properties) -> Identity:
    return (*identifier(text(properties, "database")), text(properties, "name"))


def _warehouse_references(properties: Properties) -> Iterator[Reference]:
    if monitor := text(properties, "resourceMonitor"):
        yield _refer(_MONITOR, "Resource monitor", monitor, WhenGone.STAYS)


def _user_references(properties: Properties) -> Iterator[Reference]:
    if policy := text(properties, "networkPolicy"):
        yield _refer(_POLICY, "Network policy", policy, WhenGone.PREVENTS)


def _monitor_failures(properties: Properties) -> Iterator[Failure]:
    triggers = ("notifyTriggers", "suspendTrigger", "suspendImmediateTrigger")
    if any(trigger in properties for trigger in triggers) and "creditQuota" not in properties:
        yield Failure("creditQuota", "a resource monitor with triggers needs a credit quota")


def _attached(identity: Identity) -> str:
    name = identity[-1]
    return (
        f"Cannot perform Drop operation on network policy '{name}'. The policy is attached to an ACCOUNT or a USER. "
        f"Unset the network policy and try the Drop operation again."
    )


def _attachment_references(properties: Properties) -> Iterator[Reference]:
    yield _refer(_POLICY, "Network policy", text(properties, "networkPolicyName"), WhenGone.PREVENTS)


def _role_grant_parts(properties: Properties) -> tuple[str, str, str]:
    parent = text(properties, "parentRoleName")
    kind, target = ("ROLE", parent) if parent else ("USER", text(properties, "userName"))
    return qualified(identifier(text(properties, "roleName"))), kind, qualified(identifier(target))


def _role_grant_references(properties: Properties) -> Iterator[Reference]:
    yield _refer(_ROLE, "Role", text(properties, "roleName"))
    if parent := text(properties, "parentRoleName"):
        yield _refer(_ROLE, "Role", parent)
    if user := text(properties, "userName"):
        yield _refer(_SERVICE_USER, "User", user)


def _role_grant_failures(properties: Properties) -> Iterator[Failure]:
    yield from _exactly_one(properties, ("parentRoleName", "userName"))


def _exactly_one(properties: Properties, names: tuple[str, ...]) -> Iterator[Failure]:
    given = [name for name in names if properties.get(name) not in (None, False)]
    if len(given) != 1:
        listed = ", ".join(names)
        yield Failure(given[-1] if given else names[0], f"exactly one of {listed} must be given, not {len(given)}")


def _grant_failures(properties: Properties) -> Iterator[Failure]:
    yield from _exactly_one(properties, ("privileges", "allPrivileges"))
    yield from _exactly_one(properties, _GRANT_TARGETS)
    if isinstance(on_object := properties.get("onSchemaObject"), dict):
        for scope in ("all", "future"):
            inner = on_object.get(scope)
            if isinstance(inner, dict) and not has_unknowns(inner) and not ({"inDatabase", "inSchema"} & inner.keys()):
                yield Failure(f"onSchemaObject.{scope}", "one of inDatabase, inSchema must be given")
    for index, privilege in enumerate(properties.get("privileges") or ()):
        if isinstance(privilege, str) and not has_unknowns(privilege) and privilege != privilege.upper():
            yield Failure(f"privileges[{index}]", "privileges are case-sensitive; use upper case")


def _grant_references(properties: Properties) -> Iterator[Reference]:
    yield _refer(_ROLE, "Role", text(properties, "accountRoleName"))
    kind = text(properties, "onAccountObject", "objectType").upper()
    if kind in _GRANTABLE:
        token, what = _GRANTABLE[kind]
        yield _refer(token, what, text(properties, "onAccountObject", "objectName"))
    if schema := text(properties, "onSchema", "schemaName"):
        yield from _schema_and_database(schema)
    places = [
        ("onSchema", "allSchemasInDatabase"),
        ("onSchema", "futureSchemasInDatabase"),
        ("onSchemaObject", "all", "inDatabase"),
        ("onSchemaObject", "future", "inDatabase"),
    ]
    for place in places:
        if database := text(properties, *place):
            yield _refer(_DATABASE, "Database", database)
    for scope in ("all", "future"):
        if schema := text(properties, "onSchemaObject", scope, "inSchema"):
            yield from _schema_and_database(schema)


def _schema_and_database(schema: str) -> Iterator[Reference]:
    """A schema that is made with its database (PUBLIC) is no object of its own here: its database stands for it."""
    database = identifier(schema)[:-1]
    yield Reference(_DATABASE, database, _missing("Database", database))
    if identifier(schema)[-1] not in _BORN_WITH_DATABASE:
        yield _refer(_SCHEMA, "Schema", schema)


_BORN_WITH_DATABASE = ("PUBLIC", "INFORMATION_SCHEMA")


def _grant_id(properties: Properties) -> str:
    privileges = "ALL" if properties.get("allPrivileges") else ",".join(properties.get("privileges") or ())
    flags = [str(bool(properties.get(name))).lower() for name in ("withGrantOption", "alwaysApply")]
    role = qualified(identifier(text(properties, "accountRoleName")))
    return "|".join((role, *flags, privileges, *_grant_target(properties)))


def _grant_target(properties: Properties) -> list[str]:
    if "onAccountObject" in properties:
        on = properties["onAccountObject"]
        name = qualified(identifier(text(on, "objectName")))
        return ["OnAccountObject", text(on, "objectType").upper(), name]
    if "onSchema" in properties:
        on = properties["onSchema"]
        for name, label in _SCHEMA_GRANTS.items():
            if name in on:
                return ["OnSchema", label, qualified(identifier(text(on, name)))]
    if "onSchemaObject" in properties:
        return ["OnSchemaObject", *_schema_object_target(properties["onSchemaObject"])]
    return ["OnAccount"]


_SCHEMA_GRANTS = {
    "schemaName": "OnSchema",
    "allSchemasInDatabase": "OnAllSchemasInDatabase",
    "futureSchemasInDatabase": "OnFutureSchemasInDatabase",
}


def _schema_object_target(on: Properties) -> list[str]:
    for scope, label in (("all", "OnAll"), ("future", "OnFuture")):
        if scope in on:
            plural = text(on, scope, "objectTypePlural").upper()
            for place, where in (("inDatabase", "InDatabase"), ("inSchema", "InSchema")):
                if place in on[scope]:
                    return [label, plural, where, qualified(identifier(text(on, scope, place)))]
    return ["OnObject", text(on, "objectType").upper(), qualified(identifier(text(on, "objectName")))]


def _reapplied(properties: Properties) -> str | None:
    return "alwaysApplyTrigger" if properties.get("alwaysApply") else None


def _anything(properties: Properties) -> Identity:
    """For the types without rules of their own: where they live and what they are called."""
    places = [text(properties, name) for name in ("database", "schema")]
    return (*(place for place in places if place), text(properties, "name"))


_KINDS = {
    _DATABASE: _account_object(existing=frozenset({("SNOWFLAKE",)}), replaces=("isTransient",)),
    _SCHEMA: Kind(
        identity=_schema_identity,
        make_id=lambda properties: qualified(_schema_identity(properties)),
        duplicate=_duplicate,
        references=lambda properties: [_refer(_DATABASE, "Database", text(properties, "database"))],
        replaces=paths("database", "isTransient"),
        fill=lambda draft: {"fullyQualifiedName": qualified(_schema_identity(draft.asked))},
        conflicts=lambda new, old: _schema_identity(new) == _schema_identity(old),
    ),
    _WAREHOUSE: _account_object(references=_warehouse_references),
    _ROLE: _account_object(existing=frozenset((role,) for role in _SYSTEM_ROLES)),
    _SERVICE_USER: _account_object(
        references=_user_references,
        existing=frozenset({(USER,)}),
        fill=lambda draft: {**_fully_qualified(draft), "userType": "SERVICE"},
    ),
    _MONITOR: _account_object(
        replaces=("name",), unordered=("notifyUsers", "notifyTriggers"), validate=_monitor_failures
    ),
    _POLICY: _account_object(referred=_attached, unordered=_NETWORK_LISTS),
    "snowflake:index/networkPolicyAttachment:NetworkPolicyAttachment": Kind(
        identity=lambda properties: (text(properties, "networkPolicyName"),),
        make_id=lambda properties: f"{text(properties, 'networkPolicyName')}_attachment",
        references=_attachment_references,
        replaces=paths("networkPolicyName"),
    ),
    "snowflake:index/grantAccountRole:GrantAccountRole": Kind(
        identity=_role_grant_parts,
        make_id=lambda properties: "|".join(_role_grant_parts(properties)),
        duplicate=None,
        references=_role_grant_references,
        replaces=paths("roleName", "parentRoleName", "userName"),
        validate=_role_grant_failures,
    ),
    "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole": Kind(
        identity=lambda properties: (_grant_id(properties),),
        make_id=_grant_id,
        duplicate=None,
        references=_grant_references,
        unordered=paths("privileges"),
        replaces=paths("accountRoleName", "withGrantOption", *_GRANT_TARGETS),
        validate=_grant_failures,
        always_changes=_reapplied,
    ),
}
_UNRULED = Kind(identity=_anything, make_id=lambda properties: qualified(_anything(properties)), duplicate=_duplicate)

PACKAGE = Package(
    sdk=Sdk("snowflake", "pulumi_snowflake", "pulumi-snowflake"),
    kind=lambda token: _KINDS.get(token, _UNRULED),
)
