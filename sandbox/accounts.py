"""Platforms that are not imitated yet, and whose credentials other platforms' settings name all the same."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from sandbox.platform import Platform


def _failure(status: int, text: str) -> Response:
    return JSONResponse({"message": text}, status_code=status)


PLATFORMS = [
    Platform(
        name="gong",
        title="Gong",
        routes=(),
        failure=_failure,
        credentials={
            "GONG_ACCESS_KEY": "sandbox-gong-access-key",
            "GONG_ACCESS_KEY_SECRET": "sandbox-gong-access-key-secret",
        },
        secret=frozenset({"GONG_ACCESS_KEY", "GONG_ACCESS_KEY_SECRET"}),
        simulated="nothing: a credential for Airbyte's source to name",
    ),
    Platform(
        name="hubspot",
        title="HubSpot",
        routes=(),
        failure=_failure,
        credentials={"HUBSPOT_ACCESS_TOKEN": "pat-sandbox-hubspot-access-token"},
        secret=frozenset({"HUBSPOT_ACCESS_TOKEN"}),
        simulated="nothing: a credential for Airbyte's source to name",
    ),
    Platform(
        name="linear",
        title="Linear",
        routes=(),
        failure=_failure,
        credentials={"LINEAR_API_KEY": "lin_api_sandbox_key"},
        secret=frozenset({"LINEAR_API_KEY"}),
        simulated="nothing: a credential for Airbyte's source to name",
    ),
]
