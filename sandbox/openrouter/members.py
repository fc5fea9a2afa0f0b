"""The people of the organisation, which the API only shows, and which of them are in a workspace or under a guardrail."""

from __future__ import annotations

from typing import Annotated
from uuid import NAMESPACE_URL, uuid4, uuid5

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.openrouter.access import USER, now
from sandbox.openrouter.guardrails import find_guardrail
from sandbox.openrouter.workspaces import DEFAULT, paged, workspace_of
from sandbox.store import Document

_ORGANIZATION = "org_2sandbox0000000000000000"
_PEOPLE = (
    (USER, "Ada", "Reyes", "org:admin"),
    ("user_2sandbox00000000000000001", "Noor", "Haddad", "org:member"),
    ("user_2sandbox00000000000000002", "Sam", "Okafor", "org:member"),
)


class GuardrailMembers(Body):
    member_user_ids: list[Annotated[str, Field(min_length=1)]] = Field(min_length=1)


class WorkspaceMembers(Body):
    user_ids: list[str] = Field(min_length=1, max_length=100)


def list_members(call: Call) -> Response:
    return paged(call, [_member(*person) for person in _PEOPLE])


def list_workspace_members(call: Call) -> Response:
    """Everybody is in the default workspace."""
    workspace = workspace_of(call.store, call.path("id"))["id"]
    if workspace == DEFAULT:
        return paged(call, [_membership(DEFAULT, user) for user, *_ in _PEOPLE])
    return paged(call, call.store.all("membership", workspace_id=workspace))


def add_workspace_members(call: Call) -> Response:
    """With the role that they have in the organisation."""
    workspace, users = workspace_of(call.store, call.path("id"))["id"], call.body(WorkspaceMembers).user_ids
    _check(users)
    added = [_membership(workspace, user) for user in users]
    for membership in added:
        call.store.put("membership", membership["id"], membership)
    return answer({"data": added, "added_count": len(added)})


def remove_workspace_members(call: Call) -> Response:
    workspace, users = workspace_of(call.store, call.path("id"))["id"], call.body(WorkspaceMembers).user_ids
    gone = [user for user in users if call.store.delete("membership", _membership(workspace, user)["id"])]
    return answer({"removed_count": len(gone)})


def list_assignments(call: Call) -> Response:
    guardrail = find_guardrail(call, call.store.latest)["id"]
    return paged(call, call.store.all("member_assignment", guardrail_id=guardrail))


def list_all_assignments(call: Call) -> Response:
    return paged(call, call.store.all("member_assignment"))


def assign_members(call: Call) -> Response:
    """A member has at most one guardrail: this one takes the place of any other."""
    guardrail, users = find_guardrail(call)["id"], call.body(GuardrailMembers).member_user_ids
    _check(users)
    for user in dict.fromkeys(users):
        assignment = {
            "id": str(uuid4()),
            "user_id": user,
            "organization_id": _ORGANIZATION,
            "guardrail_id": guardrail,
            "assigned_by": USER,
            "created_at": now(),
        }
        present = call.store.get("member_assignment", user)
        if present is None or present["guardrail_id"] != guardrail:
            call.store.put("member_assignment", user, assignment)
    return answer({"assigned_count": len(set(users))})


def remove_members(call: Call) -> Response:
    """Members that this guardrail does not hold for are passed over."""
    guardrail, users = find_guardrail(call)["id"], call.body(GuardrailMembers).member_user_ids
    assigned = {found["user_id"] for found in call.store.all("member_assignment", guardrail_id=guardrail)}
    for user in assigned & set(users):
        call.store.delete("member_assignment", user)
    return answer({"unassigned_count": len(assigned & set(users))})


def _check(users: list[str]) -> None:
    for user in users:
        if user not in [person[0] for person in _PEOPLE]:
            raise ApiError(400, f"{user} is no member of the organization")


def _member(user: str, first: str, last: str, role: str) -> Document:
    email = f"{first}.{last}@payready.example".lower()
    return {"id": user, "first_name": first, "last_name": last, "email": email, "role": role}


def _membership(workspace: str, user: str) -> Document:
    role = next(role for person, _, _, role in _PEOPLE if person == user) if _known(user) else "org:member"
    return {
        "id": str(uuid5(NAMESPACE_URL, f"https://openrouter.ai/workspaces/{workspace}/members/{user}")),
        "workspace_id": workspace,
        "user_id": user,
        "role": role.removeprefix("org:"),
        "created_at": now(),
    }


def _known(user: str) -> bool:
    return any(person == user for person, *_ in _PEOPLE)
