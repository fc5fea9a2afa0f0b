"""The Kubernetes API server's version, and whether its user may do something: the sandbox's one user may do anything."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes, answer, document_of

TOKEN = "sandbox-kubernetes-token"  # noqa: S105 - opens nothing but a sandbox on this machine

_REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}


def render(error: ApiError) -> Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": error.message, "code": error.status}
    return JSONResponse(status | {"reason": _REASONS.get(error.status, "InternalError")}, error.status)


def _admit(call: Call) -> str:
    if call.bearer() != TOKEN:
        raise ApiError(401, "Unauthorized")
    return "sandbox"


def _version(_: Call) -> Response:
    return answer({"major": "1", "minor": "34", "gitVersion": "v1.34.0+sandbox", "platform": "linux/amd64"})


def _review(call: Call) -> Response:
    review = document_of(call.payload)
    if not isinstance(review, dict) or not isinstance(review.get("spec"), dict):
        raise ApiError(400, "a SelfSubjectAccessReview with a spec is expected")
    return answer(review | {"status": {"allowed": True}}, 201)


_routes = Routes("kubernetes", _admit, render)

ROUTES = [
    _routes("/version", GET=_version),
    _routes("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", POST=_review),
]
