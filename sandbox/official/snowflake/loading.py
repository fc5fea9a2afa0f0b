"""Snowflake: what brings data in: integrations, stages, file formats and pipes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Kind, Reference, WhenGone, now, paths, random_id, text
from sandbox.official.snowflake.access import INTEGRATIONS
from sandbox.official.snowflake.checks import (
    Validator,
    conflict,
    every,
    exactly_one,
    flags,
    not_empty,
    one_of,
    within,
)
from sandbox.official.snowflake.names import account_object, invalid, missing, refer, schema_object
from sandbox.official.snowflake.schema_objects import FILE_FORMATS, PIPE, STAGES, TABLE, rivals
from sandbox.official.snowflake.sql import copied, same_statement
from sandbox.official.values import Path, Properties

STORAGE_INTEGRATION, EMAIL_INTEGRATION, NOTIFICATION_INTEGRATION = INTEGRATIONS[:3]

_SNOWFLAKES_AWS_ACCOUNT = "123456789012"
_FORMATS = ("formatName", "csv", "json", "avro", "orc", "parquet", "xml")
_DIRECTION = {
    "AWS_SNS": ("OUTBOUND", ("awsSnsTopicArn", "awsSnsRoleArn")),
    "AWS_SQS": ("OUTBOUND", ("awsSqsArn", "awsSqsRoleArn")),
    "AZURE_STORAGE_QUEUE": ("INBOUND", ("azureStorageQueuePrimaryUri", "azureTenantId")),
    "GCP_PUBSUB": ("", ()),
}
_CSV_COMPRESSION = ["AUTO", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "NONE"]
_ENCODINGS = [
    "BIG5",
    "EUCJP",
    "EUCKR",
    "GB18030",
    "IBM420",
    "IBM424",
    "ISO2022CN",
    "ISO2022JP",
    "ISO2022KR",
    "ISO88591",
    "ISO88592",
    "ISO88595",
    "ISO88596",
    "ISO88597",
    "ISO88598",
    "ISO88599",
    "ISO885915",
    "KOI8R",
    "SHIFTJIS",
    "UTF8",
    "UTF16",
    "UTF16BE",
    "UTF16LE",
    "UTF32",
    "UTF32BE",
    "UTF32LE",
    "WINDOWS1250",
    "WINDOWS1251",
    "WINDOWS1252",
    "WINDOWS1253",
    "WINDOWS1254",
    "WINDOWS1255",
    "WINDOWS1256",
]
_PARQUET_COMPRESSION = ["AUTO", "LZO", "SNAPPY", "NONE"]


def _external_id(draft: Draft) -> str:
    known = (draft.previous.get("describeOutputs") or [{}])[0]
    return str(known.get("externalId") or f"SANDBOX_SFCRole=2_{random_id(27)}=")


def _iam_user(draft: Draft) -> str:
    known = (draft.previous.get("describeOutputs") or [{}])[0]
    return str(known.get("iamUserArn") or _new_iam_user())


def _new_iam_user() -> str:
    return f"arn:aws:iam::{_SNOWFLAKES_AWS_ACCOUNT}:user/{random_id(4).lower()}0000-s"


def _storage_fill(draft: Draft) -> Properties:
    """What AWS must be told (whom to trust, under which external id) is given once and kept by every change."""
    asked = draft.asked
    described = {
        "id": text(asked, "name"),
        "enabled": asked.get("enabled"),
        "provider": text(asked, "storageProvider").upper(),
        "allowedLocations": asked.get("storageAllowedLocations", []),
        "blockedLocations": asked.get("storageBlockedLocations", []),
        "roleArn": text(asked, "storageAwsRoleArn"),
        "iamUserArn": _iam_user(draft),
        "externalId": text(asked, "storageAwsExternalId") or _external_id(draft),
        "objectAcl": text(asked, "storageAwsObjectAcl"),
        "comment": text(asked, "comment"),
        "usePrivatelinkEndpoint": asked.get("usePrivatelinkEndpoint") == "true",
    }
    shown = {
        "name": text(asked, "name"),
        "storageType": "EXTERNAL_STAGE",
        "category": "STORAGE",
        "enabled": asked.get("enabled"),
        "comment": text(asked, "comment"),
        "createdOn": draft.kept("showOutputs", lambda: [{"createdOn": now()}])[0]["createdOn"],
    }
    return {"describeOutputs": [described], "showOutputs": [shown]}


def _storage_refusals(draft: Draft) -> Iterator[str]:
    scheme = "s3gov://" if text(draft.asked, "storageProvider").upper() == "S3GOV" else "s3"
    for member in ("storageAllowedLocations", "storageBlockedLocations"):
        for location in draft.asked.get(member) or ():
            if location != "*" and not str(location).startswith(scheme):
                yield invalid(
                    f"invalid value '{location}' for property '{member}': a location of this provider begins with {scheme}"
                )
    if not text(draft.asked, "storageAwsRoleArn").startswith("arn:aws"):
        yield invalid("invalid value for property 'STORAGE_AWS_ROLE_ARN': not the ARN of a role")


def _notification_fill(draft: Draft) -> Properties:
    filled: Properties = {"createdOn": draft.kept("createdOn", now)}
    for service in ("Sns", "Sqs"):
        if f"aws{service}RoleArn" in draft.asked:
            filled[f"aws{service}IamUserArn"] = draft.kept(f"aws{service}IamUserArn", _new_iam_user)
            filled[f"aws{service}ExternalId"] = draft.kept(
                f"aws{service}ExternalId", lambda: f"SANDBOX_SFCRole=3_{random_id(27)}="
            )
    return filled


def _notification_refusals(draft: Draft) -> Iterator[str]:
    provider = text(draft.asked, "notificationProvider").upper()
    direction, needed = _DIRECTION[provider]
    for member in needed:
        if not draft.asked.get(member):
            yield f"002029 (42601): SQL compilation error: Missing option(s): {member}"
    given = text(draft.asked, "direction").upper()
    if direction and given and given != direction:
        yield f"001422 (22023): SQL compilation error: invalid value '{given}' for property 'Direction'"


def _stage_references(properties: Properties) -> Iterator[Reference]:
    if integration := text(properties, "storageIntegration"):
        yield refer(STORAGE_INTEGRATION, "Integration", integration, WhenGone.STAYS, also=(INTEGRATIONS[3],))
    if name := text(properties, "fileFormat", "formatName"):
        yield refer(FILE_FORMATS[0], "File format", name, WhenGone.STAYS, also=FILE_FORMATS[1:])


def _stage_refusals(draft: Draft) -> Iterator[str]:
    url = text(draft.asked, "url")
    if not url.startswith(("s3://", "s3gov://", "s3china://")):
        yield invalid(f"invalid value '{url}' for property 'URL': a location in S3 begins with s3://")
        return
    if not text(draft.asked, "storageIntegration"):
        return
    allowed = draft.parent.get("storageAllowedLocations") or ()
    blocked = draft.parent.get("storageBlockedLocations") or ()
    if allowed and not any(place == "*" or _inside(url, str(place)) for place in allowed):
        yield (
            f"SQL compilation error:\nLocation '{url}' is not allowed by integration "
            f"'{text(draft.asked, 'storageIntegration')}'. Please use DESC "
            f"INTEGRATION to check out allowed and blocked locations."
        )
    if any(_inside(url, str(place)) for place in blocked):
        yield f"SQL compilation error:\nLocation '{url}' is blocked by its integration."


def _inside(url: str, place: str) -> bool:
    return f"{url.rstrip('/')}/".startswith(f"{place.rstrip('/')}/")


def _removed(*names: str) -> Callable[[Properties, Properties], Iterator[Path]]:
    """What can be changed but not taken away."""

    def found(old: Properties, new: Properties) -> Iterator[Path]:
        yield from ((name,) for name in names if name in old and name not in new)

    return found


def _stage(token: str, **rules: Any) -> Kind:
    return schema_object(
        rivals=rivals(token, STAGES), references=_stage_references, spelled_freely=("fileFormat.formatName",), **rules
    )


_stage_checks = every(
    exactly_one(*_FORMATS, inside="fileFormat"),
    flags("directory.autoRefresh", "directory.refreshOnCreate"),
)


def _file_format(token: str, type_: str, *checks: Validator) -> Kind:
    return schema_object(
        rivals=rivals(token, FILE_FORMATS),
        fill=lambda _: {"type": type_},
        validate=every(*checks),
    )


def _pipe_references(properties: Properties) -> Iterator[Reference]:
    for member in ("integration", "errorIntegration"):
        if name := text(properties, member):
            yield refer(NOTIFICATION_INTEGRATION, "Integration", name, WhenGone.STAYS)
    if parts := copied(text(properties, "copyStatement")):
        home = (text(properties, "database"), text(properties, "schema"))
        table, stage, named = (_in(home, part) if part else None for part in parts)
        if stage:
            yield Reference(STAGES[0], stage, missing("Stage", stage), WhenGone.STAYS, STAGES[1:])
        if table:
            yield Reference(TABLE, table, missing("Table", table), WhenGone.STAYS)
        if named:
            yield Reference(FILE_FORMATS[0], named, missing("File format", named), WhenGone.STAYS, FILE_FORMATS[1:])


def _in(home: tuple[str, str], name: tuple[str, ...]) -> tuple[str, ...]:
    """A name as it is, or in the pipe's own schema where it says less."""
    return (*home, *name)[-3:]


