"""S3: buckets, and all that S3 keeps as settings of their own around a bucket.

Source: hashicorp/terraform-provider-aws (``internal/service/s3``) and the S3 API reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from sandbox.official.aws_documents import is_json, parsed, problem
from sandbox.official.aws_names import REGION, api_error, bucket_missing
from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, text
from sandbox.official.types import Failure
from sandbox.official.values import Properties, has_unknowns, is_unknown

_BUCKET = "aws:s3/bucket:Bucket"
_BUCKET_NAME = re.compile(r"(?!.*\.\.)(?!xn--)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OF_OTHERS = frozenset({("backups",), ("data",), ("logs",), ("test",)})
"""Names are unique among all accounts of the world; these have been somebody's for long."""
_HOSTED_ZONE = "Z3BJ6K6RIION7M"
_AT_LEAST_30_DAYS = ("STANDARD_IA", "ONEZONE_IA")
_QUEUE = re.compile(r"arn:aws[\w-]*:sqs:([\w-]+):\d{12}:[\w.-]+")


def _bucket_fill(draft: Draft) -> Properties:
    name = text(draft.asked, "bucket")
    return {
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{REGION}.amazonaws.com",
        "bucketRegion": REGION,
        "region": REGION,
        "hostedZoneId": _HOSTED_ZONE,
        "forceDestroy": False,
        "objectLockEnabled": False,
        "requestPayer": "BucketOwner",
        "tagsAll": draft.asked.get("tags", {}),
    }


def _bucket_failures(properties: Properties) -> Iterator[Failure]:
    name = text(properties, "bucket")
    if name and not is_unknown(name) and not _BUCKET_NAME.fullmatch(name):
        yield Failure(
            "bucket", "validating S3 Bucket name: only lowercase alphanumeric characters, dots and hyphens, 3 to 63"
        )


def _bucket_exists(identity: Identity) -> str:
    if identity in _OF_OTHERS:
        said = "BucketAlreadyExists: The requested bucket name is not available."
    else:
        said = "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it."
    return api_error("S3", "CreateBucket", 409, said)


def _bucket_reference(operation: str, member: str = "bucket") -> Callable[[Properties], Iterator[Reference]]:
    def found(properties: Properties) -> Iterator[Reference]:
        yield Reference(_BUCKET, (text(properties, member),), bucket_missing(operation))

    return found


def _logging_references(properties: Properties) -> Iterator[Reference]:
    yield from _bucket_reference("PutBucketLogging")(properties)
    target = text(properties, "targetBucket")
    said = "InvalidTargetBucketForLogging: The target bucket for logging does not exist"
    yield Reference(_BUCKET, (target,), api_error("S3", "PutBucketLogging", 400, said), WhenGone.STAYS)


def _setting(operation: str, **rules: Any) -> Kind:
    """A setting of a bucket: put again it is overwritten, and it goes with its bucket."""
    return Kind(
        identity=lambda properties: (text(properties, "bucket"),),
        make_id=lambda properties: text(properties, "bucket"),
        duplicate=None,
        replaces=paths("bucket", "expectedBucketOwner"),
        **{"references": _bucket_reference(operation), "fill": lambda _: {"region": REGION}, **rules},
    )


