"""How Apollo is asked and how it says no; and the conversations that are more than one request.

Source of facts: Apollo's OpenAPI description (``apollo_rest_api_openapi.json``) and docs.apollo.io, "Authentication".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from providers import base
from providers.apollo_inputs import PICKLISTS
from providers.base import KNOWN, Api, Call, Environment, Json, Listing, Numbered, PlatformError, Trouble, trouble_of
from providers.base.notice import warn
from providers.base.people import StaysThere

WHERE_KEYS_ARE_MADE = (
    "a key is made by an administrator: Apollo, Settings, Integrations, API, API keys, with `Set as master key` on"
)
_MARKUP = re.compile(r"<[^>]+>")


def words(response: httpx.Response) -> str:
    """What Apollo says of a failure: ``error`` or ``message`` of a JSON object, or plain text; the links taken out."""
    try:
        told = response.json()
    except ValueError:
        told = response.text
    if isinstance(told, Mapping):
        told = told.get("error") or told.get("message") or told.get("errors") or response.reason_phrase
    return _MARKUP.sub("", str(told)).strip()


def _said(response: httpx.Response) -> str:
    refused = response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    return "; ".join([words(response), *([WHERE_KEYS_ARE_MADE] if refused else [])])


def _trouble(response: httpx.Response) -> Trouble | None:
    """422 says everything that is wrong, also that a name is taken or that there is nothing with an id."""
    if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        if words(response).endswith("already exists"):
            return Trouble.CONFLICT
        if words(response) == "Some fields could not be found":
            return Trouble.NOT_FOUND
    return trouble_of(response.status_code) if response.is_error else None


_EACH = base.Limit(requests=200, seconds=60)
"""By endpoint and minute, as Apollo's examples have it. Limits of an hour and a day, and those of each plan, only the usage
endpoint tells (`sophia health`). Who runs into them is told by a 429, which is waited for as long as our patience lasts."""

APOLLO = base.Api(
    name="apollo",
    title="Apollo",
    base_url=Environment("APOLLO_BASE_URL"),
    auth=base.Bearer(Environment("APOLLO_API_KEY"), header="x-api-key", prefix=""),
    said=_said,
    trouble=_trouble,
    limit=_EACH,
    limits=dict.fromkeys(
        ("/fields", "/labels", "/sequences", "/emailer_campaigns/search", "/emailer_campaigns", "/users"), _EACH
    ),
)

PAGES = Numbered(size=100, param="page", limit_param="per_page", start=1)
FIELDS = Listing(Call("GET", "/fields", params={"source": "custom"}), items="fields")
SEQUENCES = Listing(
    Call("POST", "/emailer_campaigns/search", bare=True, repeatable=True), items="emailer_campaigns", pages=PAGES
)


@dataclass(frozen=True)
class CreateField:
    """Makes a custom field. The answer is of an older form of it, without its type; picklists are made by people only."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The field, with the id by which it is listed and changed: ``contact.6940…``."""
        wanted = dict(payload or {})
        if wanted["type"] in PICKLISTS:
            raise PlatformError(
                Trouble.INVALID,
                f'there is no {wanted["type"]} "{wanted["label"]}" of {wanted["modality"]}s, and Apollo\'s API makes none',
                do="make it in Apollo (Settings, Objects, fields), then run the same with `adopt: true` on this setting",
            )
        body = {name: wanted[name] for name in ("label", "modality", "type")}
        if wanted.get("max_length") is not None:
            body["meta"] = {"max_length": wanted["max_length"]}
        (made,) = Call("POST", "/fields").send(api, values, body)["typed_custom_fields"]
        return {**body, "id": f"{made['modality']}.{made['id']}"}


