"""Estuary Flow's control plane: its REST and GraphQL API, its database by PostgREST, and the encryption of secrets."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.estuary import access, encryption, graphql_api, postgrest, seed, status, tables
from sandbox.http import ApiError, Routes
from sandbox.platform import Platform


def _failure(code: int, message: str) -> Response:
    return postgrest.render(ApiError(code, message))


_control = Routes("estuary", access.admit, access.render)
_rows = Routes("estuary", postgrest.admit, postgrest.render)
_encryption = Routes("estuary", access.admit, encryption.render)

PLATFORM = Platform(
    name="estuary",
    title="Estuary Flow",
    routes=[
        _control("/api/v1/auth/token", public=True, POST=access.create_token),
        _control("/api/v1/catalog/status", GET=status.read_status),
        _control("/api/graphql", POST=graphql_api.handle),
        _rows("/rest/v1/rpc/{function}", POST=tables.function),
        _rows("/rest/v1/{table}", GET=tables.read, POST=tables.insert, PATCH=tables.update, DELETE=tables.delete),
        _encryption("/config-encryption/v1/encrypt-config", public=True, POST=encryption.encrypt_config),
    ],
    failure=_failure,
    credentials={
        "ESTUARY_API_URL": "{url}",
        "ESTUARY_REST_URL": "{url}/rest/v1",
        "ESTUARY_ENCRYPTION_URL": "{url}/config-encryption",
        "ESTUARY_PUBLIC_TOKEN": seed.PUBLIC_TOKEN,
        "FLOW_API_KEY": seed.API_KEY,
    },
    secret=frozenset({"FLOW_API_KEY"}),
    simulated=(
        "drafts, publications with Estuary's checks and their status, live specs, encryption of connector "
        "configurations, grants, storage mappings, alerts, service accounts and keys, four connectors; no data moves"
    ),
)