def _policy_refusals(draft: Draft) -> Iterator[str]:
    document, bucket = text(draft.asked, "policy"), text(draft.asked, "bucket")
    said = problem(document)
    if said is None:
        here = (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/")
        arns = re.findall(r"arn:aws:s3:::[^\"\s]+", _resources(document))
        if any(arn != here[0] and not arn.startswith(here[1]) for arn in arns):
            said = "Policy has invalid resource"
    if said:
        yield api_error("S3", "PutBucketPolicy", 400, f"MalformedPolicy: {said}")


def _resources(document: str) -> str:
    """What the statements are about; the ARNs in their conditions may be of other buckets."""
    statements = parsed(document)["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return "\n".join(f'"{arn}"' for one in listed for arn in _listed(one.get("Resource", ())))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _versioning_refusals(draft: Draft) -> Iterator[str]:
    status = text(draft.asked, "versioningConfiguration", "status")
    if draft.parent.get("objectLockEnabled") and status != "Enabled":
        said = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        yield api_error("S3", "PutBucketVersioning", 409, f"InvalidBucketState: {said}")


def _versioning_failures(properties: Properties) -> Iterator[Failure]:
    yield from _one_of(properties, ("versioningConfiguration", "status"), ("Enabled", "Suspended", "Disabled"))


def _ownership_failures(properties: Properties) -> Iterator[Failure]:
    allowed = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
    yield from _one_of(properties, ("rule", "objectOwnership"), allowed)


def _one_of(properties: Properties, path: tuple[str, ...], allowed: tuple[str, ...]) -> Iterator[Failure]:
    value = text(properties, *path)
    if value and not is_unknown(value) and value not in allowed:
        yield Failure(".".join(path), f"expected one of {', '.join(allowed)}, got {value}")


def _encryption_failures(properties: Properties) -> Iterator[Failure]:
    for index, rule in enumerate(properties.get("rules") or ()):
        default = rule.get("applyServerSideEncryptionByDefault") or {}
        path = f"rules[{index}].applyServerSideEncryptionByDefault"
        algorithm = default.get("sseAlgorithm")
        if algorithm not in ("AES256", "aws:kms", "aws:kms:dsse") and not is_unknown(algorithm):
            yield Failure(f"{path}.sseAlgorithm", "expected one of AES256, aws:kms, aws:kms:dsse")
        if algorithm == "AES256" and default.get("kmsMasterKeyId"):
            yield Failure(f"{path}.kmsMasterKeyId", "a key is for aws:kms only")


def _lifecycle_refusals(draft: Draft) -> Iterator[str]:
    rules = draft.asked.get("rules") or ()
    ids = [rule.get("id") for rule in rules]
    if len(set(ids)) != len(ids):
        yield _lifecycle("InvalidArgument: Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        moves = rule.get("transitions") or ()
        for move in moves:
            if move.get("storageClass") in _AT_LEAST_30_DAYS and (move.get("days") or 0) < 30:
                said = "'Days' in Transition action must be greater than or equal to 30 for storageClass"
                yield _lifecycle(f"InvalidArgument: {said} '{move['storageClass']}'")
        expires = (rule.get("expiration") or {}).get("days")
        if expires is not None and any(expires <= (move.get("days") or 0) for move in moves):
            said = "'Days' in the Expiration action for filter must be greater than 'Days' in the Transition action"
            yield _lifecycle(f"InvalidArgument: {said}")


def _lifecycle(said: str) -> str:
    return api_error("S3", "PutBucketLifecycleConfiguration", 400, said)


def _lock_failures(properties: Properties) -> Iterator[Failure]:
    retention = (properties.get("rule") or {}).get("defaultRetention") or {}
    if retention and ("days" in retention) == ("years" in retention):
        yield Failure("rule.defaultRetention", "exactly one of days, years must be given")
    yield from _one_of(properties, ("rule", "defaultRetention", "mode"), ("COMPLIANCE", "GOVERNANCE"))


def _lock_refusals(draft: Draft) -> Iterator[str]:
    if not draft.parent.get("objectLockEnabled"):
        said = "Object Lock configuration cannot be enabled on existing buckets without versioning"
        yield api_error("S3", "PutObjectLockConfiguration", 409, f"InvalidBucketState: {said}")


def _notification_refusals(draft: Draft) -> Iterator[str]:
    queues = [queue for queue in draft.asked.get("queues") or () if not has_unknowns(queue)]
    for queue in queues:
        if not _QUEUE.fullmatch(str(queue.get("queueArn"))):
            yield _notification("Unable to validate the following destination configurations")
    for one, other in combinations(queues, 2):
        prefixes = [str(queue.get("filterPrefix") or "") for queue in (one, other)]
        if prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0]):
            yield _notification(
                "Configurations overlap. Configurations on the same bucket cannot share a common event type."
            )


def _notification(said: str) -> str:
    return api_error("S3", "PutBucketNotificationConfiguration", 400, f"InvalidArgument: {said}")


_SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

KINDS = {
    _BUCKET: Kind(
        identity=lambda properties: (text(properties, "bucket"),),
        make_id=lambda properties: text(properties, "bucket"),
        duplicate=_bucket_exists,
        existing=_OF_OTHERS,
        replaces=paths("bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled", "region"),
        fill=_bucket_fill,
        validate=_bucket_failures,
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        "PutPublicAccessBlock", fill=lambda _: {**dict.fromkeys(_SWITCHES, False), "region": REGION}
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "PutBucketOwnershipControls", validate=_ownership_failures
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        "PutBucketVersioning", validate=_versioning_failures, refusals=_versioning_refusals
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "PutBucketEncryption", validate=_encryption_failures
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(
        "PutBucketPolicy",
        validate=is_json("policy"),
        refusals=_policy_refusals,
        normal=((("policy",), parsed),),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "PutBucketLifecycleConfiguration",
        refusals=_lifecycle_refusals,
        fill=lambda _: {"transitionDefaultMinimumObjectSize": "all_storage_classes_128K", "region": REGION},
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _setting(
        "PutObjectLockConfiguration",
        validate=_lock_failures,
        refusals=_lock_refusals,
        fill=lambda _: {"objectLockEnabled": "Enabled", "region": REGION},
    ),
    "aws:s3/bucketLogging:BucketLogging": _setting("PutBucketLogging", references=_logging_references),
    "aws:s3/bucketNotification:BucketNotification": _setting(
        "PutBucketNotificationConfiguration",
        refusals=_notification_refusals,
        fill=lambda _: {"eventbridge": False, "region": REGION},
    ),
}
