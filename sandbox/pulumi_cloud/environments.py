"""ESC on the sandbox's Pulumi Cloud: environments, their revisions, checking and opening them.

The calls are those of the ESC API as the command line and the Python client use it. Rotation, webhooks, access and
scheduled actions are not imitated.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from esc.language import Evaluation, decrypt_definition, encrypt_definition, has_errors, to_json
from esc.language.paths import parse_path
from esc.language.scalars import parse_json
from sandbox.pulumi_cloud import environments_store as store
from sandbox.pulumi_cloud import environments_tags as tags
from sandbox.pulumi_cloud.account import USER
from sandbox.pulumi_cloud.calls import Answer, ApiError, Call
from sandbox.pulumi_cloud.calls import routes as make_routes
from sandbox.pulumi_cloud.environments_evaluation import (
    ANONYMOUS,
    Evaluator,
    answer_check,
    document_json,
    refusal,
    seconds,
)
from sandbox.pulumi_cloud.environments_lookup import (
    environment_of,
    new_name,
    organization_of,
    query_number,
    revision_of,
    whole_number,
)
from sandbox.pulumi_cloud.environments_store import Environment, Revision, clear, prepare, write_environment

__all__ = ["clear", "prepare", "routes", "write_environment"]

_PAGE = 100
_MISSING = object()


def routes() -> list[Route]:
    """The ESC calls, by paths under ``/api``."""
    all_of = "/esc/environments"
    of = f"{all_of}/{{org}}"
    one = f"{of}/{{project}}/{{env}}"
    version = f"{one}/versions/{{version}}"
    return make_routes(
        [
            ("GET", all_of, _list),
            ("GET", of, _list),
            ("POST", of, _create),
            ("POST", f"{of}/yaml/check", _check_text),
            ("POST", f"{of}/yaml/open", _open_text),
            ("GET", f"{of}/yaml/open/{{session}}", _read_session),
            ("GET", f"{of}/yaml/open//{{session}}", _read_session),
            ("GET", one, _definition),
            ("PATCH", one, _update),
            ("DELETE", one, _delete),
            ("GET", f"{one}/decrypt", _decrypted),
            ("POST", f"{one}/open", _open),
            ("GET", f"{one}/open/{{session}}", _read_session),
            # The Python client asks for a property with an empty segment in the path.
            ("GET", f"{one}/open//{{session}}", _read_session),
            ("POST", f"{one}/clone", _clone),
            ("GET", f"{one}/settings", _settings),
            ("PATCH", f"{one}/settings", _change_settings),
            ("GET", f"{one}/tags", tags.list_tags),
            ("POST", f"{one}/tags", tags.create_tag),
            ("GET", f"{one}/tags/{{tag}}", tags.get_tag),
            ("PATCH", f"{one}/tags/{{tag}}", tags.update_tag),
            ("DELETE", f"{one}/tags/{{tag}}", tags.delete_tag),
            ("GET", f"{one}/versions", _revisions),
            ("GET", f"{one}/versions/tags", tags.list_revision_tags),
            ("POST", f"{one}/versions/tags", tags.create_revision_tag),
            ("GET", f"{one}/versions/tags/{{tag}}", tags.get_revision_tag),
            ("PATCH", f"{one}/versions/tags/{{tag}}", tags.update_revision_tag),
            ("DELETE", f"{one}/versions/tags/{{tag}}", tags.delete_revision_tag),
            ("GET", version, _definition),
            ("GET", f"{version}/decrypt", _decrypted),
            ("POST", f"{version}/open", _open),
        ]
    )


def _list(call: Call) -> Answer:
    organization = organization_of(call) if "org" in call.request.path_params else None
    found = store.environments(call.connection, organization)
    return {
        "environments": [
            {
                "organization": environment.organization,
                "project": environment.project,
                "name": environment.name,
                "created": environment.created,
                "modified": modified,
            }
            for environment, modified in found
        ],
        "nextToken": "",
    }


def _create(call: Call) -> Answer:
    organization = organization_of(call)
    project, name = new_name(call, organization, call.document())
    store.create(call.connection, organization, project, name)
    return None


def _yaml(revision: Revision, text: str) -> Response:
    headers = {"ETag": revision.etag, "Pulumi-ESC-Revision": str(revision.number)}
    return Response(text, headers=headers, media_type="application/x-yaml")


def _definition(call: Call) -> Answer:
    revision = revision_of(call, environment_of(call))
    return _yaml(revision, revision.text)


def _decrypted(call: Call) -> Answer:
    environment = environment_of(call)
    revision = revision_of(call, environment)
    decrypt = store.decrypter(call.vault, environment.organization)
    return _yaml(revision, decrypt_definition(environment.full_name, revision.text, decrypt))


def _text(call: Call) -> str:
    """The definition in the body; never judged by its content type, which the command line gets wrong."""
    try:
        return call.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ApiError(400, "Bad Request: the definition is not UTF-8 text") from error


def _update(call: Call) -> Answer:
    environment, text = environment_of(call), _text(call)
    newest = revision_of(call, environment)
    etag = call.request.headers.get("etag", "").strip('"')
    if etag and etag != newest.etag:
        raise ApiError(
            409,
            f"Conflict: environment {environment.full_name} was changed meanwhile: it is at revision {newest.number} now",
        )
    found = Evaluator(call, environment.organization).check(environment.full_name, text).diagnostics
    if has_errors(found):
        return refusal(found, "Bad Request: the definition has errors")
    stored = encrypt_definition(environment.full_name, text, store.encrypter(call.vault, environment.organization))
    revision = store.add_revision(call.connection, environment, stored)
    warnings: dict[str, Any] = {"diagnostics": [one.to_json() for one in found]} if found else {}
    return JSONResponse(warnings, headers={"ETag": revision.etag, "Pulumi-ESC-Revision": str(revision.number)})


def _delete(call: Call) -> Answer:
    environment = environment_of(call)
    if environment.protected:
        raise ApiError(409, f"Conflict: environment {environment.full_name} is protected from deletion")
    store.delete(call.connection, environment)
    return None


def _check_text(call: Call) -> Answer:
    show_secrets = call.request.query_params.get("showSecrets") == "true"
    evaluator = Evaluator(call, organization_of(call))
    return answer_check(evaluator.check(ANONYMOUS, _text(call), show_secrets=show_secrets))


def _open_text(call: Call) -> Answer:
    organization = organization_of(call)
    evaluation = Evaluator(call, organization).open(ANONYMOUS, _text(call), _overrides(call))
    return _session(call, organization, evaluation)


def _open(call: Call) -> Answer:
    environment = environment_of(call)
    revision = revision_of(call, environment)
    evaluation = Evaluator(call, environment.organization).open(environment.full_name, revision.text)
    return _session(call, environment.organization, evaluation)


def _overrides(call: Call) -> dict[str, str]:
    """Environments to be imported instead of others: base64url of a JSON object, without padding."""
    encoded = call.request.query_params.get("environmentOverrides")
    if not encoded:
        return {}
    try:
        decoded = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError as error:
        raise ApiError(400, "Bad Request: environmentOverrides is not base64url of JSON") from error
    if not isinstance(decoded, dict) or not all(isinstance(other, str) for other in decoded.values()):
        raise ApiError(400, "Bad Request: environmentOverrides must map names of environments to others")
    return decoded


def _session(call: Call, organization: str, evaluation: Evaluation) -> Answer:
    if has_errors(evaluation.diagnostics):
        return refusal(evaluation.diagnostics, "Bad Request: the environment cannot be opened")
    lifetime = seconds(call.request.query_params.get("duration"))
    return {"id": store.save_session(call.connection, call.vault, organization, document_json(evaluation), lifetime)}


def _read_session(call: Call) -> Answer:
    document = store.session_document(call.connection, call.vault, organization_of(call), call.parameter("session"))
    if document is None:
        raise ApiError(404, "Not Found: there is no such open environment: open it again")
    path = call.request.query_params.get("property")
    if not path:
        return Response(document, media_type="application/json")
    value = _property(parse_json(document), path)
    if value is _MISSING:
        raise ApiError(404, f"Not Found: the environment has no property {path!r}")
    return Response(to_json(value), media_type="application/json")


def _property(document: dict[str, Any], path: str) -> Any:
    try:
        steps = parse_path(path)
    except ValueError as error:
        raise ApiError(400, f"Bad Request: {error}") from error
    value: Any = {"value": document.get("properties", {})}
    for step in steps:
        content = value["value"]
        in_object = isinstance(content, dict) and step in content
        if not in_object and not (isinstance(content, list) and isinstance(step, int) and step < len(content)):
            return _MISSING
        value = content[step]
    return value


def _clone(call: Call) -> Answer:
    source, body = environment_of(call), call.document()
    project, name = new_name(call, source.organization, body)
    version = body.get("version") or 0
    upto = store.revision(call.connection, source, str(whole_number(version, "version")) if version else store.LATEST)
    if upto is None:
        raise ApiError(404, f"Not Found: environment {source.full_name} has no revision {version}")
    history = [upto]
    if body.get("preserveHistory"):
        history = store.revisions(call.connection, source, upto.number + 1, upto.number)[::-1]
    copy = store.create(call.connection, source.organization, project, name, history[0].text)
    for revision in history[1:]:
        store.add_revision(call.connection, copy, revision.text)
    _clone_tags(call, source, copy, body)
    return None


def _clone_tags(call: Call, source: Environment, copy: Environment, body: dict[str, Any]) -> None:
    if body.get("preserveEnvironmentTags"):
        for tag in store.tags(call.connection, source, "environment"):
            store.put_tag(call.connection, copy, "environment", tag.name, tag.value)
    if body.get("preserveHistory") and body.get("preserveRevisionTags"):
        for tag in store.tags(call.connection, source, "revision"):
            if tag.name != store.LATEST and store.revision(call.connection, copy, tag.value):
                store.put_tag(call.connection, copy, "revision", tag.name, tag.value)


def _settings(call: Call) -> Answer:
    return {"deletionProtected": environment_of(call).protected}


def _change_settings(call: Call) -> Answer:
    environment = environment_of(call)
    protected = call.document().get("deletionProtected", environment.protected)
    if not isinstance(protected, bool):
        raise ApiError(400, "Bad Request: deletionProtected must be true or false")
    store.protect(call.connection, environment, protected=protected)
    return {"deletionProtected": protected}


def _revisions(call: Call) -> Answer:
    environment = environment_of(call)
    before, count = query_number(call, "before", 0), query_number(call, "count", _PAGE) or _PAGE
    named = store.tags(call.connection, environment, "revision")
    return JSONResponse(
        [
            {
                "number": revision.number,
                "created": revision.created,
                "creatorLogin": USER,
                "creatorName": USER,
                "tags": [tag.name for tag in named if tag.value == str(revision.number)],
            }
            for revision in store.revisions(call.connection, environment, before, count)
        ]
    )
