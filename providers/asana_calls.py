"""How Asana is asked: everything under ``data``, fields by name; and the conversations that are more than one request.

Source of facts: Asana's OpenAPI description (``asana_oas.yaml``) and its guides on rate limits and webhooks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx

from providers import base
from providers.base import Api, Call, Cursor, Environment, Json, Listing, PlatformError, Trouble
from providers.base.notice import warn

WHERE_TOKENS_ARE_MADE = (
    "a personal access token is a person's, and ends with the account: make one of a service account's at "
    "https://app.asana.com/0/my-apps"
)


def _said(response: httpx.Response) -> str:
    errors = response.json()["errors"]
    said = "; ".join(str(one.get("message") or one.get("phrase")) for one in errors)
    phrases = [f"phrase for Asana's support: {one['phrase']}" for one in errors if one.get("phrase")]
    unauthorized = [WHERE_TOKENS_ARE_MADE] if response.status_code == httpx.codes.UNAUTHORIZED else []
    return "; ".join([said, *phrases, *unauthorized])


ASANA = base.Api(
    name="asana",
    title="Asana",
    base_url=Environment("ASANA_BASE_URL"),
    auth=base.Bearer(Environment("ASANA_ACCESS_TOKEN")),
    said=_said,
    # By token and minute: 1,500 on paid plans, which custom fields need. A free plan has 150, and says 429 with
    # Retry-After; so does whoever writes more than fifteen times at once.
    limit=base.Limit(requests=1500, seconds=60),
)


@dataclass(frozen=True)
class Ask(Call):
    """A request with Asana's envelope. ``setting`` is what to remove where the plan does not have what is asked for."""

    payload: str = "data"
    answer: str = "data"
    setting: str = ""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """As every call; a 402 says which setting the workspace's plan has no room for."""
        try:
            return super().send(api, values, payload)
        except PlatformError as error:
            if error.said.startswith(str(int(httpx.codes.PAYMENT_REQUIRED))):
                setting = f"sophia-ai:asana.{self.setting}"
                error.do = f"remove {setting} from the stack file, or give the workspace a plan that has it"
            raise


def ask(method: str, path: str, fields: str = "", setting: str = "", **params: str) -> Ask:
    """``fields`` is what the answer is to have, with commas: Asana leaves out much unless it is asked for."""
    return Ask(method, path, params={**params, **({"opt_fields": fields} if fields else {})}, setting=setting)


def listing(path: str, fields: str = "", setting: str = "", **params: str) -> Listing:
    """A list, page by page; 100 is the most that a page may have."""
    call = Ask("GET", path, params={**params, **({"opt_fields": fields} if fields else {})}, answer="", setting=setting)
    return Listing(call, pages=Cursor("next_page.offset", param="offset", size=100))


def gid_of(value: Any) -> Any:
    """Asana shows what an object refers to as ``{"gid": …, "name": …}``, and takes the gid alone."""
    return value.get("gid") if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class DeleteSection:
    """Asana deletes neither a section with tasks nor a project's last one: it stays then, and a warning says so."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """Deletes it, if Asana does."""
        try:
            return ask("DELETE", "/sections/{id}").send(api, values)
        except PlatformError as error:
            if error.trouble is not Trouble.INVALID:
                raise
            warn(
                f'the section "{values.get("name", values["id"])}" stays in Asana ({error.said}), and is not managed any '
                "more: move its tasks, then delete it there"
            )
            return {}


@dataclass(frozen=True)
class ReadOrder:
    """A project's sections in their order: those of the settings, and nobody else's."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """``{"project": …, "sections": […]}``."""
        managed = values.get("sections") or []
        there = [str(one["gid"]) for one in listing("/projects/{project}/sections").fetch(api, values)]
        return {"project": values["project"], "sections": [gid for gid in there if gid in managed]}


@dataclass(frozen=True)
class ArrangeSections:
    """Puts each section behind the one before it, where it is not there already."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Moves as few as a look from the front finds out of place."""
        wanted = list((payload or {})["sections"])
        order = ReadOrder().send(api, {**values, "sections": wanted})["sections"]
        for moved, before in _moves(order, wanted):
            body = {"section": moved, "after_section": before}
            insert = Ask("POST", "/projects/{project}/sections/insert", repeatable=True)
            insert.send(api, values, body)
        return {"project": values["project"], "sections": wanted}


