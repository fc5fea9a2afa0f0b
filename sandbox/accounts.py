"""Systems that are not imitated, and whose credentials other platforms' settings name all the same."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from sandbox.platform import Platform


def _failure(status: int, text: str) -> Response:
    return JSONResponse({"message": text}, status_code=status)


def _account(name: str, title: str, user: str, credentials: Mapping[str, str]) -> Platform:
    """A system of which only the credentials exist; ``user`` is what names them."""
    return Platform(
        name=name,
        title=title,
        routes=(),
        failure=_failure,
        credentials=credentials,
        secret=frozenset(credentials),
        simulated=f"nothing: a credential for {user} to name",
    )


PLATFORMS = [
    _account(
        "anthropic", "Anthropic", "OpenRouter's provider credential", {"ANTHROPIC_API_KEY": "sk-ant-sandbox-api-key"}
    ),
    _account("entrata", "Entrata", "Airbyte's source", {"ENTRATA_API_KEY": "sandbox-entrata-api-key"}),
    _account(
        "intake",
        "Notification intake",
        "Airbyte's notifications",
        {"AIRBYTE_NOTIFICATION_URL": "https://intake.payready.example/airbyte/sandbox-unguessable-part"},
    ),
    _account(
        "kubernetes_join",
        "Kubernetes, joining nodes",
        "Lambda's instances",
        {
            "KUBERNETES_JOIN_TOKEN": "abcdef.0123456789abcdef",
            "KUBERNETES_CA_HASH": f"sha256:{'0a' * 32}",
        },
    ),
    _account(
        "langfuse",
        "Langfuse",
        "OpenRouter's destination",
        {
            "LANGFUSE_PUBLIC_KEY": "pk-lf-sandbox-public-key",
            "LANGFUSE_SECRET_KEY": "sk-lf-sandbox-secret-key",
        },
    ),
    _account("usergems", "UserGems", "its record", {"USERGEMS_API_KEY": "sandbox-usergems-api-key"}),
    _account("postgres", "PostgreSQL", "Estuary's capture", {"POSTGRES_CDC_PASSWORD": "sandbox-postgres-cdc-password"}),
]
