"""Portkey's specification, put right where Portkey's own clients show that the service does something else.

Each correction is where the specification contradicts the vendor's Terraform provider (whose acceptance tests run
against the service) or Python SDK, or where it cannot be met by anything.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

SPEC = "portkey/portkey_openapi.yaml"

_UNSATISFIABLE = (
    "GuardrailCheck",
    "CreateIntegrationRequest",
    "UpdateIntegrationRequest",
    "IntegrationDetailResponse",
    "UpdateUsageLimitsPolicyRequest",
)
"""They want exactly one of several alternatives to fit, and most documents fit many; or may be null, and may not."""
_ENVELOPED = ("/prompts/partials", "/prompts/{promptId}/versions", "/prompts/partials/{promptPartialId}/versions")
"""Lists that are bare arrays in the specification; both clients read their ``data``."""
_NUMBERS = (("Collection", "is_default"), ("Prompt", "is_raw_template"), ("PromptPartialVersion", "version"))
"""Flags and a number that the Terraform provider reads as integers."""
_QUERIES = (
    ("/configs", "workspace_id"),
    ("/prompts/partials", "workspace_id"),
    ("/prompts/{promptId}", "version"),
    ("/prompts/partials/{promptPartialId}", "version"),
)
"""Parameters of GET that only the documentation and the Terraform provider have."""
_EMPTY = ("/admin/workspaces/{workspaceId}", "/guardrails/{guardrailId}")
"""DELETE has no body in the specification; the SDK breaks on an answer that is not JSON, as the other ones are."""
_CLEARED = {"usage_limits", "rate_limits", "alert_emails"}
"""Members of changes that the Terraform provider sends null for, to take the limits away."""


def corrected(specification: Any) -> Any:
    document: dict[str, Any] = deepcopy(specification.document)
    schemas, paths = document["components"]["schemas"], document["paths"]
    for name in _UNSATISFIABLE:
        schemas[name] = _mended(schemas[name])
    for path in _ENVELOPED:
        content = paths[path]["get"]["responses"]["200"]["content"]["application/json"]
        properties = {"object": {"enum": ["list"]}, "total": {"type": "integer"}, "data": content["schema"]}
        content["schema"] = {"type": "object", "required": ["data", "total"], "properties": properties}
    for name, member in _NUMBERS:
        schemas[name]["properties"][member] = {"type": "integer"}
    for path, parameter in _QUERIES:
        declared = {"in": "query", "name": parameter, "schema": {"type": "string"}}
        paths[path]["get"].setdefault("parameters", []).append(declared)
    for path in _EMPTY:
        paths[path]["delete"]["responses"]["200"] |= _body({})
    deletion = {"name": {"type": "string"}, "force_delete": {"type": "boolean"}}
    paths["/admin/workspaces/{workspaceId}"]["delete"]["requestBody"] = _body(deletion)
    for path, verb in (("/providers", "post"), ("/providers/{slug}", "put")):
        sent = paths[path][verb]["requestBody"]["content"]["application/json"]["schema"]["properties"]
        # As in answers; and who changes a provider with an organisation's key says the workspace in the body.
        sent |= {"rate_limits": {"type": "array", "items": sent["rate_limits"]}, "workspace_id": {"type": "string"}}
    workspace = paths["/admin/workspaces/{workspaceId}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    for schema in (workspace, schemas["UpdateApiKeyObject"]):
        for member in _CLEARED & schema["properties"].keys():
            declared = schema["properties"][member]
            named = declared.get("$ref", "").rsplit("/", 1)[-1]
            schema["properties"][member] = (schemas[named] if named else declared) | {"nullable": True}
    return type(specification)(specification.name, document)


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}


def _mended(node: Any) -> Any:
    if isinstance(node, list):
        return [_mended(item) for item in node]
    if not isinstance(node, dict):
        return node
    mended = {("anyOf" if name == "oneOf" else name): _mended(value) for name, value in node.items()}
    return mended | {"enum": [*mended["enum"], None]} if node.get("nullable") and "enum" in node else mended