def _moves(there: Sequence[str], wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is to be moved behind what, so that ``there`` becomes ``wanted``."""
    order = list(there)
    for before, one in pairwise(wanted):
        if one not in order or before not in order or order.index(one) == order.index(before) + 1:
            continue
        order.remove(one)
        order.insert(order.index(before) + 1, one)
        yield one, before


@dataclass(frozen=True)
class ArrangeOptions:
    """Makes an enum field's options what they should be. Asana deletes none: what is not wanted is disabled.

    It goes by what Asana shows, so that a run which was killed in the middle is finished by the next. ``renamed`` of the
    inputs says which option was called differently: tasks that have it keep it.
    """

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Adds, renames, enables and disables, then puts them in order. Answers with the whole field."""
        wanted, formerly = (payload or {})["enum_options"] or [], values.get("renamed") or {}
        read = ask("GET", "/custom_fields/{id}", FIELD)
        live = {one["name"]: one for one in read.send(api, values)["enum_options"]}
        gids = []
        for option in wanted:
            known = live.pop(option["name"], None) or live.pop(formerly.get(option["name"]), None)
            made = self._made(api, values, option) if known is None else self._changed(api, option, known)
            gids.append(str(made["gid"]))
        for surplus in live.values():
            if surplus["enabled"]:
                ask("PUT", "/enum_options/{id}").send(api, {"id": surplus["gid"]}, {"enabled": False})
        document = read.send(api, values)
        there = [str(one["gid"]) for one in document["enum_options"] if one["gid"] in gids]
        moves = list(_moves(there, gids))
        for moved, before in moves:
            insert = Ask("POST", "/custom_fields/{id}/enum_options/insert", repeatable=True)
            insert.send(api, values, {"enum_option": moved, "after_enum_option": before})
        return read.send(api, values) if moves else document

    def _made(self, api: Api, values: Mapping[str, Any], option: Json) -> Json:
        return ask("POST", "/custom_fields/{id}/enum_options").send(api, values, option)

    def _changed(self, api: Api, option: Json, known: Json) -> Json:
        changes = {name: value for name, value in {**option, "enabled": True}.items() if known.get(name) != value}
        return ask("PUT", "/enum_options/{id}").send(api, {"id": known["gid"]}, changes) if changes else known


FIELD = (
    "name,resource_subtype,description,precision,format,currency_code,custom_label,custom_label_position,"
    "has_notifications_enabled,enum_options,enum_options.name,enum_options.color,enum_options.enabled"
)


@dataclass(frozen=True)
class Establish:
    """Makes a webhook. While this waits, Asana calls the target, which must send the secret back that it is shown."""

    auth: base.auth.Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The webhook, with ``X-Hook-Secret`` beside it: shown now, and never again."""
        try:
            return ask("POST", "/webhooks", WEBHOOK).send(api, values, payload)
        except PlatformError as error:
            if error.trouble in (Trouble.INVALID, Trouble.FORBIDDEN) and "filter" not in error.said:
                error.do = (
                    f"see that {values['target']} is public and answers: to a POST with X-Hook-Secret it must say 200 "
                    "or 204 within ten seconds, with the same header (in n8n: the workflow is published); then run the "
                    "same again"
                )
            raise


WEBHOOK = (
    "resource,target,active,filters,filters.resource_type,filters.resource_subtype,filters.action,filters.fields,"
    "last_success_at,last_failure_at,last_failure_content,delivery_retry_count,failure_deletion_timestamp"
)
