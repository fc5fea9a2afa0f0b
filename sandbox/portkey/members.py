"""The organisation's users, whom nobody can make but by an invitation; invitations; and the members of workspaces.

The sandbox's organisation has three users. Nobody accepts an invitation here: it stays pending.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey.access import OWNER, caller, now, timestamp, workspace_of
from sandbox.portkey.errors import hidden, missing, taken
from sandbox.portkey.lists import page
from sandbox.portkey.scopes import WORKSPACE_SCOPES
from sandbox.store import Document, Store

_SEEDED_AT = "2025-01-06T09:00:00.000Z"
_PEOPLE = (
    (OWNER, "Olivia", "Owner", "owner"),
    ("2f9d3c1e-0000-4000-8000-0000000000a2", "Adam", "Admin", "admin"),
    ("2f9d3c1e-0000-4000-8000-0000000000a3", "Mia", "Member", "member"),
)
_INVITATION = timedelta(days=7)

Role = Literal["admin", "member", "manager"]


class UserUpdate(Body):
    role: Literal["admin", "member"]


class MemberUpdate(Body):
    role: Role


class NewMember(MemberUpdate):
    id: str


class MembersCreate(Body):
    users: list[NewMember] = Field(min_length=1)


class InvitedTo(Body):
    id: str
    role: Role


class KeyDetails(Body):
    scopes: list[str]


class Invite(Body):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    role: Literal["admin", "member"]
    workspaces: list[InvitedTo] = Field(default_factory=list)
    workspace_api_key_details: KeyDetails | None = None


def list_users(call: Call) -> Response:
    role, email = call.query("role"), call.query("email")
    found = [u for u in _users(call.store) if role in (None, u["role"]) and email in (None, u["email"])]
    return page(call, [_shown(call.store, user) for user in found], size="pageSize", current="currentPage")


def read_user(call: Call) -> Response:
    return answer(_shown(call.store, _user(call.store, call.path("user"))))


def update_user(call: Call) -> Response:
    """The role that somebody has already is refused, as the owner's."""
    user, sent = _user(call.store, call.path("user")), call.body(UserUpdate)
    if user["role"] in (sent.role, "owner"):
        raise ApiError(400, "Invalid request. Please check and try again.")
    call.store.put("user", user["id"], user | {"role": sent.role, "last_updated_at": now()})
    return answer({})


def delete_user(call: Call) -> Response:
    user = _user(call.store, call.path("user"))
    if user["role"] == "owner":
        raise ApiError(403, "The owner of the organisation cannot be removed")
    for member in call.store.all("member", user_id=user["id"]):
        call.store.delete("member", member["id"])
    call.store.delete("user", user["id"])
    return answer({})


def list_members(call: Call) -> Response:
    workspace = _workspace(call)
    role, email = call.query("role"), call.query("email")
    found = of_workspace(call.store, workspace["id"])
    return page(call, [m for m in found if role in (None, m["role"]) and email in (None, m["email"])])


def add_members(call: Call) -> Response:
    """All of them or none; who is a member already is refused."""
    workspace = _workspace(call)
    for user in call.body(MembersCreate).users:
        join(call.store, workspace["id"], user.id, user.role)
    return answer({})


def read_member(call: Call) -> Response:
    return answer(_member_shown(call.store, _member(call)))


def update_member(call: Call) -> Response:
    member = _member(call) | {"role": call.body(MemberUpdate).role, "last_updated_at": now()}
    call.store.put("member", member["id"], member)
    return answer({})


def remove_member(call: Call) -> Response:
    call.store.delete("member", _member(call)["id"])
    return answer({})


def list_invites(call: Call) -> Response:
    wanted = {name: call.query(name) for name in ("role", "email", "status")}
    found = [
        _invite_shown(invite)
        for invite in call.store.all("invite")
        if all(value in (None, invite[name]) for name, value in wanted.items())
    ]
    return page(call, found, size="pageSize", current="currentPage")