def _pipe_refusals(draft: Draft) -> Iterator[str]:
    statement = text(draft.asked, "copyStatement")
    if copied(statement) is None:
        first = statement.split(maxsplit=1)[:1]
        yield (
            f"001003 (42000): SQL compilation error:\nsyntax error line 1 at position 0 unexpected '{''.join(first)}': a "
            f"pipe's definition is COPY INTO <table> FROM @<stage>."
        )
    elif draft.asked.get("autoIngest") and not _external_stage(draft):
        yield invalid("Auto-ingest is supported for pipes on external stages only.")


def _external_stage(draft: Draft) -> bool:
    integrations = sum(bool(text(draft.asked, member)) for member in ("integration", "errorIntegration"))
    return bool(draft.referred[integrations].get("url"))


def _pipe_fill(draft: Draft) -> Properties:
    channel = text(draft.asked, "awsSnsTopicArn")
    if draft.asked.get("autoIngest") and not channel:
        queue = f"sf-snowpipe-{random_id(21).upper()}-{secrets.token_hex(11)}"
        channel = f"arn:aws:sqs:us-east-1:{_SNOWFLAKES_AWS_ACCOUNT}:{queue}"
        channel = str(draft.previous.get("notificationChannel") or channel)
    return {"owner": "ACCOUNTADMIN", "notificationChannel": channel}


