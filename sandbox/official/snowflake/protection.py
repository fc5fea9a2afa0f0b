"""Snowflake: tags, masking and row access policies, authentication policies, and what they are attached to.

A policy that is attached cannot be dropped; these are of the Enterprise edition, which the account has.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, text
from sandbox.official.snowflake.access import INTEGRATIONS, ROLE, USERS, refer_to_user
from sandbox.official.snowflake.account import NETWORK_POLICY, WAREHOUSE
from sandbox.official.snowflake.checks import (
    conflict,
    data_types,
    every,
    exactly_one,
    flags,
    identifiers,
    needs,
    not_empty,
    one_of,
    within,
)
from sandbox.official.snowflake.names import (
    DATABASE,
    SCHEMA,
    identifier,
    invalid,
    missing,
    qualified,
    refer,
    schema_object,
    spelled,
    spelling,
)
from sandbox.official.snowflake.schema_objects import (
    AUTHENTICATION_POLICY,
    MASKING_POLICY,
    ROW_ACCESS_POLICY,
    SCHEMA_OBJECT_TYPES,
    TABLE_LIKE,
    TAG,
)
from sandbox.official.snowflake.sql import same_statement, same_type, type_name
from sandbox.official.values import Properties

TAG_ASSOCIATION = "snowflake:index/tagAssociation:TagAssociation"
COLUMN_POLICY = "snowflake:index/tableColumnMaskingPolicyApplication:TableColumnMaskingPolicyApplication"
USER_ATTACHMENT = "snowflake:index/userAuthenticationPolicyAttachment:UserAuthenticationPolicyAttachment"

_MOST_ALLOWED_VALUES = 5000
_LONGEST_VALUE = 256
_TAGGABLE = [
    "ACCOUNT",
    "APPLICATION",
    "APPLICATION PACKAGE",
    "COMPUTE POOL",
    "DATABASE",
    "FAILOVER GROUP",
    "INTEGRATION",
    "NETWORK POLICY",
    "REPLICATION GROUP",
    "ROLE",
    "SHARE",
    "USER",
    "WAREHOUSE",
    "DATABASE ROLE",
    "SCHEMA",
    "ALERT",
    "SNOWFLAKE.CORE.BUDGET",
    "SNOWFLAKE.ML.CLASSIFICATION",
    "EXTERNAL FUNCTION",
    "EXTERNAL TABLE",
    "FUNCTION",
    "IMAGE REPOSITORY",
    "GIT REPOSITORY",
    "ICEBERG TABLE",
    "INTERACTIVE TABLE",
    "MATERIALIZED VIEW",
    "PIPE",
    "MASKING POLICY",
    "PASSWORD POLICY",
    "ROW ACCESS POLICY",
    "SESSION POLICY",
    "STORAGE LIFECYCLE POLICY",
    "PRIVACY POLICY",
    "PROCEDURE",
    "SERVICE",
    "STAGE",
    "STREAM",
    "TABLE",
    "TASK",
    "VIEW",
    "COLUMN",
    "EVENT TABLE",
    "ICEBERG TABLE COLUMN",
]
_TAGGED = {
    **SCHEMA_OBJECT_TYPES,
    "DATABASE": (DATABASE,),
    "SCHEMA": (SCHEMA,),
    "WAREHOUSE": (WAREHOUSE,),
    "ROLE": (ROLE,),
    "USER": USERS,
    "INTEGRATION": INTEGRATIONS,
    "NETWORK POLICY": (NETWORK_POLICY,),
    "TABLE": TABLE_LIKE,
}
_METHODS = ("ALL", "SAML", "PASSWORD", "OAUTH", "KEYPAIR", "PROGRAMMATIC_ACCESS_TOKEN", "WORKLOAD_IDENTITY")
_CLIENTS = ("ALL", "SNOWFLAKE_UI", "DRIVERS", "SNOWSQL", "SNOWFLAKE_CLI")
_EVALUATIONS = ("ENFORCED_REQUIRED", "ENFORCED_NOT_REQUIRED", "NOT_ENFORCED")
_ENROLLMENT = ("REQUIRED", "REQUIRED_PASSWORD_ONLY", "OPTIONAL")


def _in_use(identity: Identity) -> str:
    return (
        f"SQL compilation error:\nPolicy {identity[-1]} cannot be dropped/replaced as it is associated "
        f"with one or more entities."
    )


def allowed_values(tag: Properties) -> list[str]:
    return [str(value) for value in tag.get("orderedAllowedValues") or tag.get("allowedValues") or ()]


def _tag_references(properties: Properties) -> Iterator[Reference]:
    for policy in properties.get("maskingPolicies") or ():
        yield refer(MASKING_POLICY, "Masking policy", str(policy), WhenGone.PREVENTS)


def _tag_refusals(draft: Draft) -> Iterator[str]:
    values = allowed_values(draft.asked)
    if len(values) > _MOST_ALLOWED_VALUES:
        yield invalid(f"A tag has at most {_MOST_ALLOWED_VALUES} allowed values, not {len(values)}.")
    if any(len(value) > _LONGEST_VALUE for value in values):
        yield invalid(f"A tag's value has at most {_LONGEST_VALUE} characters.")
    policies = [policy for policy in draft.referred if "returnDataType" in policy]
    types = [type_name(policy["returnDataType"]) for policy in policies]
    for name in sorted({name for name in types if name and types.count(name) > 1}):
        yield invalid(f"Tag '{text(draft.asked, 'name')}' already has a masking policy for the data type {name}.")


def _association_references(properties: Properties) -> Iterator[Reference]:
    yield refer(TAG, "Tag", text(properties, "tagId"))
    object_type = text(properties, "objectType").upper()
    for name in map(str, properties.get("objectIdentifiers") or ()):
        if object_type == "COLUMN":
            table = identifier(name)[:-1]
            yield Reference(TABLE_LIKE[0], table, missing("Table", table), WhenGone.STAYS, TABLE_LIKE[1:])
        elif object_type in _TAGGED:
            tokens = _TAGGED[object_type]
            yield refer(tokens[0], object_type.capitalize(), name, WhenGone.STAYS, also=tokens[1:])


def _association_refusals(draft: Draft) -> Iterator[str]:
    tag, value = draft.parent, text(draft.asked, "tagValue")
    allowed = allowed_values(tag)
    if tag.get("noAllowedValues") or (allowed and value not in allowed):
        yield (
            f"SQL compilation error:\nInvalid tag value '{value}' for tag '{text(draft.asked, 'tagId')}'. "
            f"Allowed values: {', '.join(allowed) or 'none'}."
        )
    if text(draft.asked, "objectType").upper() == "COLUMN":
        for name, table in zip(draft.asked["objectIdentifiers"], draft.referred[1:], strict=False):
            yield from _column_refusals(table, identifier(str(name))[-1])


def _column_refusals(table: Properties, column: str) -> Iterator[str]:
    """A view or a dynamic table has the columns of its query, which nobody here reads."""
    columns = [text(known, "name") for known in table.get("columns") or ()]
    if "statement" not in table and columns and column not in columns:
        yield f"000904 (42000): SQL compilation error: error line 1\ninvalid identifier '{column}'"


def _association_id(properties: Properties) -> str:
    tag = qualified(identifier(text(properties, "tagId")))
    return "|".join((tag, text(properties, "tagValue"), text(properties, "objectType").upper()))


def _association_identity(properties: Properties) -> Identity:
    names = sorted(qualified(identifier(str(name))) for name in properties.get("objectIdentifiers") or ())
    return (_association_id(properties), *names)


def _masking_refusals(draft: Draft) -> Iterator[str]:
    """The first argument is the column; what a policy returns is put in its place."""
    first, returned = draft.asked["arguments"][0], draft.asked["returnDataType"]
    if type_name(first["type"]) != type_name(returned):
        yield (
            f"SQL compilation error:\nMasking policy function argument and return type mismatch: "
            f"{first['type']} and {returned}."
        )
    yield from _argument_refusals(draft)


def _argument_refusals(draft: Draft) -> Iterator[str]:
    names = [text(argument, "name").upper() for argument in draft.asked["arguments"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield invalid(f"Duplicate argument name '{name}' in a policy's signature.")


def _column_policy_references(properties: Properties) -> Iterator[Reference]:
    yield refer(MASKING_POLICY, "Masking policy", text(properties, "maskingPolicy"), WhenGone.PREVENTS)
    yield refer(TABLE_LIKE[0], "Table", text(properties, "table"), also=TABLE_LIKE[1:])


def _column_policy_refusals(draft: Draft) -> Iterator[str]:
    policy, table = draft.referred
    column = text(draft.asked, "column")
    yield from _column_refusals(table, column)
    types = [type_name(known.get("type")) for known in table.get("columns") or () if text(known, "name") == column]
    masked = type_name(policy["arguments"][0]["type"])
    if types and types[0] and types[0] != masked:
        yield (
            f"SQL compilation error:\nData type of column '{column}' ({types[0]}) does not match the data "
            f"type of the masking policy ({masked})."
        )


def _column_policy_identity(properties: Properties) -> Identity:
    return (*identifier(text(properties, "table")), text(properties, "column"))


def _column_taken(identity: Identity) -> str:
    return f"SQL compilation error:\nColumn {identity[-1]} already attached to a masking policy."


def _attachment_references(properties: Properties) -> Iterator[Reference]:
    policy = text(properties, "authenticationPolicyName")
    yield refer(AUTHENTICATION_POLICY, "Authentication policy", policy, WhenGone.PREVENTS)
    yield refer_to_user(text(properties, "userName"))


def _attachment_taken(identity: Identity) -> str:
    return (
        f"SQL compilation error:\nObject {identity[-1]} already has an AUTHENTICATION_POLICY. Use FORCE to replace it."
    )


def _attachment_id(properties: Properties) -> str:
    names = (text(properties, member) for member in ("userName", "authenticationPolicyName"))
    return "|".join(qualified(identifier(name)) for name in names)


KINDS = {
    TAG: schema_object(
        references=_tag_references,
        unordered=paths("allowedValues", "maskingPolicies"),
        spelled_freely=("maskingPolicies.*",),
        validate=every(
            conflict("allowedValues", "noAllowedValues", "orderedAllowedValues"),
            conflict("orderedAllowedValues", "noAllowedValues"),
            one_of(
                "propagate",
                ("ON_DEPENDENCY_AND_DATA_MOVEMENT", "ON_DEPENDENCY", "ON_DATA_MOVEMENT", "NONE"),
                "tag propagation",
            ),
            needs("onConflict", "propagate"),
            exactly_one("allowedValuesSequence", "customValue", inside="onConflict"),
            identifiers("maskingPolicies.*", "<database_name>.<schema_name>.<name>"),
        ),
        refusals=_tag_refusals,
    ),
    TAG_ASSOCIATION: Kind(
        identity=_association_identity,
        make_id=_association_id,
        duplicate=None,
        references=_association_references,
        replaces=paths("objectType", "tagId"),
        unordered=paths("objectIdentifiers"),
        normal=(*spelling("tagId", "objectIdentifiers.*"), (("objectType",), lambda value: str(value).upper())),
        validate=every(not_empty("objectIdentifiers"), one_of("objectType", _TAGGABLE, "object type")),
        refusals=_association_refusals,
    ),
    MASKING_POLICY: schema_object(
        replaces=("database", "schema", "arguments", "returnDataType", "exemptOtherPolicies"),
        normal=(
            (("body",), same_statement),
            (("returnDataType",), same_type),
            (("arguments", "*", "type"), same_type),
        ),
        validate=every(
            not_empty("arguments"), data_types("arguments.*.type", "returnDataType"), flags("exemptOtherPolicies")
        ),
        refusals=_masking_refusals,
        referred=_in_use,
    ),
    ROW_ACCESS_POLICY: schema_object(
        replaces=("database", "schema", "arguments"),
        normal=((("body",), same_statement), (("arguments", "*", "type"), same_type)),
        validate=every(not_empty("arguments"), data_types("arguments.*.type")),
        refusals=_argument_refusals,
        referred=_in_use,
    ),
    COLUMN_POLICY: Kind(
        identity=_column_policy_identity,
        make_id=lambda properties: qualified(_column_policy_identity(properties)),
        duplicate=_column_taken,
        references=_column_policy_references,
        replaces=paths("table", "column", "maskingPolicy"),
        delete_first=False,
        normal=spelling("table", "maskingPolicy"),
        refusals=_column_policy_refusals,
    ),
    AUTHENTICATION_POLICY: schema_object(
        unordered=paths("authenticationMethods", "clientTypes", "securityIntegrations", "mfaAuthenticationMethods"),
        validate=every(
            one_of("authenticationMethods.*", _METHODS, "authentication methods option"),
            one_of("clientTypes.*", _CLIENTS, "client types option"),
            one_of("mfaEnrollment", _ENROLLMENT, "mfa enrollment option"),
            one_of("mfaAuthenticationMethods.*", ("ALL", "SAML", "PASSWORD"), "mfa authentication methods option"),
            one_of("patPolicy.networkPolicyEvaluation", _EVALUATIONS, "network policy evaluation option"),
            within("patPolicy.defaultExpiryInDays", 1),
            within("patPolicy.maxExpiryInDays", 1),
        ),
        referred=_in_use,
    ),
    USER_ATTACHMENT: Kind(
        identity=lambda properties: (spelled(text(properties, "userName"))[-1],),
        make_id=_attachment_id,
        duplicate=_attachment_taken,
        references=_attachment_references,
        replaces=paths("userName"),
        normal=spelling("userName", "authenticationPolicyName"),
        validate=identifiers("authenticationPolicyName", "<database_name>.<schema_name>.<name>"),
    ),
}