@dataclass(frozen=True)
class ChangeField:
    """Changes what it is told of a custom field, and nothing else.

    A picklist is sent with all options that are there, each with its id, or records would lose what they have of it: so
    options are added and renamed, and none is ever removed.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The field as it is afterwards."""
        changed = {name: value for name, value in (payload or {}).items() if value is not None}
        field: Json = {"id": values["id"], **({"label": changed["label"]} if "label" in changed else {})}
        if "max_length" in changed:
            field["meta"] = {"max_length": changed["max_length"]}
        is_picklist = values["type"] in PICKLISTS
        if is_picklist:
            field["meta"] = {"picklist_values": self._options(api, values)}
        change = Call("PATCH", "/fields", repeatable=not is_picklist)
        answer = change.send(api, values, {"fields": [field]})
        return next((one for one in answer["fields"] if one["id"] == values["id"]), {})

    def _options(self, api: Api, values: Mapping[str, Any]) -> list[Json]:
        """The options that are there, renamed where that is asked for, and behind them those that are missing."""
        live = next((one for one in FIELDS.fetch(api, values) if one["id"] == values["id"]), None)
        if live is None:
            raise PlatformError(Trouble.NOT_FOUND, f"there is no custom field {values['id']}")
        wanted, formerly = values.get("options") or {}, values.get("renamed") or {}
        there = {one["name"]: one for one in (live.get("meta") or {}).get("picklist_values") or []}
        now = {old: new for new, old in formerly.items() if new in wanted and new not in there}
        kept = [{"id": one["id"], "name": now.get(name, name)} for name, one in there.items()]
        names = {one["name"] for one in kept}
        for name in sorted(((values.get(KNOWN) or {}).get("options") or {}).keys() & (names - wanted.keys())):
            warn(
                f'the option "{name}" of the custom field "{values["label"]}" stays in Apollo: removing it drops what '
                "records have of it, so a person does it there"
            )
        return [*kept, *({"name": name} for name in wanted if name not in names)]


@dataclass(frozen=True)
class CreateSequence:
    """Makes a sequence, always inactive, with emails that nobody has approved: it sends nothing, whatever comes after."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The sequence, and the ids of its steps and their emails by our keys (``step_ids``)."""
        body = {name: value for name, value in (payload or {}).items() if name != "sends_real_mail"}
        steps = body.pop("emailer_steps", [])
        sent = {**body, "active": False, "emailer_steps": [_new_step(step) for step in steps]}
        answer = Call("POST", "/sequences").send(api, values, sent)
        return {**answer["emailer_campaign"], "step_ids": _ids(answer, steps, {})}


@dataclass(frozen=True)
class ChangeSequence:
    """Changes a sequence: off before anything else changes, and on when everything else has changed.

    Its emails are approved while it is to be active, and to be reviewed while it is not: a person who activates it by
    mistake sends nothing.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The sequence, and ``step_ids`` where its steps were sent."""
        changed = {name: value for name, value in (payload or {}).items() if value is not None}
        changed.pop("sends_real_mail", None)
        active, steps = changed.pop("active", None), changed.pop("emailer_steps", None)
        steps = values["steps"] if steps is None and active is not None else steps
        known = self._step_ids(api, values, steps) if steps else {}
        if steps:
            _refuse_what_is_said_once(steps, (values.get(KNOWN) or {}).get("steps") or steps)
        shown: Json = {}
        if active is False:
            _switch(api, values, "abort", "already inactive")
            shown["active"] = False
        if steps is not None:
            changed["emailer_steps"] = [
                _known_step(step, position, known, approved=bool(values["active"]))
                for position, step in enumerate(steps, 1)
            ]
        if changed:
            answer = Call("PUT", "/sequences/{id}").send(api, values, changed)
            shown = {**answer["emailer_campaign"], **shown}
            if steps is not None:
                shown["step_ids"] = _ids(answer, steps, known)
        if active:
            _switch(api, values, "approve", "already active")
            shown["active"] = True
        return shown

    def _step_ids(self, api: Api, values: Mapping[str, Any], steps: Sequence[Json]) -> Mapping[str, Json]:
        """Which steps there are. Where the state does not know, Apollo tells it in the answer to a change of nothing."""
        known = (values.get(KNOWN) or {}).get("step_ids")
        if known is not None:
            ids: Mapping[str, Json] = known
            return ids
        answer = Call("PUT", "/sequences/{id}").send(api, values, {"name": values["name"]})
        return _ids(answer, steps[: len(answer["emailer_steps"])], {})


@dataclass(frozen=True)
class LeaveSequence:
    """The delete call of a sequence, of which Apollo has none: it stops sending, stays, and a warning says so.

    Stopping pauses its contacts, and can be undone. Archiving would finish them all, and cannot: a person does it.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Deactivates it if it is active, whoever activated it."""
        _switch(api, values, "abort", "already inactive")
        stays = StaysThere("sequence", do="it is inactive; a person archives it there, which finishes its contacts")
        return stays.send(api, values, payload)