KINDS = {
    STORAGE_INTEGRATION: account_object(
        rivals=rivals(STORAGE_INTEGRATION, INTEGRATIONS),
        replaces=paths("name", "storageProvider"),
        unordered=paths("storageAllowedLocations", "storageBlockedLocations"),
        fill=_storage_fill,
        validate=every(
            one_of("storageProvider", ("S3", "S3GOV", "S3CHINA"), "S3 protocol"),
            one_of("storageAwsObjectAcl", ("bucket-owner-full-control",), "object ACL"),
            flags("usePrivatelinkEndpoint"),
            not_empty("storageAllowedLocations"),
            not_empty("storageAwsRoleArn"),
        ),
        refusals=_storage_refusals,
    ),
    EMAIL_INTEGRATION: account_object(
        rivals=rivals(EMAIL_INTEGRATION, INTEGRATIONS), replaces=paths("name"), unordered=paths("allowedRecipients")
    ),
    NOTIFICATION_INTEGRATION: account_object(
        rivals=rivals(NOTIFICATION_INTEGRATION, INTEGRATIONS),
        replaces=paths(
            "name",
            "notificationProvider",
            "azureStorageQueuePrimaryUri",
            "azureTenantId",
            "gcpPubsubSubscriptionName",
            "gcpPubsubTopicName",
        ),
        fill=_notification_fill,
        validate=every(
            one_of("type", ("QUEUE",), "type"),
            one_of("direction", ("INBOUND", "OUTBOUND"), "direction"),
            one_of("notificationProvider", _DIRECTION, "notification provider"),
            conflict("gcpPubsubSubscriptionName", "gcpPubsubTopicName"),
        ),
        refusals=_notification_refusals,
    ),
    STAGES[1]: _stage(
        STAGES[1],
        replaces=("database", "schema", "encryption"),
        replaces_too=_removed("directory"),
        fill=lambda _: {"stageType": "INTERNAL"},
        validate=every(_stage_checks, exactly_one("snowflakeFull", "snowflakeSse", inside="encryption")),
    ),
    STAGES[0]: _stage(
        STAGES[0],
        replaces=("database", "schema", "directory.awsSnsTopic"),
        replaces_too=_removed("directory", "credentials", "encryption", "storageIntegration", "awsAccessPointArn"),
        fill=lambda _: {"stageType": "EXTERNAL"},
        validate=every(
            _stage_checks,
            conflict("storageIntegration", "credentials", "usePrivatelinkEndpoint"),
            exactly_one("awsCse", "awsSseS3", "awsSseKms", "none", inside="encryption"),
            flags("usePrivatelinkEndpoint"),
        ),
        refusals=_stage_refusals,
    ),
    FILE_FORMATS[0]: _file_format(
        FILE_FORMATS[0],
        "CSV",
        one_of("compression", _CSV_COMPRESSION, "csv compression"),
        one_of("encoding", _ENCODINGS, "csv encoding"),
        one_of("binaryFormat", ("HEX", "BASE64", "UTF8"), "binary format"),
        flags("emptyFieldAsNull", "errorOnColumnCountMismatch", "multiLine", "parseHeader", "replaceInvalidCharacters"),
        flags("skipBlankLines", "skipByteOrderMark", "trimSpace"),
        within("skipHeader", 0),
        conflict("parseHeader", "skipHeader"),
    ),
    FILE_FORMATS[1]: _file_format(
        FILE_FORMATS[1],
        "JSON",
        one_of("compression", _CSV_COMPRESSION, "json compression"),
        one_of("binaryFormat", ("HEX", "BASE64", "UTF8"), "binary format"),
        flags("allowDuplicate", "enableOctal", "ignoreUtf8Errors", "multiLine", "replaceInvalidCharacters"),
        flags("skipByteOrderMark", "stripNullValues", "stripOuterArray", "trimSpace"),
        conflict("ignoreUtf8Errors", "replaceInvalidCharacters"),
    ),
    FILE_FORMATS[2]: _file_format(
        FILE_FORMATS[2],
        "PARQUET",
        one_of("compression", _PARQUET_COMPRESSION, "parquet compression"),
        flags("binaryAsText", "replaceInvalidCharacters", "trimSpace", "useLogicalType", "useVectorizedScanner"),
    ),
    PIPE: schema_object(
        bars=True,
        references=_pipe_references,
        replaces=("database", "schema", "name", "copyStatement", "autoIngest", "awsSnsTopicArn"),
        normal=((("copyStatement",), same_statement),),
        fill=_pipe_fill,
        refusals=_pipe_refusals,
    ),
}
