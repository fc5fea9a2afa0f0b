"""NATS with JetStream in the stage's namespace: servers, their certificates, their users, the streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi

from components.kubernetes.containers import Container, EmptyDir, FromConfigMap, FromSecret, Mount, Pod, Probe
from components.kubernetes.declarations import Claim, Metrics, Stored, Workload
from components.kubernetes.nats_configuration import (
    CLIENT_PORT,
    CLUSTER_PORT,
    GRACE_SECONDS,
    LAME_DUCK_SECONDS,
    MONITOR_PORT,
    Place,
    configuration,
    inbox,
)
from components.kubernetes.nats_settings import RESERVED_USERS, NatsSettings
from components.kubernetes.nats_streams import SCRIPT_NAME, files
from components.kubernetes.network import Allow, Peer, workload
from components.kubernetes.values import Resources, amount
from components.kubernetes.workloads import Workloads
from components.settings import Stage, data_store_options
from providers.base import dynamic
from providers.certificates import Authority, Certificate
from providers.nkeys import UserKey

NAME: Final = "nats"
STREAMS_JOB: Final = "nats-streams"
_EXPORTER_PORT: Final = 7777
_EXPORTER: Final = Resources(cpu_request="10m", memory_request="32Mi", cpu_limit="100m", memory_limit="128Mi")
_JOB: Final = Resources(cpu_request="10m", memory_request="32Mi", cpu_limit="200m", memory_limit="128Mi")
_HEAP_SHARE: Final = 9
"""Tenths of its memory limit at which the server collects garbage harder, instead of being killed."""


class Nats:
    """A cluster of NATS servers with JetStream, TLS and users, and the streams on it.

    ``server`` is the stateful set. ``secrets`` are, by user, the Secrets with which programs connect (environment
    variables NATS_URL, NATS_CA, NATS_NKEY_SEED and NATS_INBOX_PREFIX). ``address`` is the URL, ``authority`` the
    certificate (PEM) by which clients know the servers.

    A change of the configuration, of a certificate or of a user's key restarts the servers one after the other; each
    sends its clients away first (lame duck mode). Streams that leave the settings stay on the servers.
    """

    def __init__(
        self,
        workloads: Workloads,
        settings: NatsSettings,
        *,
        namespace: str,
        stage: Stage,
        priority_class: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """``namespace``: for which names the certificate is. ``opts``: parent of the keys and certificates."""
        self._workloads, self._settings, self._stage = workloads, settings, stage
        self._names = (f"{NAME}.{namespace}.svc", f"{NAME}-headless.{namespace}.svc")
        self._priority_class = priority_class
        self._minted = dynamic(opts)
        self.address = f"tls://{self._names[0]}:{CLIENT_PORT}"
        self.authority, certificates = self._create_certificates(settings, namespace)
        users = {
            **{key: user.key_generation for key, user in settings.users.items()},
            **dict.fromkeys(RESERVED_USERS, 1),
        }
        keys = {user: self._create_keys(user, generation) for user, generation in users.items()}
        self.secrets = {user: self._create_secret(user, slots[-1].seed) for user, slots in keys.items()}
        public_keys = {user: [slot.public_key for slot in slots] for user, slots in keys.items()}
        self.server = self._create_servers(public_keys, certificates)
        if settings.streams:
            self._create_streams()

    def _create_certificates(self, settings: NatsSettings, namespace: str) -> tuple[pulumi.Output[str], Stored]:
        kept = data_store_options(self._stage, self._minted)
        authority = Authority(
            "nats.authority",
            common_name=f"NATS of {namespace}",
            generation=settings.tls.authority_generation,
            opts=kept,
        )
        service, headless = self._names
        names = [service, f"{service}.cluster.local", NAME, f"*.{headless}", f"*.{headless}.cluster.local"]
        certificate = Certificate(
            "nats.certificate",
            names=names,
            authority=authority,
            generation=settings.tls.certificate_generation,
            opts=self._minted,
        )
        stored = self._workloads.secret(
            "nats.certificate",
            "nats-certificate",
            {
                "ca.crt": authority.certificate,
                "tls.crt": certificate.certificate,
                "tls.key": certificate.private_key,
            },
        )
        return authority.certificate, stored

    def _create_keys(self, user: str, latest: int) -> Sequence[UserKey]:
        """The keys of a user that are valid, the newest last: odd generations in one slot, even ones in the other."""
        slots = {latest: "" if latest % 2 else ".second"}
        if latest > 1:
            slots[latest - 1] = "" if latest % 2 == 0 else ".second"
        return [
            UserKey(f"nats.{user}{slot}", generation=generation, opts=self._minted)
            for generation, slot in sorted(slots.items())
        ]

    def _create_secret(self, user: str, seed: pulumi.Output[str]) -> Stored:
        data: dict[str, pulumi.Input[str]] = {
            "NATS_URL": self.address,
            "NATS_CA": self.authority,
            "NATS_NKEY_SEED": seed,
            "NATS_INBOX_PREFIX": inbox(user),
        }
        return self._workloads.secret(f"nats.{user}", f"nats-{user}", data)

    def _create_servers(self, public_keys: Mapping[str, Sequence[pulumi.Output[str]]], tls: Stored) -> Workload:
        settings = self._settings
        routes = tuple(f"nats://{NAME}-{n}.{self._names[1]}:{CLUSTER_PORT}" for n in range(settings.servers))
        place = Place(routes=routes)
        text = pulumi.Output.all(**public_keys).apply(lambda keys: configuration(settings, keys, place))
        stored = self._workloads.config_map("nats.configuration", "nats-configuration", {"nats.conf": text})
        pod = Pod(
            containers=(self._server(place), self._exporter()),
            volumes={
                "configuration": FromConfigMap(name=stored.name),
                "certificates": FromSecret(name=tls.name),
                "pid": EmptyDir(size="1Mi"),
            },
            annotations={"sophia-ai/certificate": tls.checksum},
            spread_over=("kubernetes.io/hostname",) if settings.servers > 1 else (),
            priority_class=self._priority_class,
            termination_grace_seconds=LAME_DUCK_SECONDS + GRACE_SECONDS + 20,
        )
        others = (workload(NAME, CLUSTER_PORT),) if settings.servers > 1 else ()
        users = tuple(Peer(pods=user.pods, ports=(CLIENT_PORT,)) for user in settings.users.values())
        return self._workloads.stateful_set(
            "nats",
            NAME,
            pod,
            replicas=settings.servers,
            claims={"data": Claim(size=settings.storage.size, storage_class=settings.storage.storage_class)},
            service={"client": CLIENT_PORT},
            allow=Allow(from_=(*others, *users, workload(STREAMS_JOB, CLIENT_PORT))),
            disruption=1,
            metrics=Metrics(port="metrics"),
            # the servers of a new cluster wait for each other
            parallel=True,
            keep_claims=self._stage is Stage.PROD,
        )

    def _server(self, place: Place) -> Container:
        settings = self._settings
        heap = int(amount(settings.resources.memory_limit)) * _HEAP_SHARE // 10
        return Container(
            name="nats",
            image=settings.image,
            resources=settings.resources,
            command=("nats-server",),
            args=("--config", "/etc/nats/nats.conf"),
            ports={"client": CLIENT_PORT, "cluster": CLUSTER_PORT, "monitor": MONITOR_PORT},
            environment={"GOMEMLIMIT": str(heap)},
            fields={"POD_NAME": "metadata.name"},
            readiness=Probe(path="/healthz?js-server-only=true", port="monitor"),
            # a server whose streams catch up is slow, not dead
            liveness=Probe(path="/healthz?js-enabled-only=true", port="monitor", period_seconds=30),
            # in a rolling restart the next server goes when the streams of this one have caught up, and not before
            startup=Probe(path="/healthz", port="monitor", failure_threshold=90),
            mounts={
                "/etc/nats": Mount(volume="configuration"),
                place.certificates: Mount(volume="certificates"),
                place.store: Mount(volume="data", read_only=False),
                place.pid_file.rpartition("/")[0]: Mount(volume="pid", read_only=False),
            },
            # the server leaves after it has sent its clients to the others; the signal to end finds it leaving
            before_stop=("nats-server", f"--signal=ldm={place.pid_file}"),
        )

    def _exporter(self) -> Container:
        probe = Probe(port="metrics", period_seconds=30)
        figures = ("-varz", "-connz", "-routez", "-healthz", "-jsz=all", "-use_internal_server_name")
        return Container(
            name="exporter",
            image=self._settings.exporter_image,
            resources=_EXPORTER,
            args=(*figures, f"-port={_EXPORTER_PORT}", f"http://localhost:{MONITOR_PORT}/"),
            ports={"metrics": _EXPORTER_PORT},
            readiness=probe,
            liveness=probe,
        )

    def _create_streams(self) -> None:
        stored = self._workloads.config_map("nats.streams", "nats-streams", files(self._settings.streams))
        user = self.secrets["streams"]
        container = Container(
            name="streams",
            image=self._settings.tools_image,
            resources=_JOB,
            command=("/bin/sh", f"/streams/{SCRIPT_NAME}"),
            environment={
                "NATS_URL": self.address,
                "NATS_CA": "/user/ca.crt",
                "NATS_NKEY": "/user/user.nk",
                "NATS_INBOX_PREFIX": inbox("streams"),
                "XDG_CONFIG_HOME": "/tmp",  # noqa: S108 - a directory of this pod alone
            },
            mounts={
                "/streams": Mount(volume="streams"),
                "/user": Mount(volume="user"),
                "/tmp": Mount(volume="scratch", read_only=False),  # noqa: S108 - a directory of this pod alone
            },
        )
        pod = Pod(
            containers=(container,),
            volumes={
                "streams": FromConfigMap(name=stored.name),
                "user": FromSecret(name=user.name, items={"NATS_CA": "ca.crt", "NATS_NKEY_SEED": "user.nk"}),
                "scratch": EmptyDir(),
            },
        )
        self._workloads.job("nats.streams", STREAMS_JOB, pod)
