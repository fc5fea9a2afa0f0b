"""n8n in queue mode in the stage's namespace: one main process, webhook processors, workers, and their stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi

from components.explain import render
from components.kubernetes import n8n_environment as environment
from components.kubernetes.containers import Container, EmptyDir, FromSecret, Mount, Pod, Probe, Volume
from components.kubernetes.declarations import Autoscaling, Metrics, Rollout, Route, Stored, Workload
from components.kubernetes.n8n_environment import BROKER_PORT, HOME, PORT, SECRETS, SHUTDOWN_SECONDS
from components.kubernetes.n8n_settings import DatabaseSettings, N8nSettings, OwnerSettings
from components.kubernetes.network import Allow, Peer, workload
from components.kubernetes.stores import deploy_postgres, deploy_redis
from components.kubernetes.values import Resources
from components.kubernetes.workloads import Workloads
from components.settings import Stage, data_store_options
from providers.base import dynamic
from providers.passwords import Password

MAIN: Final = "n8n"
WORKER: Final = "n8n-worker"
WEBHOOK: Final = "n8n-webhook"
CALLS: Final = ("/webhook", "/webhook-waiting", "/form", "/form-waiting")
"""Paths of production calls; those of tests (``/webhook-test``) belong to the editor, and so to the main process."""

_LABELS: Final = {"sophia-ai/tier": "n8n"}
"""By which other workloads know who runs workflows."""

_USER: Final = 1000
"""``node``, the user of the image, and ``runner`` of that of the runners."""
_OWNER: Final = "/etc/n8n-owner"
_TOKEN: Final = "/etc/n8n-runner"  # noqa: S105 - where it is, not what it is
_LAUNCHER_PORT: Final = 5680
_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")


class N8n:
    """n8n in queue mode. ``main``, ``webhooks`` and ``workers`` are its workloads, ``address`` is where users find it.

    ``main`` is one process: two would start every timer twice (n8n's own high availability needs its enterprise
    licence). While it is exchanged, the editor is away and timers wait; webhooks and workers go on.

    The key with which n8n encrypts credentials in its database is minted once and never exchanged: without it, all
    credentials of all workflows are lost. In prod it is protected, and stays in the state when it is destroyed.
    """

    def __init__(
        self,
        workloads: Workloads,
        settings: N8nSettings,
        *,
        host: str,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        priority_class: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """``host``: that of the ingress. ``outputs``: minted values that settings name. ``opts``: parent of the keys.

        Raises SettingsError and CredentialsError for the sources of secrets, as ``SecretSource.resolve`` does.
        """
        self._workloads, self._settings, self._stage = workloads, settings, stage
        self._outputs, self._priority_class = outputs, priority_class
        self._minted = dynamic(opts)
        self.address = f"https://{host}"
        secrets, stores = self._create_stores()
        self._stored = workloads.secret("n8n", "n8n", secrets)
        self._environment = {**environment.common(settings, host), **environment.from_files(secrets), **stores}
        self.main = self._create_main()
        self.webhooks = self._create_webhooks()
        self.workers = self._create_workers()

    def _create_stores(self) -> tuple[dict[str, pulumi.Input[str]], dict[str, pulumi.Input[str]]]:
        """The database and the queue: the secrets, and the environment, by which n8n reaches them."""
        settings = self._settings
        callers = tuple(workload(name) for name in (MAIN, WORKER, WEBHOOK))
        queue_password = self._mint("n8n.queue", settings.redis.password_generation)
        redis = deploy_redis(
            self._workloads,
            "n8n-redis",
            settings.redis,
            password=queue_password,
            callers=callers,
            priority_class=self._priority_class,
        )
        secrets: dict[str, pulumi.Input[str]] = {
            "N8N_ENCRYPTION_KEY": self._mint("n8n.encryption-key", data=True),
            "N8N_RUNNERS_AUTH_TOKEN": self._mint("n8n.runners"),
            "QUEUE_BULL_REDIS_PASSWORD": queue_password,
        }
        password, database = self._create_database(callers)
        secrets["DB_POSTGRESDB_PASSWORD"] = password
        return secrets, {**database, **environment.queue(redis.service_host)}

    def _create_database(self, callers: tuple[Peer, ...]) -> tuple[pulumi.Output[str], dict[str, pulumi.Input[str]]]:
        settings = self._settings
        if settings.database is not None:
            path = render(("kubernetes", "n8n", "database", "password"))
            password = settings.database.password.resolve(self._outputs, path)
            return password, environment.foreign_database(settings.database)
        if settings.postgres is None:
            raise ValueError("n8n has no database: its settings are to be checked first")
        password = self._mint("n8n.database", data=True)
        postgres = deploy_postgres(
            self._workloads,
            "n8n-postgres",
            settings.postgres,
            role="n8n",
            password=password,
            callers=callers,
            priority_class=self._priority_class,
            keep=self._stage is Stage.PROD,
        )
        return password, environment.own_database(postgres.service_host)

    def _mint(self, key: str, generation: int = 1, *, data: bool = False) -> pulumi.Output[str]:
        """A password; ``data``: without it, data is lost."""
        opts = data_store_options(self._stage, self._minted) if data else self._minted
        return Password(key, generation=generation, opts=opts).password

    def _create_main(self) -> Workload:
        owner = self._settings.owner
        own: dict[str, pulumi.Input[str]] = {
            "N8N_DISABLE_PRODUCTION_MAIN_PROCESS": "true",
            "N8N_INSTANCE_OWNER_MANAGED_BY_ENV": "true",
            "N8N_INSTANCE_OWNER_EMAIL": owner.email,
            "N8N_INSTANCE_OWNER_FIRST_NAME": owner.first_name,
            "N8N_INSTANCE_OWNER_LAST_NAME": owner.last_name,
            "N8N_INSTANCE_OWNER_PASSWORD_HASH_FILE": f"{_OWNER}/bcrypt",
        }
        stored = self._create_owner(owner)
        shown = {_OWNER: Mount(volume="owner")}
        container = self._container("main", self._settings.main.resources, ("start",), own, shown)
        return self._workloads.deployment(
            "n8n",
            MAIN,
            self._pod(
                container,
                volumes={"owner": FromSecret(name=stored.name, items={"bcrypt": "bcrypt"})},
                annotations={"sophia-ai/owner": stored.checksum},
            ),
            service={"http": PORT},
            allow=Allow(to=(self._internet(), *self._foreign_database())),
            disruption=None,
            metrics=Metrics(port="http"),
            routes=(Route(path="/", port="http"),),
            rollout=Rollout(surge=0, unavailable=1),
            labels=_LABELS,
        )

    def _create_owner(self, owner: OwnerSettings) -> Stored:
        """The Secret with which the owner logs in, and its hash, which is all that n8n gets to see."""
        minted = Password("n8n.owner", generation=owner.password_generation, opts=self._minted)
        data: dict[str, pulumi.Input[str]] = {
            "email": owner.email,
            "password": minted.password,
            "bcrypt": minted.bcrypt,
        }
        return self._workloads.secret("n8n.owner", "n8n-owner", data)

    def _create_webhooks(self) -> Workload:
        settings = self._settings.webhooks
        # what the world would read at /metrics of the host is sent here, where there is none
        container = self._container("webhook", settings.resources, ("webhook",), {"N8N_METRICS": "false"})
        return self._workloads.deployment(
            "n8n.webhook",
            WEBHOOK,
            self._pod(container),
            replicas=settings.replicas,
            service={"http": PORT},
            allow=Allow(to=self._foreign_database()),
            routes=tuple(Route(path=path, port="http") for path in (*CALLS, "/metrics")),
        )

    def _create_workers(self) -> Workload:
        settings = self._settings.workers
        arguments = ("worker", f"--concurrency={settings.concurrency}")
        worker = self._container("worker", settings.resources, arguments, {})
        return self._workloads.deployment(
            "n8n.worker",
            WORKER,
            self._pod(
                worker,
                self._runner(settings.runner_resources),
                volumes={
                    "runner": EmptyDir(size="256Mi"),
                    "token": FromSecret(name=self._stored.name, items={"N8N_RUNNERS_AUTH_TOKEN": "token"}),
                },
            ),
            autoscaling=Autoscaling(min=settings.min, max=settings.max, cpu_percent=settings.cpu_percent),
            allow=Allow(to=(self._internet(), *self._foreign_database())),
            metrics=Metrics(port="http"),
            labels=_LABELS,
        )

    def _container(
        self,
        name: str,
        resources: Resources,
        arguments: tuple[str, ...],
        own: Mapping[str, pulumi.Input[str]],
        mounts: Mapping[str, Mount] | None = None,
    ) -> Container:
        return Container(
            name=name,
            image=self._settings.image,
            resources=resources,
            args=arguments,
            ports={"http": PORT},
            environment={**self._environment, **own},
            readiness=Probe(path="/healthz/readiness"),
            liveness=Probe(path="/healthz", period_seconds=30, failure_threshold=5),
            # a new version changes the tables of a large database first
            startup=Probe(path="/healthz/readiness", failure_threshold=90),
            mounts={
                HOME: Mount(volume="home", read_only=False),
                "/tmp": Mount(volume="scratch", read_only=False),  # noqa: S108 - a directory of this pod alone
                SECRETS: Mount(volume="secrets"),
                **(mounts or {}),
            },
        )

    def _runner(self, resources: Resources) -> Container:
        """Runs the code of users, and knows nothing but the token with which it asks its worker for work."""
        healthy = Probe(path="/healthz", port="launcher", period_seconds=30)
        return Container(
            name="runner",
            image=self._settings.runners_image,
            resources=resources,
            ports={"launcher": _LAUNCHER_PORT},
            environment={
                "N8N_RUNNERS_TASK_BROKER_URI": f"http://127.0.0.1:{BROKER_PORT}",
                "N8N_RUNNERS_LAUNCHER_HEALTH_CHECK_PORT": str(_LAUNCHER_PORT),
                "N8N_RUNNERS_AUTH_TOKEN_FILE": f"{_TOKEN}/token",
                "GENERIC_TIMEZONE": self._settings.timezone,
            },
            readiness=healthy,
            liveness=healthy,
            mounts={
                "/tmp": Mount(volume="runner", read_only=False),  # noqa: S108 - a directory of this pod alone
                _TOKEN: Mount(volume="token"),
            },
        )

    def _pod(
        self,
        *containers: Container,
        volumes: Mapping[str, Volume] | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> Pod:
        return Pod(
            containers=containers,
            volumes={
                "home": EmptyDir(size="256Mi"),
                "scratch": EmptyDir(size="256Mi"),
                "secrets": FromSecret(name=self._stored.name),
                **(volumes or {}),
            },
            annotations={"sophia-ai/secret": self._stored.checksum, **(annotations or {})},
            priority_class=self._priority_class,
            termination_grace_seconds=SHUTDOWN_SECONDS + 30,
            user=_USER,
        )

    def _internet(self) -> Peer:
        """The platforms that workflows talk to; nothing of the cluster's own network, and no cloud's metadata."""
        return Peer(cidr="0.0.0.0/0", without=_PRIVATE, ports=(443,))

    def _foreign_database(self) -> tuple[Peer, ...]:
        database: DatabaseSettings | None = self._settings.database
        return () if database is None else (Peer(cidr="0.0.0.0/0", ports=(database.port,)),)
