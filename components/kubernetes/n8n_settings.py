"""n8n as the stack file describes it: its processes, their database and their queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from components.explain import Mistake
from components.kubernetes.values import Image, Port, Quantity, Resources
from components.settings import Key, SecretSource, Settings, matching

HostName = Annotated[
    str,
    matching(
        r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]+", "must be a host, such as db.example.com"
    ),
]
Email = Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be an address, such as ops@example.com")]
DatabaseName = Annotated[str, matching(r"[a-z_][a-z0-9_]{0,62}", "must be lower-case letters, digits, underscores")]


class DiskSettings(Settings):
    """A disk; without a class it is of the cluster's default one."""

    size: Quantity
    storage_class: str | None = None


class RedisSettings(Settings):
    """The queue: one Redis with a disk, so that what waits survives a restart. A password of its own is minted."""

    image: Image
    resources: Resources
    storage: DiskSettings
    password_generation: Annotated[int, Field(ge=1)] = 1


class PostgresSettings(Settings):
    """A PostgreSQL of one server in the namespace. Its password is minted once and set when the disk is empty."""

    image: Image
    resources: Resources
    storage: DiskSettings


class DatabaseSettings(Settings):
    """A PostgreSQL that others run, reached by TLS. ``authority`` is the certificate (PEM) that it is known by, where a
    public authority did not sign its own."""

    host: HostName
    port: Port = 5432
    name: DatabaseName = "n8n"
    user: DatabaseName = "n8n"
    password: SecretSource
    authority: str | None = None


class OwnerSettings(Settings):
    """The owner of the instance, without whom the first visitor would become it. The password is minted, and stands in
    the Secret ``n8n-owner``; a higher ``password_generation`` mints another."""

    email: Email
    first_name: Annotated[str, Field(min_length=1, max_length=32)]
    last_name: Annotated[str, Field(min_length=1, max_length=32)]
    password_generation: Annotated[int, Field(ge=1)] = 1


class WorkerSettings(Settings):
    """The workers run the workflows, ``concurrency`` at a time each; code of users runs in a container beside each."""

    min: Annotated[int, Field(ge=1, le=50)]
    max: Annotated[int, Field(ge=1, le=50)]
    cpu_percent: Annotated[int, Field(ge=10, le=95)] = 70
    concurrency: Annotated[int, Field(ge=5, le=100)] = 10
    resources: Resources
    runner_resources: Resources

    def check(self) -> Iterator[Mistake]:
        """From the lower to the higher."""
        if self.max < self.min:
            yield Mistake(("max",), f"must not be lower than min ({self.min})")


class WebhookSettings(Settings):
    """The webhook processors take what comes from outside and put it into the queue."""

    replicas: Annotated[int, Field(ge=1, le=20)] = 2
    resources: Resources


class MainSettings(Settings):
    """The one main process: editor, API, timers."""

    resources: Resources


class N8nSettings(Settings):
    """``n8n`` of ``sophia-ai:kubernetes``: n8n in queue mode. Its workflows are ``sophia-ai:n8n``.

    ``keep_days`` and ``keep_executions`` limit how long and how many executions are kept; ``timeout_seconds`` is how
    long one may take.
    """

    image: Image
    runners_image: Image
    timezone: Annotated[str, matching(r"[A-Za-z_]+(/[A-Za-z_]+)*", "must be a time zone, such as America/New_York")]
    main: MainSettings
    webhooks: WebhookSettings
    workers: WorkerSettings
    redis: RedisSettings
    postgres: PostgresSettings | None = None
    database: DatabaseSettings | None = None
    owner: OwnerSettings
    timeout_seconds: Annotated[int, Field(ge=60)] = 3600
    keep_days: Annotated[int, Field(ge=1)] = 14
    keep_executions: Annotated[int, Field(ge=100)] = 10_000
    priority: Key | None = None

    def check(self) -> Iterator[Mistake]:
        """One database, and runners of the same version as n8n."""
        if (self.postgres is None) == (self.database is None):
            yield Mistake((), "must give either `postgres` (one in the namespace) or `database` (one that others run)")
        if _tag(self.image) != _tag(self.runners_image):
            message = f"must be of n8n's own version, {_tag(self.image)}: other versions do not understand each other"
            yield Mistake(("runners_image",), message)


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[2]
