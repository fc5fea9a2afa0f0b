"""Buckets, each with everything that keeps it private and recoverable. Imports the SDK: see the package's ``__init__``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import s3

from components.aws.account import Account
from components.aws.documents import bucket_policy, document, written_by_s3
from components.aws.settings import AwsSettings, BucketSettings
from components.settings import Stage, data_store_options, output_named

_UNFINISHED_UPLOAD_DAYS = 7


@dataclass(frozen=True)
class Storage:
    """How buckets are made. ``key`` is the ARN of the stage's key; ``outputs`` are the queues of other components."""

    settings: AwsSettings
    account: Account
    stage: Stage
    key: pulumi.Output[str]
    tags: Mapping[str, str]
    outputs: Mapping[str, pulumi.Input[str]]
    child: pulumi.ResourceOptions

    def create(self) -> dict[str, s3.Bucket]:
        """All buckets of the settings, by key."""
        buckets = {key: self._create_bucket(key, entry) for key, entry in self.settings.buckets.items()}
        policies = {key: self._guard(key, self.settings.buckets[key], bucket) for key, bucket in buckets.items()}
        for key, entry in self.settings.buckets.items():
            if entry.logs_to:
                s3.BucketLogging(
                    key,
                    bucket=buckets[key].bucket,
                    target_bucket=buckets[entry.logs_to].bucket,
                    target_prefix=f"{entry.name}/",
                    opts=self._after(policies[entry.logs_to]),
                )
            self._create_notifications(key, entry, buckets[key])
        return buckets

    def _create_bucket(self, key: str, settings: BucketSettings) -> s3.Bucket:
        return s3.Bucket(
            key,
            bucket=settings.name,
            object_lock_enabled=settings.lock_days is not None,
            tags=self.tags,
            opts=data_store_options(self.stage, self.child),
        )

    def _guard(self, key: str, settings: BucketSettings, bucket: s3.Bucket) -> s3.BucketPolicy:
        """All that S3 has as objects of their own, around a bucket. Gives the last, which waits for what it needs."""
        takes_logs = key in self.settings.log_buckets
        s3.BucketOwnershipControls(
            key, bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self._kept
        )
        private = s3.BucketPublicAccessBlock(
            key,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._kept,
        )
        default: s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgsDict = (
            {"sse_algorithm": "AES256"}  # S3 delivers no access log into a bucket with a key of ours
            if takes_logs
            else {"sse_algorithm": "aws:kms", "kms_master_key_id": self.key}
        )
        s3.BucketServerSideEncryptionConfiguration(
            key,
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": default, "bucket_key_enabled": not takes_logs}],
            opts=self._kept,
        )
        versioning = s3.BucketVersioning(
            key, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=self._kept
        )
        s3.BucketLifecycleConfiguration(
            key, bucket=bucket.bucket, rules=_lifecycle(settings), opts=self._after(versioning)
        )
        if settings.lock_days:
            s3.BucketObjectLockConfiguration(
                key,
                bucket=bucket.bucket,
                rule={"default_retention": {"mode": settings.lock_mode, "days": settings.lock_days}},
                opts=self._after(versioning),
            )
        statements = bucket_policy(settings.name, None if takes_logs else self.key)
        if takes_logs:
            sources = [entry.name for entry in self.settings.buckets.values() if entry.logs_to == key]
            statements += written_by_s3(settings.name, sources, self.account)
        # S3 refuses the one while it is busy with the other.
        return s3.BucketPolicy(key, bucket=bucket.bucket, policy=document(statements), opts=self._after(private))

    def _create_notifications(self, key: str, settings: BucketSettings, bucket: s3.Bucket) -> None:
        if not settings.notifications:
            return
        queues: list[s3.BucketNotificationQueueArgsDict] = []
        for name, entry in settings.notifications.items():
            setting = f"aws.buckets.{key}.notifications.{name}.output"
            queue = entry.queue or output_named(str(entry.output), self.outputs, setting)
            queues.append(
                {
                    "id": name,
                    "queue_arn": queue,
                    "events": ["s3:ObjectCreated:*"],  # every way in which a file can arrive
                    "filter_prefix": entry.folder,
                }
            )
        s3.BucketNotification(key, bucket=bucket.bucket, queues=queues, opts=self.child)

    @property
    def _kept(self) -> pulumi.ResourceOptions:
        """In prod a bucket that leaves the state keeps what guards it, or it would be left open."""
        in_prod = self.stage is Stage.PROD
        return pulumi.ResourceOptions.merge(self.child, pulumi.ResourceOptions(retain_on_delete=in_prod))

    def _after(self, resource: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[resource]))


def _lifecycle(settings: BucketSettings) -> list[s3.BucketLifecycleConfigurationRuleArgsDict]:
    """One rule for all files: what ages, and what is left over."""
    rule: s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "age",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrent_version_expiration": {"noncurrent_days": settings.keep_old_versions_days},
        "abort_incomplete_multipart_upload": {"days_after_initiation": _UNFINISHED_UPLOAD_DAYS},
    }
    if settings.archive_after_days:
        rule["transitions"] = [{"days": settings.archive_after_days, "storage_class": "GLACIER_IR"}]
    if settings.expire_after_days:
        rule["expiration"] = {"days": settings.expire_after_days}
    return [rule]
