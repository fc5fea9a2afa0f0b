"""The environment of n8n's processes. Source of the names: docs.n8n.io, "Environment variables", for version 2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pulumi

from components.kubernetes.n8n_settings import DatabaseSettings, N8nSettings

PORT: Final = 5678
BROKER_PORT: Final = 5679
HOME: Final = "/home/node"
SECRETS: Final = "/etc/n8n-secrets"
"""Where the files are from which n8n reads what is secret, each under the name of its variable."""
SHUTDOWN_SECONDS: Final = 120
_ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104 - of its pod, to which network policies decide who comes


def common(settings: N8nSettings, host: str) -> dict[str, pulumi.Input[str]]:
    """What main, webhook processors and workers have in common. ``host`` is where users and callers find n8n."""
    address = f"https://{host}/"
    return {
        "EXECUTIONS_MODE": "queue",
        "OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS": "true",
        "EXECUTIONS_TIMEOUT": str(settings.timeout_seconds),
        "EXECUTIONS_TIMEOUT_MAX": str(settings.timeout_seconds),
        "EXECUTIONS_DATA_PRUNE": "true",
        "EXECUTIONS_DATA_MAX_AGE": str(settings.keep_days * 24),
        "EXECUTIONS_DATA_PRUNE_MAX_COUNT": str(settings.keep_executions),
        # disks of pods are not shared, and go with the pods
        "N8N_DEFAULT_BINARY_DATA_MODE": "database",
        "N8N_USER_FOLDER": HOME,
        "N8N_HOST": host,
        "N8N_PORT": str(PORT),
        "N8N_LISTEN_ADDRESS": _ALL_ADDRESSES,
        "N8N_WORKER_SERVER_ADDRESS": _ALL_ADDRESSES,
        "N8N_PROTOCOL": "https",
        # the ingress speaks TLS, n8n does not: without its own certificate N8N_PROTOCOL only says how it is found
        "N8N_PROXY_HOPS": "1",
        "N8N_EDITOR_BASE_URL": address,
        # the older name and its successor, of which each version of 2.x reads one
        "WEBHOOK_URL": address,
        "N8N_WEBHOOK_URL": address,
        "GENERIC_TIMEZONE": settings.timezone,
        "TZ": settings.timezone,
        "N8N_GRACEFUL_SHUTDOWN_TIMEOUT": str(SHUTDOWN_SECONDS),
        **_guards(),
        **_silence(),
        **_figures(),
        **_runners(),
    }


def from_files(names: Iterable[str]) -> dict[str, pulumi.Input[str]]:
    """The variables that say where the secrets ``names`` are. n8n reads any of its variables from a file that
    ``<NAME>_FILE`` names: a variable's own value would be seen by whatever sees the environment of the process."""
    return {f"{name}_FILE": f"{SECRETS}/{name}" for name in names}


def queue(host: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """How the queue is found; its password is a secret of its own."""
    return {"QUEUE_BULL_REDIS_HOST": host, "QUEUE_BULL_REDIS_PORT": "6379", "QUEUE_BULL_REDIS_KEEP_ALIVE": "true"}


def own_database(host: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """How a PostgreSQL of the namespace is found: no TLS, because the connection is open to n8n's pods only."""
    return {
        "DB_TYPE": "postgresdb",
        "DB_POSTGRESDB_HOST": host,
        "DB_POSTGRESDB_PORT": "5432",
        "DB_POSTGRESDB_DATABASE": "n8n",
        "DB_POSTGRESDB_USER": "n8n",
        "DB_POSTGRESDB_POOL_SIZE": "4",
    }


def foreign_database(settings: DatabaseSettings) -> dict[str, pulumi.Input[str]]:
    """How a PostgreSQL that others run is found."""
    tls = {"DB_POSTGRESDB_SSL_ENABLED": "true", "DB_POSTGRESDB_SSL_REJECT_UNAUTHORIZED": "true"}
    if settings.authority is not None:
        tls["DB_POSTGRESDB_SSL_CA"] = settings.authority
    return {
        **own_database(settings.host),
        "DB_POSTGRESDB_PORT": str(settings.port),
        "DB_POSTGRESDB_DATABASE": settings.name,
        "DB_POSTGRESDB_USER": settings.user,
        **tls,
    }


def _guards() -> dict[str, str]:
    """What keeps a workflow from what is not its own."""
    return {
        "N8N_BLOCK_ENV_ACCESS_IN_NODE": "true",
        "N8N_BLOCK_FILE_ACCESS_TO_N8N_FILES": "true",
        # the secrets are files of the same pod
        "N8N_RESTRICT_FILE_ACCESS_TO": f"{HOME}/.n8n-files",
        "N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS": "true",
        "N8N_COMMUNITY_PACKAGES_ENABLED": "false",
        "N8N_SECURE_COOKIE": "true",
        "N8N_PUBLIC_API_SWAGGERUI_DISABLED": "true",
        "NODES_EXCLUDE": '["n8n-nodes-base.executeCommand","n8n-nodes-base.localFileTrigger","n8n-nodes-base.ssh"]',
    }


def _silence() -> dict[str, str]:
    """Nothing about the estate is told to others."""
    return {
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_DYNAMIC_BANNERS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false",
        "N8N_PERSONALIZATION_ENABLED": "false",
        "N8N_HIRING_BANNER_ENABLED": "false",
    }


def _figures() -> dict[str, str]:
    """Figures and logs for the monitoring."""
    return {
        "N8N_METRICS": "true",
        "N8N_METRICS_INCLUDE_QUEUE_METRICS": "true",
        "N8N_METRICS_INCLUDE_MESSAGE_EVENT_BUS_METRICS": "true",
        "N8N_METRICS_INCLUDE_WORKFLOW_ID_LABEL": "true",
        "QUEUE_HEALTH_CHECK_ACTIVE": "true",
        "QUEUE_HEALTH_CHECK_PORT": str(PORT),
        "N8N_LOG_LEVEL": "info",
        "N8N_LOG_FORMAT": "json",
        "N8N_LOG_OUTPUT": "console",
    }


def _runners() -> dict[str, str]:
    """Code of users runs in a container of its own, which has neither n8n's environment nor its database."""
    return {
        "N8N_RUNNERS_MODE": "external",
        "N8N_RUNNERS_BROKER_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_RUNNERS_BROKER_PORT": str(BROKER_PORT),
    }
