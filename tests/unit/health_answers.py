"""What platforms answer to our checks: when all is well, and when something is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from health.tokens import fingerprint
from sandbox.official.api.snowflake_key import public_key

Answers = Mapping[str, Any]
"""By path: JSON, a response, or a function of the request."""

SLACK_SCOPES = "chat:write,channels:join,channels:manage,channels:read,groups:read,usergroups:read,usergroups:write"


def respond(status: int, document: Any = None, **headers: str) -> Response:
    return JSONResponse(document, status, {name.replace("_", "-"): value for name, value in headers.items()})


def slack(**by_token: Response) -> Callable[[Request], Response]:
    """What auth.test says to each of the three tokens."""

    def answer(request: Request) -> Response:
        kind = request.headers["authorization"].rpartition("-")[2]
        return by_token.get(kind) or respond(200, {"ok": True}, x_oauth_scopes=SLACK_SCOPES)

    return answer


def statements(request: dict[str, Any]) -> Any:
    """Snowflake's good answers."""
    if "DESCRIBE" in request["statement"]:
        rows = [
            ["RSA_PUBLIC_KEY_2_FP", FINGERPRINT],
            ["RSA_PUBLIC_KEY_2_LAST_SET_TIME", "2026-09-01 08:00:00.000 +0200"],
        ]
        return {"data": [["RSA_PUBLIC_KEY_FP", "null", None, ""], *([*row, None, ""] for row in rows)]}
    return {"data": [["ACCOUNTADMIN", "9.0.0"]]}


FINGERPRINT = fingerprint(public_key())
CORE = {"limit": 5000, "remaining": 4990, "reset": 1800000000}
ALLOWED = {"status": {"allowed": True}}
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def estuary(prefix: str = "acme/", **status: str) -> Any:
    """Estuary's answer to both questions: what the key administers, and how the task is."""
    well = {"type": "OK", "summary": "Ok"}
    live = {"acme/dev/calls": well, "acme/dev/cdc": {**well, **status}}
    shown = {name: one if one["type"] != "GONE" else None for name, one in live.items()}
    tasks = {"edges": [{"node": {"catalogName": name, "status": one}} for name, one in shown.items()]}
    return {"data": {"prefixes": {"edges": [{"node": {"prefix": prefix}}]}, "liveSpecs": tasks}}


GOOD: Mapping[str, Answers] = {
    "airbyte": {
        "/health": PlainTextResponse("Successful operation"),
        "/applications/token": {"access_token": "short-lived", "expires_in": 180},
        "/workspaces": {"data": []},
    },
    "aws": {
        "/": {
            "GetCallerIdentityResponse": {
                "GetCallerIdentityResult": {
                    "Account": "123456789012",
                    "Arn": "arn:aws:sts::123456789012:assumed-role/sophia-ai-dev-deploy/esc",
                }
            }
        }
    },
    "estuary": {"/api/v1/auth/token": {"access_token": "short-lived"}, "/api/graphql": estuary()},
    "openrouter": {
        "/key": {"data": {"is_management_key": True, "expires_at": "2027-03-01T00:00:00Z"}},
        "/credits": {"data": {"total_credits": 500, "total_usage": 100.5}},
    },
    "pinecone": {
        "/oauth/token": {"access_token": "short-lived", "token_type": "Bearer", "expires_in": 1800},
        "/admin/projects": {"data": [{"id": "p", "name": "sophia-dev"}]},
        "/admin/organizations": {"data": [{"id": "o", "name": "Pay Ready", "payment_status": "Active"}]},
        "/indexes": {"indexes": []},
    },
    "portkey": {"/api-keys": {"object": "list", "total": 0, "data": []}},
    "slack": {"/auth.test": slack()},
    "github": {
        "/rate_limit": respond(
            200, {"resources": {"core": CORE}}, github_authentication_token_expiration="2027-01-31 12:00:00 UTC"
        ),
        "/repos/pay-ready/lab/keys": [],
        "/repos/pay-ready/lab/secret-scanning/alerts": [],
    },
    "vercel": {
        "/v5/user/tokens/current": {"token": {"createdAt": 1790000000000, "expiresAt": 1810000000000}},
        "/v2/teams/team_1": {"membership": {"role": "DEVELOPER"}},
    },
    "kubernetes": {"/version": {"gitVersion": "v1.34.0"}, REVIEW: ALLOWED},
    "snowflake": {"/api/v2/statements": statements},
    "pulumi": {"/api/user": {"githubLogin": "ci", "organizations": [{"githubLogin": "scoobyjava-org"}]}},
}


FORBIDDEN_KEYS = respond(
    403, {"message": "Resource not accessible"}, x_accepted_github_permissions="administration=read"
)

