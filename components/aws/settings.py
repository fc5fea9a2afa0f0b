"""What the stack file says about AWS (``sophia-ai:aws``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Key, Settings, matching, same_object, unknown_name

AccountId = Annotated[str, matching(r"\d{12}", 'must be the twelve digits of an account, in quotes: "123456789012"')]
BucketName = Annotated[
    str,
    matching(
        r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "must be 3 to 63 lower-case letters, digits and hyphens (AWS keeps some beginnings and ends to itself)",
    ),
]
RoleName = Annotated[str, matching(r"[\w+=,.@-]{1,64}", "must be up to 64 letters, digits and +=,.@_-")]
Folder = Annotated[
    str, matching(r"([A-Za-z0-9_.=-]+/)+", "must be a folder with a slash at its end, such as settlements/")
]
_Branch = Annotated[str, matching(r"[^*?\s]+", "must be the whole name of a branch: no patterns")]
_Environment = Annotated[str, matching(r"[^*?:\s]+", "must be the name of a deployment environment: no patterns")]
_EscEnvironment = Annotated[str, matching(r"[\w-]+/[\w.-]+", "must be like sophia-ai/credentials-dev")]
_Queue = Annotated[str, matching(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:\S+", "must be the ARN of an SQS queue")]
_Days = Annotated[int, Field(ge=1, le=3650)]

Issuer = Literal["github", "pulumi"]
Ownership = Literal["owned", "shared"]


class KeySettings(Settings):
    """The KMS key of the stage, by its alias (without ``alias/``). What it encrypts can be read for as long as it exists."""

    alias: Annotated[
        str, matching(r"(?!aws/)[A-Za-z0-9/_-]{1,250}", "must be letters, digits, /, _ and -; aws/ is AWS's")
    ]


class NotificationSettings(Settings):
    """New files of a folder are told to a queue: that of a Snowflake pipe (``output``), or another one (``queue``)."""

    folder: Folder
    output: str | None = None
    queue: _Queue | None = None

    def check(self) -> Iterator[Mistake]:
        """Exactly one of the two."""
        if (self.output is None) == (self.queue is None):
            yield Mistake((), "must give either `output` (such as snowflake.queues.settlements) or `queue` (an ARN)")


class BucketSettings(Settings):
    """A bucket: private, versioned, encrypted and reached over TLS only; none of that can be turned off.

    ``logs_to`` is the key of the bucket that gets its access log. ``lock_days``: for how long no version can be deleted
    (object lock; in the mode COMPLIANCE by nobody at all). Files move to cheaper storage after ``archive_after_days`` and
    are deleted after ``expire_after_days``; overwritten and deleted ones are kept for ``keep_old_versions_days``.
    """

    name: BucketName
    logs_to: str | None = None
    lock_days: _Days | None = None
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    archive_after_days: Annotated[int, Field(ge=30, le=3650)] | None = None
    expire_after_days: _Days | None = None
    keep_old_versions_days: _Days = 30
    notifications: dict[Key, NotificationSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What S3 would refuse, or do at another time than it says here."""
        if self.lock_days and self.expire_after_days and self.expire_after_days < self.lock_days:
            yield Mistake(("expire_after_days",), "is before the end of lock_days: nothing can be deleted until then")
        if self.archive_after_days and self.expire_after_days and self.expire_after_days <= self.archive_after_days:
            yield Mistake(("expire_after_days",), "must be more than archive_after_days")
        if "lock_mode" in self.model_fields_set and self.lock_days is None:
            yield Mistake(("lock_mode",), "says how hard the lock is, and there is none: add lock_days")
        folders = [(key, entry.folder) for key, entry in self.notifications.items()]
        for index, (key, folder) in enumerate(folders):
            for other, earlier in folders[:index]:
                if folder.startswith(earlier) or earlier.startswith(folder):
                    yield Mistake(
                        ("notifications", key, "folder"),
                        f"overlaps with notifications.{other}: S3 tells a file to one queue",
                    )


class ImmutableIds(Settings):
    """The numbers of the owner and the repository, which GitHub writes into the subjects of newer repositories' tokens.

    ``gh api repos/OWNER/NAME --jq '.owner.id, .id'``; whether a repository has such subjects is told by
    ``gh api repos/OWNER/NAME/actions/oidc/customization/sub``.
    """

    owner: Annotated[int, Field(gt=0)]
    repository: Annotated[int, Field(gt=0)]


class WorkflowsSettings(Settings):
    """Runs of GitHub Actions, by what GitHub says of them: the repository, and its deployment environment or branch.

    ``ids`` are needed for repositories that were made, renamed or moved after 15 July 2026.
    """

    repository: Annotated[
        str, matching(r"[A-Za-z0-9._-]{1,100}", "must be the name of a repository, without its owner")
    ]
    environments: tuple[_Environment, ...] = ()
    branches: tuple[_Branch, ...] = ()
    ids: ImmutableIds | None = None

    def check(self) -> Iterator[Mistake]:
        """A whole repository is not trusted: a pull request could take its role."""
        if not self.environments and not self.branches:
            yield Mistake((), "must name environments or branches: without them every run of the repository is trusted")