def create_invite(call: Call) -> Response:
    sent = call.body(Invite)
    for workspace in sent.workspaces:
        workspace_of(call.store.latest, workspace.id)
    wrong = set(sent.workspace_api_key_details.scopes if sent.workspace_api_key_details else ()) - WORKSPACE_SCOPES
    if wrong:
        raise ApiError(400, f"workspace_api_key_details.scopes: {', '.join(sorted(wrong))} is no scope")
    if call.store.first("invite", email=sent.email) or any(u["email"] == sent.email for u in _users(call.store)):
        raise taken("user or an invitation", "the e-mail address", sent.email)
    moment = datetime.now(UTC)
    invite: Document = {
        "id": str(uuid4()),
        **sent.model_dump(mode="json", exclude={"workspace_api_key_details"}),
        "status": "pending",
        "created_at": timestamp(moment),
        "expires_at": timestamp(moment + _INVITATION),
        "invited_by": OWNER,
    }
    call.store.put("invite", invite["id"], invite)
    return answer({"id": invite["id"], "invite_link": _link(invite)})


def read_invite(call: Call) -> Response:
    return answer(_invite_shown(_invite(call)))


def delete_invite(call: Call) -> Response:
    call.store.delete("invite", _invite(call)["id"])
    return answer({})


def resend_invite(call: Call) -> Response:
    return answer({"inviteLink": _link(_invite(call))})


def join(store: Store, workspace: str, user: str, role: str) -> None:
    known = _user(store.latest, user)["id"]
    identifier = f"{workspace}/{known}"
    if store.get("member", identifier):
        raise taken("member", "the user", user)
    member = {"id": identifier, "workspace_id": workspace, "user_id": known, "role": role}
    store.put("member", identifier, member | {"created_at": now(), "last_updated_at": now()})


def is_member(store: Store, workspace: str, user: str) -> bool:
    return store.get("member", f"{workspace}/{user}") is not None


def of_workspace(store: Store, workspace: str) -> list[Document]:
    users = {user["id"] for user in _users(store.latest)}
    found = store.all("member", workspace_id=workspace)
    return [_member_shown(store, member) for member in found if member["user_id"] in users]


def _users(store: Store) -> list[Document]:
    """They come into being with the first look."""
    if store.get("seeded", "users") is None:
        store.put("seeded", "users", {})
        for identifier, first, last, role in _PEOPLE:
            user = {"object": "user", "id": identifier, "first_name": first, "last_name": last, "role": role}
            user |= {"email": f"{role}@payready.example", "created_at": _SEEDED_AT, "last_updated_at": _SEEDED_AT}
            store.put("user", identifier, user)
    return store.all("user")


def _user(store: Store, identifier: str) -> Document:
    user = next((user for user in _users(store) if user["id"] == identifier), None)
    if user is None:
        raise missing("user", identifier)
    return user


def _shown(store: Store, user: Document) -> Document:
    return user | {"workspace_ids": [member["workspace_id"] for member in store.all("member", user_id=user["id"])]}


def _workspace(call: Call) -> Document:
    workspace = workspace_of(call.store.latest, call.path("workspace"))
    if caller(call).workspace not in (None, workspace["id"]):
        raise hidden("workspace", call.path("workspace"))
    return workspace


def _member(call: Call) -> Document:
    member = call.store.get("member", f"{_workspace(call)['id']}/{call.path('user')}")
    if member is None:
        raise missing("workspace member", call.path("user"))
    return member


def _member_shown(store: Store, member: Document) -> Document:
    user = _user(store.latest, member["user_id"])
    return {
        "object": "workspace-user",
        "id": user["id"],
        "first_name": user["first_name"],
        "last_name": user["last_name"],
        "email": user["email"],
        "org_role": user["role"],
        "role": member["role"],
        "status": "active",
        "workspace_id": member["workspace_id"],
        "created_at": member["created_at"],
        "last_updated_at": member["last_updated_at"],
    }


def _invite(call: Call) -> Document:
    invite = call.store.get("invite", call.path("invite"))
    if invite is None:
        raise missing("invite", call.path("invite"))
    return invite


def _invite_shown(invite: Document) -> Document:
    return invite | {"object": "invite"}


def _link(invite: Document) -> str:
    return f"https://app.portkey.ai/invite/{invite['id']}"
