"""How Estuary publishes a catalog: the one place that knows of drafts, publications and encryption.

Estuary's own clients (flowctl, the dashboard) use these calls, and Estuary sells none of them as a stable contract. It is
moving them from PostgREST to GraphQL: when it has, this module changes, and nothing else.

Source of facts: estuary/flow (crates/flowctl, crates/control-plane-api, crates/tables) and estuary/ui (src/api).
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from providers import base
from providers.base import KNOWN, Environment, Json, PlatformError, Trouble
from providers.base.inputs import merged, same_secret
from providers.base.ownership import owner
from providers.estuary_errors import Build, graphql_said, graphql_trouble, rest_said


def _grant(key: str) -> dict[str, str]:
    """Keys of either generation: ``flow_sa_…`` is one, Base64 of ``{"id", "secret"}`` is a refresh token of the account."""
    if key.startswith("flow_sa_"):
        return {"grant_type": "api_key", "api_key": key}
    try:
        token = json.loads(base64.b64decode(key, validate=True))
        return {"grant_type": "refresh_token", "refresh_token_id": token["id"], "secret": token["secret"]}
    except (ValueError, KeyError, TypeError) as error:
        said = (
            "FLOW_API_KEY is no key of a service account: it starts with flow_sa_, or is Base64 of an id and a secret"
        )
        raise PlatformError(Trouble.CREDENTIALS, said, "FLOW_API_KEY") from error


AUTH: Final = base.TokenExchange(
    path="/api/v1/auth/token",
    credentials=(Environment("FLOW_API_KEY"),),
    grant=_grant,
    base_url=Environment("ESTUARY_API_URL"),
    headers={"apikey": Environment("ESTUARY_PUBLIC_TOKEN")},
)

ESTUARY: Final = base.Api(
    name="estuary",
    title="Estuary Flow",
    base_url=Environment("ESTUARY_API_URL"),
    auth=AUTH,
    said=graphql_said,
    trouble=graphql_trouble,
    limit=base.Unpublished(),
)
"""GraphQL: storage mappings, alerts, service accounts, connectors."""

CATALOG: Final = base.Api(
    name="estuary",
    title="Estuary Flow",
    base_url=Environment("ESTUARY_REST_URL"),
    auth=AUTH,
    said=rest_said,
    limit=base.Unpublished(),
    headers={"Prefer": "return=representation,resolution=merge-duplicates"},
)
"""PostgREST: drafts, publications, live specs."""

_ENCRYPTION: Final = base.Api(
    name="estuary",
    title="Estuary Flow",
    base_url=Environment("ESTUARY_ENCRYPTION_URL"),
    auth=base.Anonymous(),
    said=rest_said,
    limit=base.Unpublished(),
)

_MUST_NOT_EXIST: Final = "00:00:00:00:00:00:00:00"
_SPECS_A_CALL: Final = 100
_NAMES_A_CALL: Final = 50
_PATIENCE_SECONDS: Final = 600.0
_ACTIVATION_SECONDS: Final = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_TRIES: Final = 3
_TRY_AGAIN: Final = ("publishFailed", "buildIdLockFailure")
_CONNECTOR: Final = """
query ($image: String!) {
  connectorSpec(fullImageName: $image) { endpointSpecSchema }
}
"""


@dataclass(frozen=True)
class Staged:
    """One spec of a draft. Without ``spec`` it is to be deleted; ``expect`` is the publication that it must be of."""

    type: str | None
    spec: Json | None
    expect: str | None = None


@dataclass(frozen=True)
class Read:
    """The live specs of a bundle, their configurations without what is encrypted; gone when none of them is live."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        live = _live(values.get("specs") or ())
        if not live:
            raise PlatformError(Trouble.NOT_FOUND, f"none of the specs of {values['prefix']} is live")
        details = {str(row.get("last_pub_detail") or "") for row in live.values()}
        return {
            "prefix": values["prefix"],
            "specs": {name: {"type": row["spec_type"], "spec": _readable(row["spec"])} for name, row in live.items()},
            "publications": {name: row["last_pub_id"] for name, row in live.items()},
            # Of several publications' words none is the bundle's.
            "detail": details.pop() if len(details) == 1 else "",
        }


