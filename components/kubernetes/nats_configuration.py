"""The configuration of a NATS server, and what of it each user may do (docs.nats.io, "Configuration")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.kubernetes.nats_settings import NatsSettings, UserSettings
from components.kubernetes.values import amount

ACCOUNT: Final = "SOPHIA"
SYSTEM_ACCOUNT: Final = "SYS"
CLIENT_PORT: Final = 4222
CLUSTER_PORT: Final = 6222
MONITOR_PORT: Final = 8222
LAME_DUCK_SECONDS: Final = 60
GRACE_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server runs: its directories and ports, and the addresses of all servers of the cluster."""

    certificates: str = "/etc/nats-certificates"
    store: str = "/data"
    pid_file: str = "/var/run/nats/nats.pid"
    host: str = "0.0.0.0"  # noqa: S104 - in its pod, to which network policies decide who comes
    client_port: int = CLIENT_PORT
    cluster_port: int = CLUSTER_PORT
    monitor_port: int = MONITOR_PORT
    routes: tuple[str, ...] = ()


def configuration(settings: NatsSettings, public_keys: Mapping[str, Sequence[str]], place: Place) -> str:
    """``nats.conf``. It holds no secret: of each user it has the public keys only, by user.

    The server's name is that of its pod, in the environment variable POD_NAME.
    """
    tls = {
        "cert_file": f"{place.certificates}/tls.crt",
        "key_file": f"{place.certificates}/tls.key",
        "ca_file": f"{place.certificates}/ca.crt",
    }
    sections: dict[str, Any] = {
        "listen": f"{place.host}:{place.client_port}",
        "http": f"{place.host}:{place.monitor_port}",
        "pid_file": place.pid_file,
        "max_payload": int(amount(settings.max_payload)),
        "max_connections": settings.max_connections,
        "lame_duck_grace_period": f"{GRACE_SECONDS}s",
        "lame_duck_duration": f"{LAME_DUCK_SECONDS}s",
        "tls": tls,
        "jetstream": {
            "store_dir": place.store,
            "max_file_store": settings.file_store,
            "max_memory_store": int(amount(settings.memory_store)),
        },
        "accounts": _accounts(settings, public_keys),
        "system_account": SYSTEM_ACCOUNT,
    }
    if settings.servers > 1:
        sections["cluster"] = {
            "name": "sophia",
            "listen": f"{place.host}:{place.cluster_port}",
            "routes": list(place.routes),
            # clients would be sent to addresses of pods, for which no certificate is
            "no_advertise": True,
            "tls": {**tls, "verify": True},
        }
    lines = [f"{name}: {json.dumps(value, indent=2, ensure_ascii=False)}" for name, value in sections.items()]
    return "\n".join(["server_name: $POD_NAME", *lines, ""])


def inbox(user: str) -> str:
    """The subjects in which a user awaits answers: its own, so that no other one reads them."""
    return f"_INBOX_{user}"


def permissions(user: str, settings: UserSettings, nats: NatsSettings) -> dict[str, Any]:
    """What one user may do, and nothing else."""
    publish = [*settings.publish, "$JS.API.INFO"]
    for key, consumers in settings.consume.items():
        stream = nats.streams[key]
        for name in (stream.consumers[consumer].name for consumer in consumers):
            publish += [
                f"$JS.API.CONSUMER.INFO.{stream.name}.{name}",
                f"$JS.API.CONSUMER.MSG.NEXT.{stream.name}.{name}",
                f"$JS.ACK.{stream.name}.{name}.>",
            ]
    allowed: dict[str, Any] = {
        "publish": {"allow": publish},
        "subscribe": {"allow": [*settings.subscribe, f"{inbox(user)}.>"]},
    }
    if settings.answers:
        allowed["allow_responses"] = {"max": 1, "expires": "1m"}
    return allowed


def _accounts(settings: NatsSettings, public_keys: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    granted = {key: permissions(key, user, settings) for key, user in settings.users.items()}
    granted["streams"] = {
        "publish": {"allow": ["$JS.API.>"]},
        "subscribe": {"allow": [f"{inbox('streams')}.>"]},
    }
    users = [{"nkey": key, "permissions": granted[user]} for user in granted for key in public_keys[user]]
    return {
        ACCOUNT: {"jetstream": {"max_streams": 100}, "users": users},
        SYSTEM_ACCOUNT: {"users": [{"nkey": key} for key in public_keys["system"]]},
    }
