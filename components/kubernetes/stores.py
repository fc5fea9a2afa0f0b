"""PostgreSQL and Redis for one program in the stage's namespace: each one server with a disk, and nobody else's."""

from __future__ import annotations

from typing import Final

import pulumi

from components.kubernetes.containers import Container, EmptyDir, FromSecret, Mount, Pod, Probe
from components.kubernetes.declarations import Claim, Workload
from components.kubernetes.n8n_settings import PostgresSettings, RedisSettings
from components.kubernetes.network import Allow, Peer
from components.kubernetes.values import amount
from components.kubernetes.workloads import Workloads

POSTGRES_PORT: Final = 5432
REDIS_PORT: Final = 6379
_POSTGRES_USER: Final = 70
"""``postgres`` of the official image (Alpine): ``initdb`` refuses a user whom the image's /etc/passwd does not name."""

_DATA: Final = "/var/lib/postgresql/data"
_REDIS: Final = "/etc/redis"
_MEMORY_SHARE: Final = 7
"""Tenths of its memory limit that Redis fills; it needs the rest to write its log anew."""


def deploy_postgres(
    workloads: Workloads,
    name: str,
    settings: PostgresSettings,
    *,
    role: str,
    password: pulumi.Output[str],
    callers: tuple[Peer, ...],
    priority_class: pulumi.Input[str] | None,
    keep: bool,
) -> Workload:
    """A PostgreSQL server with a database and a role named ``role``; only ``callers`` reach it.

    The password is set when the disk is empty: a later one needs ``ALTER ROLE`` first. ``keep``: the disk stays when
    the server is deleted. There is no second server: while its node is exchanged, the database is away.
    """
    stored = workloads.secret(f"{name}.password", f"{name}-password", {"password": password})
    asked = ("pg_isready", "--quiet", "--username", role, "--dbname", role)
    container = Container(
        name="postgres",
        image=settings.image,
        resources=settings.resources,
        ports={"postgres": POSTGRES_PORT},
        environment={
            "POSTGRES_USER": role,
            "POSTGRES_DB": role,
            "POSTGRES_PASSWORD_FILE": "/etc/postgres-password/password",
            "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --data-checksums",
            # a new disk is not empty: it has the file system's own directory
            "PGDATA": f"{_DATA}/pgdata",
        },
        readiness=Probe(command=asked),
        # a server that recovers turns clients away for as long as it needs, and would begin again if it were killed
        liveness=Probe(port="postgres", period_seconds=30, failure_threshold=5),
        startup=Probe(command=asked, failure_threshold=60),
        mounts={
            _DATA: Mount(volume="data", read_only=False),
            "/etc/postgres-password": Mount(volume="password"),
            "/var/run/postgresql": Mount(volume="socket", read_only=False),
            "/tmp": Mount(volume="scratch", read_only=False),  # noqa: S108 - a directory of this pod alone
        },
    )
    pod = Pod(
        containers=(container,),
        volumes={"password": FromSecret(name=stored.name), "socket": EmptyDir(size="1Mi"), "scratch": EmptyDir()},
        priority_class=priority_class,
        termination_grace_seconds=60,
        user=_POSTGRES_USER,
    )
    return workloads.stateful_set(
        name,
        name,
        pod,
        replicas=1,
        claims={"data": Claim(size=settings.storage.size, storage_class=settings.storage.storage_class)},
        service={"postgres": POSTGRES_PORT},
        allow=Allow(from_=_at(callers, POSTGRES_PORT)),
        keep_claims=keep,
    )


def deploy_redis(
    workloads: Workloads,
    name: str,
    settings: RedisSettings,
    *,
    password: pulumi.Output[str],
    callers: tuple[Peer, ...],
    priority_class: pulumi.Input[str] | None,
) -> Workload:
    """A Redis server as a queue: every write is on its disk within a second, and nothing is thrown away when it is full."""
    configuration = password.apply(lambda text: redis_configuration(settings, text))
    stored = workloads.secret(
        f"{name}.configuration", f"{name}-configuration", {"redis.conf": configuration, "password": password}
    )
    # redis-cli ends well even when it is refused
    asked = Probe(command=("sh", "-c", f'REDISCLI_AUTH="$(cat {_REDIS}/password)" redis-cli ping | grep -q PONG'))
    container = Container(
        name="redis",
        image=settings.image,
        resources=settings.resources,
        command=("redis-server",),
        args=(f"{_REDIS}/redis.conf",),
        ports={"redis": REDIS_PORT},
        readiness=asked,
        liveness=Probe(port="redis", period_seconds=30),
        startup=Probe(command=asked.command, failure_threshold=60),
        mounts={
            "/data": Mount(volume="data", read_only=False),
            _REDIS: Mount(volume="configuration"),
            "/tmp": Mount(volume="scratch", read_only=False),  # noqa: S108 - a directory of this pod alone
        },
    )
    pod = Pod(
        containers=(container,),
        volumes={
            "configuration": FromSecret(name=stored.name),
            "scratch": EmptyDir(),
        },
        annotations={"sophia-ai/configuration": stored.checksum},
        priority_class=priority_class,
    )
    return workloads.stateful_set(
        name,
        name,
        pod,
        replicas=1,
        claims={"data": Claim(size=settings.storage.size, storage_class=settings.storage.storage_class)},
        service={"redis": REDIS_PORT},
        allow=Allow(from_=_at(callers, REDIS_PORT)),
        keep_claims=False,
    )


def redis_configuration(settings: RedisSettings, password: str) -> str:
    """``redis.conf``; it holds the password."""
    memory = int(amount(settings.resources.memory_limit)) * _MEMORY_SHARE // 10
    lines = (
        f"port {REDIS_PORT}",
        "dir /data",
        "appendonly yes",
        "appendfsync everysec",
        f"maxmemory {memory}",
        # a queue that drops entries loses work
        "maxmemory-policy noeviction",
        f"requirepass {password}",
        "",
    )
    return "\n".join(lines)


def _at(callers: tuple[Peer, ...], port: int) -> tuple[Peer, ...]:
    return tuple(Peer(pods=caller.pods, namespace=caller.namespace, ports=(port,)) for caller in callers)