@dataclass(frozen=True)
class Publish:
    """Publishes what of a bundle is not yet as it is wanted, and deletes what it no longer has, all in one.

    A spec that somebody else published since the state learned of it is not overwritten. ``dry_run`` has Estuary build
    and validate the whole bundle, and publishes nothing.
    """

    dry_run: bool = False
    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        wanted = payload or {}
        build = Build(settings=wanted.get("settings") or {})
        staged = dict(self._staged(wanted, values, build))
        if staged:
            _Publication(staged, wanted["detail"], values["data_plane"], build, dry_run=self.dry_run).run()
        if self.dry_run:
            return {}
        document = Read().send(api, {**values, "specs": wanted["specs"]})
        _wait_for_activation(name for name in document["specs"] if name in staged)
        return document

    def _staged(self, wanted: Json, values: Mapping[str, Any], build: Build) -> Iterator[tuple[str, Staged]]:
        known, secrets = values.get(KNOWN) or {}, wanted.get("configurations") or {}
        expected = self._expected(wanted, values)
        for name, spec in wanted["specs"].items():
            if self.dry_run or _differs(name, spec, secrets.get(name), known):
                expect = None if self.dry_run else expected.get(name, _MUST_NOT_EXIST)
                yield name, Staged(spec["type"], _encrypted(name, spec["spec"], secrets.get(name), build), expect)
        for name in _live(known.get("specs", {}).keys() - wanted["specs"].keys()):
            yield name, Staged(None, None, expected.get(name))

    def _expected(self, wanted: Json, values: Mapping[str, Any]) -> Mapping[str, str]:
        """The publications that the specs must still be of: none for new ones, of existing ones that which was seen."""
        if self.dry_run or KNOWN not in values:
            return {}
        seen: Mapping[str, str] | None = values[KNOWN].get("publications")
        if seen is not None:
            return seen
        return {name: row["last_pub_id"] for name, row in _live(wanted["specs"]).items()}


@dataclass(frozen=True)
class Unpublish:
    """Deletes the specs of a bundle in one publication. What the collections hold stays in the storage bucket."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        live = _live(values["specs"])
        staged = {name: Staged(None, None, row["last_pub_id"]) for name, row in live.items()}
        if staged:
            build = Build(settings=values.get("settings") or {})
            _Publication(staged, values.get("detail") or "", values["data_plane"], build, dry_run=False).run()
        return {}


@dataclass(frozen=True)
class _Publication:
    """One draft on its way to being live."""

    staged: Mapping[str, Staged]
    detail: str
    data_plane: str
    build: Build
    dry_run: bool

    def run(self) -> None:
        """Drafts, publishes and waits. Raises ``PlatformError``; nothing is live then, unless its outcome is unknown.

        The draft is named by a word of its own: should the answer that has its id be lost, it can be removed all the same.
        (Estuary itself removes the draft of a publication that became live.)
        """
        name = f"{'rehearsal of ' if self.dry_run else ''}{self.detail} {uuid4().hex}".strip()
        if owner(self.detail) and not self.dry_run:
            # What a killed run has left: there is one run of a stack at a time. The mark keeps others' drafts out of it.
            self._discard(f"{self.detail} {'_' * len(uuid4().hex)}", "like")
        try:
            draft = self._draft(name)
            for _ in range(_TRIES):
                status = self._outcome(draft)
                if status["type"] not in _TRY_AGAIN:
                    break
            self._judge(draft, status)
        except PlatformError as error:
            if not error.outcome_unknown:
                self._discard(name)
            raise
        self._discard(name)

    def _draft(self, name: str) -> str:
        made = CATALOG.request("POST", "/drafts", body={"detail": name}, params={"select": "id"}, repeatable=True)
        draft = str(made["items"][0]["id"])
        rows = [
            {
                "draft_id": draft,
                "catalog_name": catalog_name,
                "spec_type": staged.type,
                "spec": staged.spec,
                "expect_pub_id": staged.expect,
            }
            for catalog_name, staged in self.staged.items()
        ]
        upsert = {"on_conflict": "draft_id,catalog_name", "select": "catalog_name,spec_type"}
        for start in range(0, len(rows), _SPECS_A_CALL):
            CATALOG.request(
                "POST", "/draft_specs", body=rows[start : start + _SPECS_A_CALL], params=upsert, repeatable=True
            )
        return draft

    def _outcome(self, draft: str) -> Json:
        """Publishes the draft and waits for the end. What a lost answer was about is found by the draft."""
        before = len(self._publications(draft))
        body = {
            "draft_id": draft,
            "dry_run": self.dry_run,
            "detail": self.detail,
            "data_plane_name": self.data_plane,
        }
        try:
            CATALOG.request("POST", "/publications", body=body, params={"select": "id"})
        except PlatformError as error:
            if not error.outcome_unknown or len(self._publications(draft)) == before:
                raise
        return self._settled(draft)

    def _settled(self, draft: str) -> Json:
        """The state in which the draft's last publication ends."""
        pause, deadline = _FIRST_PAUSE, time.monotonic() + _PATIENCE_SECONDS
        while True:
            status: Json = self._publications(draft)[-1]["job_status"]
            if status["type"] != "queued":
                return status
            if time.monotonic() > deadline:
                said = f"the publication of draft {draft} is still queued after {_PATIENCE_SECONDS:.0f} s"
                raise PlatformError(Trouble.UNANSWERED, said)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _publications(self, draft: str) -> list[Json]:
        params = {"draft_id": f"eq.{draft}", "select": "id,job_status", "order": "created_at"}
        found: list[Json] = CATALOG.request("GET", "/publications", params=params)["items"]
        return found

    def _judge(self, draft: str, status: Json) -> None:
        outcome = status["type"]
        if outcome in ("success", "emptyDraft"):
            return
        if outcome == "expectPubIdMismatch":
            raise self.build.overtaken(status.get("failures") or [])
        params = {"draft_id": f"eq.{draft}", "select": "scope,detail"}
        raise self.build.failed(outcome, CATALOG.request("GET", "/draft_errors", params=params)["items"])

    def _discard(self, name: str, operator: str = "eq") -> None:
        CATALOG.request("DELETE", "/drafts", params={"detail": f"{operator}.{name}"})


