"""What the roles may do, by purpose. Actions are named one by one: those that the package sends for what it manages.

Source of facts: the service authorization reference, and the calls of hashicorp/terraform-provider-aws for each resource.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.aws.account import Account, bucket_arn
from components.aws.documents import Conditions, Statement, allow
from components.aws.settings import AwsSettings
from components.settings import Stage

_BUCKET_READ = (
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
)
_BUCKET_WRITE = (
    "s3:CreateBucket",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
)
_ROLE_READ = ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
_ROLE_BOUNDED = ("iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")
"""What could give a role more than it should have: only for a role that has the boundary."""
_ROLE_WRITE = (
    "iam:DeleteRole",
    "iam:ListInstanceProfilesForRole",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
_BOUNDARY_READ = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions")
_PROVIDER_WRITE = (
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
)
_KEY_READ = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")
_KEY_WRITE = (
    "kms:CreateAlias",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:TagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_TOPIC_READ = ("sns:GetTopicAttributes", "sns:ListTagsForResource")
_TOPIC_WRITE = ("sns:CreateTopic", "sns:SetTopicAttributes", "sns:TagResource")
_DELETE_STORES = ("s3:DeleteBucket", "s3:DeleteBucketPolicy")
_DELETE_KEY = ("kms:DeleteAlias", "kms:ScheduleKeyDeletion")
_OBJECT_READ = ("s3:GetObject", "s3:GetObjectVersion")
_OBJECT_WRITE = ("s3:AbortMultipartUpload", "s3:PutObject")
_KEY_USE_TO_WRITE = ("kms:Decrypt", "kms:GenerateDataKey")
"""A file of several parts is decrypted when S3 puts them together, so that writing needs both."""


@dataclass(frozen=True)
class Permissions:
    """Statements for the roles of one stage. ``key`` is the ARN of the stage's key."""

    account: Account
    settings: AwsSettings
    stage: Stage
    key: pulumi.Input[str]

    def preview(self) -> list[Statement]:
        """Reads the settings of what the stack manages. No file of a bucket is among them."""
        statements = [
            allow("ReadRoles", _ROLE_READ, self._roles),
            allow("ReadBoundary", _BOUNDARY_READ, [self._boundary]),
            allow("ReadKey", _KEY_READ, [self.key]),
            # AWS has no finer form for listing aliases, and the package finds an alias by listing.
            allow("FindAlias", ("kms:ListAliases",), ["*"]),
        ]
        if self._buckets:
            statements.append(allow("ReadBuckets", _BUCKET_READ, self._buckets))
        if self._providers:
            statements.append(allow("ReadIdentityProviders", ("iam:GetOpenIDConnectProvider",), self._providers))
        if self._topics:
            statements.append(allow("ReadTopics", _TOPIC_READ, self._topics))
        return statements

    def deploy(self) -> list[Statement]:
        """Manages what the settings declare, by name; in prod it deletes nothing that holds data.

        It may change the roles of the stage, its own included, but only within the boundary, which it cannot change.
        """
        delete = self.stage is not Stage.PROD
        bounded: Conditions = {"StringEquals": {"iam:PermissionsBoundary": self._boundary}}
        statements = [
            *self.preview(),
            allow("ChangeBoundedRoles", _ROLE_BOUNDED, self._roles, bounded),
            allow("ChangeRoles", _ROLE_WRITE, self._roles),
            # A key has no name before it exists: AWS has no finer form, and the tag says whose it will be.
            allow("MakeKey", ("kms:CreateKey",), ["*"], {"StringEquals": {"aws:RequestTag/stage": self.stage.value}}),
            allow("ChangeKey", (*_KEY_WRITE, *(_DELETE_KEY if delete else ())), [self.key, self._alias]),
        ]
        if self._buckets:
            actions = (*_BUCKET_WRITE, *(_DELETE_STORES if delete else ()))
            statements.append(allow("ChangeBuckets", actions, self._buckets))
        if self._providers:
            actions = (*_PROVIDER_WRITE, *(("iam:DeleteOpenIDConnectProvider",) if delete else ()))
            statements.append(allow("ChangeIdentityProviders", actions, self._providers))
        if self._topics:
            statements.append(
                allow("ChangeTopics", (*_TOPIC_WRITE, *(("sns:DeleteTopic",) if delete else ())), self._topics)
            )
        return statements

    def boundary(self) -> list[Statement]:
        """The most that any role of the stage can ever do: to deploy, and to use what was deployed."""
        statements = self.deploy()
        if self._buckets:
            objects = [f"{arn}/*" for arn in self._buckets]
            statements.append(allow("UseObjects", (*_OBJECT_READ, *_OBJECT_WRITE), objects))
        if self._topics:
            statements.append(allow("Publish", ("sns:Publish",), self._topics))
        return [*statements, allow("UseKey", _KEY_USE_TO_WRITE, [self.key])]

    def backup(self, bucket: str, folder: str) -> list[Statement]:
        """Writes into a folder, and reads nothing there: who steals this role gets no backup."""
        files = f"{bucket_arn(bucket)}/{folder}*"
        return [
            allow("WriteBackups", _OBJECT_WRITE, [files]),
            allow("EncryptBackups", _KEY_USE_TO_WRITE, [self.key], self._via("s3")),
        ]

    def loading(self, bucket: str, folder: str) -> list[Statement]:
        """What Snowflake documents for a stage that is only loaded from (docs.snowflake.com, storage integrations)."""
        arn = bucket_arn(bucket)
        return [
            allow("ReadFiles", _OBJECT_READ, [f"{arn}/{folder}*"]),
            allow("ListFiles", ("s3:ListBucket",), [arn], {"StringLike": {"s3:prefix": [f"{folder}*"]}}),
            allow("FindBucket", ("s3:GetBucketLocation",), [arn]),
            allow("DecryptFiles", ("kms:Decrypt",), [self.key], self._via("s3")),
        ]

    def failures(self, topic: str) -> list[Statement]:
        """Publishes to an encrypted topic."""
        return [
            allow("Publish", ("sns:Publish",), [topic]),
            allow("EncryptMessages", _KEY_USE_TO_WRITE, [self.key], self._via("sns")),
        ]

    def _via(self, service: str) -> Conditions:
        """The key is used by a service for the role, and never by the role itself."""
        return {"StringEquals": {"kms:ViaService": f"{service}.{self.account.region}.amazonaws.com"}}

    @property
    def _buckets(self) -> list[str]:
        return [bucket_arn(bucket.name) for bucket in self.settings.buckets.values()]

    @property
    def _roles(self) -> list[str]:
        return [self.account.role(name) for name in self.settings.role_names]

    @property
    def _topics(self) -> list[str]:
        failures = self.settings.snowflake.failures
        return [self.account.topic(failures.topic)] if failures else []

    @property
    def _providers(self) -> list[str]:
        """Those that the stack owns; one that is shared is another stack's."""
        owned = [issuer for issuer, how in self.settings.identity_providers.items() if how == "owned"]
        return [self.account.identity_provider(issuer) for issuer in owned]

    @property
    def _boundary(self) -> str:
        return self.account.policy(self.settings.boundary)

    @property
    def _alias(self) -> str:
        return self.account.alias(self.settings.key.alias)