def _switch(api: Api, values: Mapping[str, Any], how: str, done: str) -> None:
    """Activates or deactivates; one that is so already is refused, which is as good."""
    try:
        Call("POST", f"/emailer_campaigns/{{id}}/{how}", bare=True, repeatable=True).send(api, values)
    except PlatformError as error:
        if done not in error.said:
            raise


def _new_step(step: Mapping[str, Any]) -> Json:
    plain = {name: value for name, value in step.items() if name not in ("key", "email") and value is not None}
    email = step.get("email")
    if not email:
        return plain
    template = {"subject": email["subject"], "body_html": email["body_html"]}
    touch = {"type": email["thread"], "status": "to_be_reviewed", "include_signature": email["include_signature"]}
    return {**plain, "emailer_touches": [{**touch, "emailer_template": template}]}


_SAID_AGAIN = ("type", "wait_time", "wait_mode", "auto_skip_in_x_days")
"""Of a step's members, those that the update call takes."""


def _known_step(step: Mapping[str, Any], position: int, known: Mapping[str, Json], *, approved: bool) -> Json:
    ids = known.get(step["key"]) or {}
    sent = {name: step[name] for name in _SAID_AGAIN if step.get(name) is not None}
    sent |= {"position": position, **({"id": ids["id"]} if ids else {})}
    if email := step.get("email"):
        if ids and "touch" not in ids:
            said = f'Apollo does not tell which of its emails is that of the step "{step["key"]}"'
            raise PlatformError(Trouble.INVALID, said, do="change the steps in Apollo, or make another sequence")
        template = {"subject": email["subject"], "body_html": email["body_html"]}
        touch = {"status": "approved" if approved else "to_be_reviewed", "emailer_template": template}
        sent["emailer_touches"] = [{**({"id": ids["touch"]} if ids else {}), **touch}]
    return sent


def _said_once(step: Mapping[str, Any]) -> Json:
    """What of a step only the create call takes, where it is not what Apollo takes by itself."""
    email = step.get("email") or {}
    usual = {"note": None, "priority": None, "thread": "new_thread", "include_signature": False}
    said = {**{name: step.get(name) for name in ("note", "priority")}, **{n: email.get(n) for n in usual if n in email}}
    return {name: value for name, value in said.items() if value != usual[name]}


def _refuse_what_is_said_once(steps: Sequence[Json], before: Sequence[Json]) -> None:
    """A change that the update call has no room for is an error, and not left undone in silence."""
    was = {step["key"]: _said_once(step) for step in before}
    for step in steps:
        different = {n for n, _ in _said_once(step).items() ^ was.get(step["key"], {}).items()}
        if different:
            raise PlatformError(
                Trouble.INVALID,
                f'{" and ".join(sorted(different))} of the step "{step["key"]}" can be said only when the sequence is made',
                do="set it back here and change it in Apollo, or declare another sequence under another key",
            )


def _ids(answer: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], known: Mapping[str, Json]) -> dict[str, Json]:
    """By our keys, the ids of steps (``id``) and of their emails (``touch``), as an answer that has all of them tells.

    Steps are known by their position. Emails are known by their step where the answer says it (that of the create call
    does); else they are those that were known before, and new ones in the order of their steps.
    """
    by_position = {int(one["position"]): str(one["id"]) for one in answer["emailer_steps"]}
    of_step = {one["emailer_step_id"]: str(one["id"]) for one in answer["emailer_touches"] if "emailer_step_id" in one}
    fresh = iter(_fresh_touches(answer, steps, known))
    found: dict[str, Json] = {}
    for position, step in enumerate(steps, 1):
        ids = {"id": by_position[position]}
        if step.get("email"):
            before = (known.get(step["key"]) or {}).get("touch")
            touch = of_step.get(ids["id"]) or before or next(fresh, None)
            ids |= {"touch": touch} if touch else {}
        found[step["key"]] = ids
    return found


def _fresh_touches(
    answer: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], known: Mapping[str, Json]
) -> Iterator[str]:
    """The emails that nobody knew, if they are as many as the steps that wait for one."""
    before = {ids["touch"] for ids in known.values() if "touch" in ids}
    touches = [str(one["id"]) for one in answer["emailer_touches"] if one["id"] not in before]
    waiting = [step for step in steps if step.get("email") and "touch" not in (known.get(step["key"]) or {})]
    yield from touches if len(touches) == len(waiting) else ()