def _wait_for_activation(names: Iterable[str]) -> None:
    """Waits until the data plane has what was published, or our patience ends.

    What comes then (a connector that cannot log in) is the task's health, and not the publication's success.
    """
    asked, deadline, pause = list(names), time.monotonic() + _ACTIVATION_SECONDS, _FIRST_PAUSE
    while asked and time.monotonic() < deadline:
        query = "&".join(f"name={quote(name, safe='')}" for name in asked)
        shown = ESTUARY.request("GET", f"/api/v1/catalog/status?{query}&short=true")["items"]
        asked = [one["catalog_name"] for one in shown if one["summary"]["message"].startswith("pending")]
        if asked:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _live(names: Mapping[str, Any] | Sequence[str] | set[str]) -> dict[str, Json]:
    """The live specs with these names, by name."""
    wanted, rows = sorted(names), []
    for start in range(0, len(wanted), _NAMES_A_CALL):
        listed = ",".join(f'"{name}"' for name in wanted[start : start + _NAMES_A_CALL])
        columns = "catalog_name,spec_type,spec,last_pub_id,last_pub_detail"
        params = {"catalog_name": f"in.({listed})", "select": columns}
        rows += CATALOG.request("GET", "/live_specs_ext", params=params)["items"]
    return {row["catalog_name"]: row for row in rows if row.get("spec") is not None}


def live_under(prefix: str) -> dict[str, str]:
    """The types of the live specs directly under a prefix, by name."""
    params = {"catalog_name": f"like.{prefix}*", "select": "catalog_name,spec_type,spec", "order": "catalog_name"}
    rows = CATALOG.request("GET", "/live_specs_ext", params=params)["items"]
    live = {row["catalog_name"]: row["spec_type"] for row in rows if row.get("spec") is not None}
    return {name: spec_type for name, spec_type in live.items() if "/" not in name.removeprefix(prefix)}


def _differs(name: str, wanted: Json, secret: Any, known: Mapping[str, Any]) -> bool:
    """Whether a spec is not the one that the state knows. Encrypted configurations are never compared."""
    seal = (known.get("configurations") or {}).get(name)
    same = seal is None if secret is None else same_secret(secret, seal)
    return not same or wanted != (known.get("specs") or {}).get(name)


def _encrypted(name: str, spec: Json, secret: Any, build: Build) -> Json:
    """The spec with its connector's configuration complete and encrypted, as it may be drafted."""
    connector = (spec.get("endpoint") or {}).get("connector")
    if connector is None:
        return spec
    answer = ESTUARY.request(
        "POST",
        "/api/graphql",
        body={"query": _CONNECTOR, "variables": {"image": connector["image"]}},
        repeatable=True,
    )
    found = answer["data"]["connectorSpec"]
    if found is None or found.get("endpointSpecSchema") is None:
        raise build.unknown_connector(name, connector["image"])
    body = {"config": merged(connector["config"], secret or {}), "schema": found["endpointSpecSchema"]}
    try:
        config = _ENCRYPTION.request("POST", "/v1/encrypt-config", body=body, repeatable=True)
    except PlatformError as error:
        error.setting = build.setting(name, "configuration") if error.trouble is Trouble.INVALID else ""
        raise
    return {**spec, "endpoint": {"connector": {**connector, "config": config}}}


def _readable(spec: Json) -> Json:
    """A live spec as we would write it: without what is encrypted, which says nothing."""
    connector = (spec.get("endpoint") or {}).get("connector")
    if connector is None:
        return spec
    return {**spec, "endpoint": {"connector": {**connector, "config": _in_clear(connector.get("config") or {})}}}


def _in_clear(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _in_clear(item) for key, item in config.items() if key != "sops" and not key.endswith("_sops")}
    return [_in_clear(item) for item in config] if isinstance(config, list) else config
