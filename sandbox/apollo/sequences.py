"""Sequences with their steps, emails and templates. The search shows sequences without their steps; nothing is ever sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from sandbox.apollo.access import id_of, key_of, mine, new_id, now, paged, require, sent, shown, team_of
from sandbox.http import ApiError, Body, Call, answer
from sandbox.store import Document

_WITH_EMAILS = ("auto_email", "manual_email", "linkedin_step_message", "linkedin_step_connect", "call")
_STEP = (*_WITH_EMAILS, "action_item", "linkedin_step_view_profile", "linkedin_step_interact_post")
_DEFAULTS: Document = {
    "create_task_if_email_open": False,
    "days_to_wait_before_mark_as_response": 5,
    "email_open_trigger_task_threshold": 3,
    "mark_finished_if_click": False,
    "mark_finished_if_interested": True,
    "mark_finished_if_reply": True,
    "mark_paused_if_ooo": True,
    "max_emails_per_day": None,
    "same_account_reply_delay_days": 30,
    "cc_emails": "",
    "bcc_emails": "",
    "excluded_account_stage_ids": [],
    "excluded_contact_stage_ids": [],
}
_NUMBERS = (
    "unique_scheduled",
    "unique_delivered",
    "unique_bounced",
    "unique_opened",
    "unique_replied",
    "unique_clicked",
)


class _Template(Body):
    subject: str | None = None
    body_html: str | None = None


class _Touch(Body):
    id: str | None = None
    type: Literal["new_thread", "reply_to_thread"] | None = None
    status: Literal["to_be_reviewed", "approved"] | None = None
    include_signature: bool | None = None
    emailer_template: _Template | None = None


class _Step(Body):
    id: str | None = None
    type: str | None = None
    wait_time: int | None = Field(None, ge=0)
    wait_mode: Literal["minute", "hour", "day"] | None = None
    auto_skip_in_x_days: int | None = None
    note: str | None = None
    priority: Literal["high", "medium", "low"] | None = None
    emailer_touches: list[_Touch] | None = None


class _Sharing(Body):
    visibility: Literal["restricted", "everyone"] | None = None
    access_type: Literal["can_view", "can_edit", "full_access"] | None = None


class _Settings(Body):
    name: str | None = None
    active: bool | None = None
    emailer_schedule_id: str | None = None
    max_emails_per_day: int | None = Field(None, ge=0)
    same_account_reply_delay_days: int | None = Field(None, ge=0, le=1000)
    emailer_steps: list[_Step] | None = None


class _New(_Settings):
    mark_finished_if_reply: bool | None = None
    mark_finished_if_click: bool | None = None
    mark_finished_if_interested: bool | None = None
    mark_paused_if_ooo: bool | None = None
    days_to_wait_before_mark_as_response: int | None = None
    excluded_account_stage_ids: list[str] | None = None
    excluded_contact_stage_ids: list[str] | None = None


class _Change(_Settings):
    user_id: str | None = None
    sharing_permission: _Sharing | None = None
    cc_emails: str | None = None
    bcc_emails: str | None = None


def search_sequences(call: Call) -> Response:
    require(call, "emailer_campaigns", "search")
    words = (call.query("q_name") or "").casefold().split()
    found = [one for one in call.store.all("sequence", stage=call.caller) if _has(one["name"], words)]
    page, pagination = paged(call, [_listed(call, one) for one in found])
    return answer({"pagination": pagination, "breadcrumbs": [], "emailer_campaigns": page, "num_fetch_result": None})


def create_sequence(call: Call) -> Response:
    require(call, "sequences", "create")
    wanted = sent(call, _New)
    most = team_of(call)["most_sequences"]
    if len([one for one in call.store.latest.all("sequence", stage=call.caller) if not one["archived"]]) >= most:
        raise ApiError(422, f"Your plan is limited to {most} sequences. <a href='https://app.apollo.io'>Learn more</a>")
    key, owner = new_id(), key_of(call)["user"]
    given = {name: value for name, value in wanted.sent().items() if value is not None}
    sequence: Document = {**_DEFAULTS, "emailer_schedule_id": id_of(call.caller, "schedule", 0)}
    sequence |= {"id": key, "name": "", "active": False, "archived": False, "created_at": now(), "stage": call.caller}
    sequence |= {"user_id": owner, "sharing_permission": {"visibility": "restricted", "access_type": None}}
    sequence |= {name: value for name, value in given.items() if name != "emailer_steps"}
    _check(call, sequence)
    sequence["steps"] = [_made_step(step) for step in wanted.emailer_steps or []]
    _check_steps(call, sequence)
    call.store.put("sequence", key, sequence)
    shown_ = {**_listed(call, sequence), "object_owner_id": owner}
    return answer({"emailer_campaign": shown_, **_parts(sequence, whole=True), "attachments": []})


def update_sequence(call: Call) -> Response:
    require(call, "sequences", "update")
    key, wanted = call.path("id"), sent(call, _Change)
    sequence = _there(call, key)
    given = {name: value for name, value in wanted.sent().items() if value is not None}
    if wanted.user_id is not None and mine(call, "user", wanted.user_id) is None:
        raise ApiError(422, "The owner could not be found")
    changed = {**sequence, **{n: v for n, v in given.items() if n not in ("emailer_steps", "sharing_permission")}}
    if wanted.sharing_permission is not None:
        changed["sharing_permission"] = _shared(sequence["sharing_permission"], wanted.sharing_permission)
    if wanted.emailer_steps is not None:
        known = {step["id"]: step for step in sequence["steps"]}
        changed["steps"] = [_changed_step(step, known) for step in wanted.emailer_steps]
    _check(call, changed)
    _check_steps(call, changed)
    call.store.put("sequence", key, changed)
    steps = [
        {name: step[name] for name in ("id", "position", "wait_time", "wait_mode", "auto_skip_in_x_days")}
        | {"step_type": step["type"]}
        for step in _positioned(changed)
    ]
    short = {name: changed[name] for name in ("id", "name", "active")}
    beside = {**short, "archived": changed["archived"], "created_at": changed["created_at"], "updated_at": now()}
    parts = _parts(changed, whole=False)
    return answer({**beside, "num_steps": len(steps), "steps": steps, "emailer_campaign": short, **parts})


def approve_sequence(call: Call) -> Response:
    require(call, "emailer_campaigns", "approve")
    sequence = _there(call, call.path("id"))
    if sequence["active"]:
        raise ApiError(422, "The sequence is already active.")
    if not sequence["steps"]:
        raise ApiError(422, "Please make sure you have added at least 1 step before turning on the sequence.")
    return _switched(call, sequence, active=True)


def abort_sequence(call: Call) -> Response:
    require(call, "emailer_campaigns", "abort")
    sequence = _there(call, call.path("id"))
    if not sequence["active"]:
        raise ApiError(422, "The sequence is already inactive.")
    return _switched(call, sequence, active=False)


def archive_sequence(call: Call) -> Response:
    require(call, "emailer_campaigns", "archive")
    sequence = _there(call, call.path("id"))
    call.store.put("sequence", sequence["id"], sequence | {"active": False, "archived": True})
    gone = {"id": sequence["id"], "active": False, "archived": True, "deleted": True}
    return answer({"emailer_campaign": gone})


def _switched(call: Call, sequence: Document, *, active: bool) -> Response:
    call.store.put("sequence", sequence["id"], sequence | {"active": active})
    short = {"id": sequence["id"], "unique_scheduled": 0, "active": active}
    return answer({"emailer_campaign": short, "emailer_steps": _parts(sequence, whole=True)["emailer_steps"]})


def _there(call: Call, key: str) -> Document:
    found = mine(call, "sequence", key)
    if found is None:
        raise ApiError(404, "Record not found.")
    return found


def _has(name: str, words: list[str]) -> bool:
    return all(word in name.casefold().split() for word in words)


def _check(call: Call, sequence: Document) -> None:
    schedule = mine(call, "schedule", sequence["emailer_schedule_id"])
    if schedule is None:
        raise ApiError(422, "The schedule could not be found")
    if not schedule["schedule_hash"]:
        raise ApiError(
            422,
            "The schedule you are trying to attach to this sequence is empty. You cannot attach an empty schedule to the "
            "sequence",
        )
    for member, kind in (
        ("excluded_contact_stage_ids", "contact_stage"),
        ("excluded_account_stage_ids", "account_stage"),
    ):
        for key in sequence[member]:
            if mine(call, kind, key) is None:
                raise ApiError(422, f"There is no {kind.replace('_', ' ')} {key}")


def _made_step(wanted: _Step) -> Document:
    if wanted.type not in _STEP:
        raise ApiError(422, f"The step type {wanted.type} is not valid")
    if wanted.wait_time is None or wanted.wait_mode is None:
        raise ApiError(422, "Wait time must not be empty")
    step = {n: v for n, v in wanted.sent().items() if n not in ("id", "emailer_touches")}
    usual: Document = {"id": new_id(), "auto_skip_in_x_days": None, "note": None, "priority": None}
    return usual | step | {"touches": [_touch(one, {}) for one in wanted.emailer_touches or []]}


def _changed_step(wanted: _Step, known: dict[str, Document]) -> Document:
    if wanted.id is None:
        return _made_step(wanted)
    if wanted.id not in known:
        raise ApiError(404, "Record not found.")
    step = known[wanted.id]
    given = {n: v for n, v in wanted.sent().items() if v is not None and n in ("type", *_TIMES)}
    if wanted.emailer_touches is None:
        return step | given
    before = {touch["id"]: touch for touch in step["touches"]}
    named = [_touch(one, before.get(one.id or "", {})) for one in wanted.emailer_touches]
    left = [touch for touch in step["touches"] if touch["id"] not in {one.id for one in wanted.emailer_touches}]
    return step | given | {"touches": [*left, *named]}


_TIMES = ("wait_time", "wait_mode", "auto_skip_in_x_days")


def _touch(wanted: _Touch, before: Document) -> Document:
    if wanted.id is not None and not before:
        raise ApiError(404, "Record not found.")
    usual: Document = {"id": new_id(), "type": "new_thread", "status": "to_be_reviewed", "include_signature": False}
    usual |= {"subject": "", "body_html": "", "template": new_id()}
    given = {n: v for n, v in wanted.sent().items() if v is not None and n in ("type", "status", "include_signature")}
    template = wanted.emailer_template.sent() if wanted.emailer_template else {}
    touch = {**usual, **before, **given, **{name: value for name, value in template.items() if value is not None}}
    if touch["status"] == "approved" and not touch["body_html"].strip():
        raise ApiError(422, "Please make sure your template has content before turning it on.")
    return touch


def _check_steps(call: Call, sequence: Document) -> None:
    team, in_thread = team_of(call), False
    if len(sequence["steps"]) > team["most_steps"]:
        raise ApiError(422, f"Your plan is limited to {team['most_steps']} sequence steps.")
    for step in sequence["steps"]:
        if len(step["touches"]) > 1 and not team["ab_testing"]:
            raise ApiError(422, "Your current plan does not allow A/B Testing.", code="ab_testing_limit")
        if step["touches"] and step["type"] not in _WITH_EMAILS:
            raise ApiError(422, f"A step of the type {step['type']} has no emails")
        for touch in step["touches"]:
            if touch["type"] == "reply_to_thread" and not in_thread:
                raise ApiError(422, "A reply must come after a step that starts a new thread")
        in_thread = in_thread or any(touch["type"] == "new_thread" for touch in step["touches"])


def _shared(before: Document, wanted: _Sharing) -> Document:
    """A change of who sees it takes what they may do back to the least."""
    shared = dict(before)
    if wanted.visibility is not None and wanted.visibility != before["visibility"]:
        shared = {
            "visibility": wanted.visibility,
            "access_type": "can_view" if wanted.visibility == "everyone" else None,
        }
    if wanted.access_type is not None and shared["visibility"] == "everyone":
        shared["access_type"] = wanted.access_type
    return shared


def _positioned(sequence: Document) -> Iterator[Document]:
    for position, step in enumerate(sequence["steps"], 1):
        yield step | {"position": position}


def _parts(sequence: Document, *, whole: bool) -> dict[str, Any]:
    """Steps, emails and templates side by side. The answer to a change does not say which email is in which step."""
    steps, touches, templates = [], [], []
    for step in _positioned(sequence):
        plain = {name: value for name, value in step.items() if name != "touches"}
        named = plain | {"emailer_campaign_id": sequence["id"]}
        steps.append(named if whole else {"id": step["id"], "position": step["position"]})
        for touch in step["touches"]:
            short = {"id": touch["id"], "status": touch["status"]}
            where = {"emailer_step_id": step["id"], "emailer_template_id": touch["template"], "type": touch["type"]}
            touches.append({**short, **where, "include_signature": touch["include_signature"]} if whole else short)
            templates.append({"id": touch["template"], "subject": touch["subject"], "body_html": touch["body_html"]})
    return {"emailer_steps": steps, "emailer_touches": touches, **({"emailer_templates": templates} if whole else {})}


def _listed(call: Call, sequence: Document) -> dict[str, Any]:
    """As the search shows it: how many steps there are, and not which."""
    owner = sequence["user_id"]
    sharing = {"object_type": "EmailerCampaign", "object_id": sequence["id"], "owner_id": owner, "sharing_accesses": []}
    shared = {**sharing, **sequence["sharing_permission"], "is_owner": owner == key_of(call)["user"]}
    beside = {"num_steps": len(sequence["steps"]), "label_ids": [], "creation_type": "new", "loaded_stats": True}
    return {**shown(sequence, "steps"), **beside, **dict.fromkeys(_NUMBERS, 0), "sharing_permission": shared}
