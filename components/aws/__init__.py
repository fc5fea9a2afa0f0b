"""AWS: the buckets and the key for Snowflake's stages and for backups, and the roles that may use or change them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi

from components.aws.account import Account, issuer_of
from components.aws.documents import (
    Statement,
    document,
    key_policy,
    taken_by_environments,
    taken_by_snowflake,
    taken_by_workflows,
    topic_policy,
)
from components.aws.permissions import Permissions
from components.aws.settings import AwsSettings, RoleSettings
from components.settings import CredentialsError, Stage, data_store_options, output_named, where

if TYPE_CHECKING:
    from pulumi_aws import iam, kms

LONGEST_SESSION_SECONDS = 3600
KEY_DELETION_DAYS = 30
"""The longest that KMS waits: until then a deletion of the key can be undone."""


class AWS(pulumi.ComponentResource):
    """Identity providers, roles, one key, buckets, and what Snowflake needs of them, in one account.

    Nobody gets an access key: roles are taken for an hour with the tokens of GitHub Actions (by repository and
    environment or branch), of Pulumi Cloud (by ESC environment), or by the user that Snowflake made for an integration
    (by its external id). None of them gets beyond the stage's boundary, which only an administrator changes: the first
    run, and each that adds a bucket, a role or a topic, is one of an administrator's (docs/aws.md).

    Buckets are private, versioned, encrypted with the key and reached over TLS 1.2 only. In prod buckets and key are
    protected, and what leaves the state there stays in AWS with all that guards it; elsewhere a bucket is deleted once it
    is empty. The key can be brought back for 30 days.

    Outputs, by key: ``roles`` (ARNs, Snowflake's under ``snowflake-<integration>``) and ``buckets`` (names); ``key`` (ARN)
    and ``account``.

    Not managed, on purpose: users and access keys (there are none), people's access (IAM Identity Center), the organisation
    and its accounts, who writes settlement files (the processor's own role, let in by an administrator),
    subscriptions of the topic (a person has to confirm each), networks and machines (the estate has none here).
    """

    account: str
    roles: Mapping[str, pulumi.Output[str]]
    buckets: Mapping[str, pulumi.Output[str]]
    key: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: AwsSettings,
        *,
        stage: Stage,
        account: Account,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: what Snowflake hands over: for each integration whom to trust, for each pipe its queue.

        Raises SettingsError for an output that nobody hands over, CredentialsError if GITHUB_OWNER is not set and a role
        trusts workflows.
        """
        super().__init__("sophia:platform:AWS", name, None, opts)
        # Here, because the SDK takes half a second to import, and only stacks with AWS should pay for it.
        from components.aws.storage import Storage

        self._settings, self._stage, self._account, self._outputs = settings, stage, account, outputs
        self._tags = {"project": pulumi.get_project(), "stage": stage.value}
        self._child = pulumi.ResourceOptions(parent=self)

        key = self._create_key()
        self._permissions = Permissions(account, settings, stage, key.arn)
        self._create_identity_providers()
        self._boundary = self._create_boundary()
        roles = {key: self._create_role(key, role) for key, role in settings.roles.items()}
        roles |= self._create_loading_roles()
        if settings.snowflake.failures:
            roles["snowflake-failures"] = self._create_failures(key)
        buckets = Storage(settings, account, stage, key.arn, self._tags, outputs, self._child).create()

        self.account = account.id
        self.key = key.arn
        self.roles = {key: role.arn for key, role in roles.items()}
        self.buckets = {key: bucket.bucket for key, bucket in buckets.items()}
        self.register_outputs({"account": self.account, "key": self.key, "roles": self.roles, "buckets": self.buckets})

    def _create_key(self) -> kms.Key:
        from pulumi_aws import kms

        store = data_store_options(self._stage, self._child)
        key = kms.Key(
            "key",
            description=f"Files of Sophia AI ({self._stage.value})",
            policy=document(key_policy(self._account)),
            enable_key_rotation=True,
            deletion_window_in_days=KEY_DELETION_DAYS,
            tags=self._tags,
            opts=store,
        )
        kms.Alias("key", name=f"alias/{self._settings.key.alias}", target_key_id=key.key_id, opts=self._child)
        return key

    def _create_identity_providers(self) -> None:
        from pulumi_aws import iam

        audiences = {"github": "sts.amazonaws.com", "pulumi": f"aws:{pulumi.get_organization()}"}
        for issuer, how in self._settings.identity_providers.items():
            if how == "owned":
                iam.OpenIdConnectProvider(
                    issuer,
                    url=f"https://{issuer_of(issuer)}",
                    client_id_lists=[audiences[issuer]],
                    tags=self._tags,
                    # Roles of the other stages in the account trust it too.
                    opts=data_store_options(self._stage, self._child),
                )

    def _create_boundary(self) -> iam.Policy:
        from pulumi_aws import iam

        return iam.Policy(
            "boundary",
            name=self._settings.boundary,
            description=f"The most that a role of Sophia AI ({self._stage.value}) can do",
            policy=document(self._permissions.boundary()),
            tags=self._tags,
            opts=self._child,
        )

    def _create_role(self, key: str, settings: RoleSettings) -> iam.Role:
        trust = []
        if settings.workflows:
            trust.append(taken_by_workflows(self._account, _owner(key), settings.workflows))
        if settings.environments:
            trust.append(taken_by_environments(self._account, pulumi.get_organization(), settings.environments))
        match settings.purpose:
            case "preview":
                what, statements = "Reads what the stack manages", self._permissions.preview()
            case "deploy":
                what, statements = "Manages what the stack declares", self._permissions.deploy()
            case "backup":
                bucket = self._settings.buckets[str(settings.bucket)].name
                what = "Writes backups, and reads none"
                statements = self._permissions.backup(bucket, str(settings.folder))
        return self._role(key, settings.name, what, trust, statements)

    def _create_loading_roles(self) -> dict[str, iam.Role]:
        roles = {}
        for key, entry in self._settings.snowflake.integrations.items():
            bucket = self._settings.buckets[entry.bucket].name
            roles[f"snowflake-{key}"] = self._role(
                f"snowflake-{key}",
                entry.role,
                f"Snowflake reads {entry.folder} of {bucket}",
                [self._trusted_snowflake(key, f"aws.snowflake.integrations.{key}")],
                self._permissions.loading(bucket, entry.folder),
            )
        return roles

    def _create_failures(self, key: kms.Key) -> iam.Role:
        from pulumi_aws import sns

        settings = self._settings.snowflake.failures
        if settings is None:
            raise ValueError("only for a stage that has a topic for failures")
        topic = sns.Topic(
            "failures",
            name=settings.topic,
            display_name="Failures of pipes and tasks in Snowflake",
            kms_master_key_id=key.arn,
            tags=self._tags,
            opts=self._child,
        )
        role = self._role(
            "snowflake-failures",
            settings.role,
            f"Snowflake reports failures to {settings.topic}",
            [self._trusted_snowflake("failures", "aws.snowflake.failures")],
            self._permissions.failures(self._account.topic(settings.topic)),
        )
        sns.TopicPolicy("failures", arn=topic.arn, policy=document(topic_policy(topic.arn, role.arn)), opts=self._child)
        return role

    def _trusted_snowflake(self, key: str, setting: str) -> Statement:
        user, external_id = (
            output_named(f"snowflake.trust.{key}.{member}", self._outputs, setting)
            for member in ("user", "external_id")
        )
        return taken_by_snowflake(user, external_id)

    def _role(
        self, key: str, name: str, description: str, trust: list[Statement], statements: list[Statement]
    ) -> iam.Role:
        from pulumi_aws import iam

        role = iam.Role(
            key,
            name=name,
            description=description,
            assume_role_policy=document(trust),
            max_session_duration=LONGEST_SESSION_SECONDS,
            permissions_boundary=self._boundary.arn,
            tags=self._tags,
            opts=self._child,
        )
        iam.RolePolicy(key, name=key, role=role.name, policy=document(statements), opts=self._child)
        return role


def _owner(key: str) -> str:
    """The organisation whose workflows are trusted, as GitHub's own tools have it."""
    owner = os.environ.get("GITHUB_OWNER")
    if not owner:
        raise CredentialsError([f"GITHUB_OWNER is not set, and {where(f'aws.roles.{key}.workflows')} needs it"])
    return owner
