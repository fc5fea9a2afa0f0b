"""The one user of the sandbox, its organisation, and what this Pulumi Cloud is able to do."""

from __future__ import annotations

from starlette.routing import Route

from sandbox.pulumi_cloud.calls import Answer, Call, routes

USER = "sophia-sandbox"
ORGANIZATION = "scoobyjava-org"
ORGANIZATIONS = (ORGANIZATION, USER)
"""The organisations that can own stacks; a user's own account is one of them, as in Pulumi Cloud."""


USER_INFO = {"githubLogin": USER, "name": "Sophia sandbox", "email": "sandbox@localhost", "avatarUrl": ""}


def _user(_call: Call) -> Answer:
    return {
        "id": USER,
        **USER_INFO,
        "organizations": [
            {"githubLogin": name, "name": name, "avatarUrl": "", "role": "admin"} for name in ORGANIZATIONS
        ],
        "identities": [],
        "hasMFA": False,
        "isManagedByMultiOrg": False,
        "isOrgManaged": False,
    }


def _default_organization(_call: Call) -> Answer:
    return {"GitHubLogin": ORGANIZATION, "Messages": []}


def _capabilities(_call: Call) -> Answer:
    # Without the other capabilities the engine sends whole checkpoints, which keep the pending operations that a
    # killed run leaves behind; the delta format loses them.
    return {"capabilities": [{"capability": "batch-encrypt"}]}


ROUTES: list[Route] = routes(
    [
        ("GET", "/user", _user),
        ("GET", "/user/organizations/default", _default_organization),
        ("GET", "/capabilities", _capabilities),
    ]
)