class RoleSettings(Settings):
    """A role that somebody takes for an hour at most, and what it is for.

    ``preview`` reads what the stack manages; ``deploy`` manages that and nothing else; ``backup`` writes into one folder
    of one bucket, and cannot read there. Taken by ``workflows`` of GitHub, or by ESC ``environments`` of Pulumi Cloud.
    """

    name: RoleName
    purpose: Literal["preview", "deploy", "backup"]
    workflows: WorkflowsSettings | None = None
    environments: tuple[_EscEnvironment, ...] = ()
    bucket: str | None = None
    folder: Folder | None = None

    def check(self) -> Iterator[Mistake]:
        """Somebody takes it, and a backup knows where to."""
        if self.workflows is None and not self.environments:
            yield Mistake((), "nobody could take this role: give it workflows (GitHub) or environments (ESC)")
        given = (self.bucket is not None, self.folder is not None)
        if self.purpose == "backup" and given != (True, True):
            yield Mistake((), "a backup role needs `bucket` and `folder`")
        if self.purpose != "backup" and any(given):
            yield Mistake((), "only a backup role has `bucket` and `folder`")


class LoadingSettings(Settings):
    """The role with which a storage integration of Snowflake reads a folder of a bucket."""

    role: RoleName
    bucket: str
    folder: Folder


class FailuresSettings(Settings):
    """The topic to which Snowflake reports failures of pipes and tasks, and the role with which it does."""

    role: RoleName
    topic: Annotated[
        str, matching(r"[A-Za-z0-9_-]{1,256}", "must be up to 256 letters, digits, hyphens and underscores")
    ]


class SnowflakeAccessSettings(Settings):
    """What Snowflake may do here. The keys of ``integrations`` are those of ``snowflake.storage_integrations``."""

    integrations: dict[Key, LoadingSettings] = Field(default_factory=dict)
    failures: FailuresSettings | None = None


class AwsSettings(Settings):
    """``sophia-ai:aws``. The account is AWS_ACCOUNT_ID of the environment; one that is named here too must be the same.

    ``identity_providers``: whose tokens roles may be taken with. An account has one of each: the stack that makes it
    says ``owned``, the others in the same account ``shared``. ``boundary`` is the name of the policy beyond which no role
    of the stage gets, whatever its own policies say.
    """

    account: AccountId | None = None
    identity_providers: dict[Issuer, Ownership] = Field(default_factory=dict)
    key: KeySettings
    boundary: Annotated[str, matching(r"[\w+=,.@-]{1,128}", "must be up to 128 letters, digits and +=,.@_-")]
    buckets: dict[Key, BucketSettings] = Field(default_factory=dict)
    roles: dict[Key, RoleSettings] = Field(default_factory=dict)
    snowflake: SnowflakeAccessSettings = SnowflakeAccessSettings()

    def check(self) -> Iterator[Mistake]:
        """References name what is declared here; names are unique."""
        yield from same_object(("buckets",), self.buckets, "name")
        yield from self._check_logs()
        for key, role in self.roles.items():
            for issuer, given in (("github", role.workflows), ("pulumi", role.environments)):
                if given:
                    member = "workflows" if issuer == "github" else "environments"
                    yield from unknown_name(
                        ("roles", key, member), issuer, self.identity_providers, "identity provider"
                    )
            if role.bucket is not None:
                yield from unknown_name(("roles", key, "bucket"), role.bucket, self.buckets, "bucket")
        for key, entry in self.snowflake.integrations.items():
            path = ("snowflake", "integrations", key, "bucket")
            yield from unknown_name(path, entry.bucket, self.buckets, "bucket")
        seen: set[str] = set()
        for place, name in self._role_names():
            if name in seen:
                yield Mistake(place, f'the name "{name}" is another role\'s already')
            seen.add(name)

    def _check_logs(self) -> Iterator[Mistake]:
        for key, bucket in self.buckets.items():
            if bucket.logs_to is None:
                continue
            path = ("buckets", key, "logs_to")
            yield from unknown_name(path, bucket.logs_to, self.buckets, "bucket")
            target = self.buckets.get(bucket.logs_to)
            if bucket.logs_to == key:
                yield Mistake(path, "a bucket that logs into itself logs its own log, without end")
            elif target is not None and (target.lock_days or target.logs_to):
                yield Mistake(
                    path, "must be a bucket without lock_days and logs_to: S3 writes no log into a locked one"
                )

    def _role_names(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for key, role in self.roles.items():
            yield ("roles", key, "name"), role.name
        for key, entry in self.snowflake.integrations.items():
            yield ("snowflake", "integrations", key, "role"), entry.role
        if self.snowflake.failures:
            yield ("snowflake", "failures", "role"), self.snowflake.failures.role

    @property
    def role_names(self) -> tuple[str, ...]:
        """Those of all roles of the stage."""
        return tuple(name for _, name in self._role_names())

    @property
    def log_buckets(self) -> frozenset[str]:
        """Keys of the buckets into which others log."""
        return frozenset(bucket.logs_to for bucket in self.buckets.values() if bucket.logs_to)