BAD: list[tuple[str, Answers, str, str]] = [
    ("airbyte", {"/applications/token": respond(401, {})}, "failing", "AIRBYTE_CLIENT_SECRET"),
    ("airbyte", {"/workspaces": respond(403, {"title": "forbidden"})}, "failing", "403 forbidden"),
    ("estuary", {"/api/v1/auth/token": PlainTextResponse("expired", 401)}, "failing", "FLOW_API_KEY not accepted"),
    ("estuary", {"/api/graphql": estuary("other/")}, "failing", "the key administers other/, not acme/dev/"),
    ("estuary", {"/api/graphql": estuary(type="ERROR", summary="no slot")}, "failing", "acme/dev/cdc: no slot"),
    ("estuary", {"/api/graphql": estuary(type="WARNING", summary="pending")}, "degraded", "acme/dev/cdc: pending"),
    ("estuary", {"/api/graphql": estuary(type="GONE")}, "degraded", "acme/dev/cdc is not live"),
    (
        "portkey",
        {"/api-keys": respond(401, {"data": {"message": "no such key", "errorCode": "AB05"}})},
        "failing",
        "AB05",
    ),
    ("portkey", {"/api-keys": respond(403, {"data": {"message": "permission"}})}, "failing", "permission"),
    ("openrouter", {"/key": respond(401, {"error": {"message": "User not found."}})}, "failing", "User not found"),
    ("openrouter", {"/key": {"data": {"is_management_key": False}}}, "failing", "for inference"),
    ("openrouter", {"/credits": {"data": {"total_credits": 500, "total_usage": 491}}}, "degraded", "only 9 US dollars"),
    ("openrouter", {"/credits": {"data": {"total_credits": 5, "total_usage": 5}}}, "failing", "no US dollars"),
    (
        "slack",
        {"/auth.test": slack(bot=respond(200, {"ok": False, "error": "invalid_auth"}))},
        "failing",
        "invalid_auth",
    ),
    (
        "slack",
        {"/auth.test": slack(bot=respond(200, {"ok": True}, x_oauth_scopes="chat:write,channels:read"))},
        "failing",
        "lacks the scopes channels:join, channels:manage, groups:read, usergroups:read, usergroups:write",
    ),
    (
        "slack",
        {"/auth.test": slack(config=respond(200, {"ok": False, "error": "token_expired"}))},
        "degraded",
        "token_expired",
    ),
    ("github", {"/rate_limit": respond(401, {"message": "Bad credentials"})}, "failing", "Bad credentials"),
    ("github", {"/rate_limit": {"resources": {"core": {**CORE, "remaining": 40}}}}, "degraded", "only 40 of 5,000"),
    (
        "github",
        {"/rate_limit": {"resources": {"core": {**CORE, "remaining": 0}}}},
        "failing",
        "no requests an hour left",
    ),
    ("github", {"/repos/pay-ready/lab/keys": FORBIDDEN_KEYS}, "failing", "it needs administration=read"),
    ("github", {"/repos/pay-ready/lab/keys": respond(200, [], x_oauth_scopes="read:org")}, "failing", "not repo"),
    (
        "vercel",
        {"/v5/user/tokens/current": respond(403, {"error": {"message": "Not authorized", "invalidToken": True}})},
        "failing",
        "Not authorized",
    ),
    ("vercel", {"/v2/teams/team_1": {"membership": {"role": "VIEWER"}}}, "failing", "VIEWER in the team"),
    ("vercel", {"/v2/teams/team_1": respond(404, {"error": {"message": "no team"}})}, "failing", "no team"),
    ("kubernetes", {"/version": respond(401, {"message": "Unauthorized"})}, "failing", "Unauthorized"),
    ("kubernetes", {REVIEW: {"status": {"allowed": False, "reason": "no rule"}}}, "failing", "may not create secrets"),
    (
        "snowflake",
        {"/api/v2/statements": respond(401, {"code": "390144", "message": "JWT token is invalid."})},
        "failing",
        "JWT token is invalid",
    ),
    (
        "snowflake",
        {"/api/v2/statements": respond(401, {"code": "390189", "message": "Role 'ACCOUNTADMIN' is not granted"})},
        "failing",
        "is not granted",
    ),
    ("snowflake", {"/api/v2/statements": {"data": [["PUBLIC", "9"]]}}, "failing", "the role PUBLIC, not ACCOUNTADMIN"),
    ("pulumi", {"/api/user": {"githubLogin": "ci", "organizations": []}}, "failing", "no member of scoobyjava-org"),
    ("pulumi", {"/api/user": respond(401, {"message": "Unauthorized"})}, "failing", "Unauthorized"),
]
"""The platform, what it answers otherwise than well, the verdict, and what is said."""
