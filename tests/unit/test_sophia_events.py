"""The engine's event log, in shortened lines as the engine 3.258 writes them, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

from sophia.events import Diagnostic, Event, EventParser, Other, PhaseDone, PolicyViolation, ResourceDone, Step
from sophia.recorder import Recorder, at
from sophia.results import Counts, PropertyChange

STACK = "urn:pulumi:dev::sophia-ai::pulumi:pulumi:Stack::sophia-ai-dev"
COMPONENT = "urn:pulumi:dev::sophia-ai::sophia:platform:Airbyte::airbyte"
PROVIDER = "urn:pulumi:dev::sophia-ai::sophia:platform:Airbyte$pulumi:providers:pulumi-python::airbyte"
CONNECTION = (
    "urn:pulumi:dev::sophia-ai::sophia:platform:Airbyte$pulumi-python:dynamic/providers.airbyte:Connection::gong-to-raw"
)
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}


def step(
    urn: str,
    op: str,
    *,
    planning: bool = False,
    old: Any = None,
    new: Any = None,
    logical: bool = True,
    **metadata: Any,
) -> str:
    custom = urn not in (STACK, COMPONENT)
    sides = {
        name: side and {"urn": urn, "custom": custom, "inputs": side, "outputs": side}
        for name, side in (("old", old), ("new", new))
    }
    content = {"metadata": {"op": op, "urn": urn, "logical": logical, **sides, **metadata}, "planning": planning}
    return json.dumps({"sequence": 1, "timestamp": 1795224402, "resOutputsEvent": content})


def summary(*, preview: bool) -> str:
    content = {"durationSeconds": 2, "resourceChanges": {"create": 6}, "PolicyPacks": {}, "isPreview": preview}
    return json.dumps({"sequence": 2, "timestamp": 1795224402, "summaryEvent": content})


def parsed(*lines: str, previews_first: bool = False) -> list[Event]:
    parser = EventParser(previews_first=previews_first)
    return [parser.parse(line) for line in lines]


def recorded(*lines: str) -> Recorder:
    recorder = Recorder()
    for event in parsed(*lines):
        recorder.add(event)
    return recorder


def the_step(event: Event) -> Step:
    assert isinstance(event, ResourceDone)
    return event.step


def test_a_resource_knows_its_platform_and_what_people_call_it() -> None:
    resource = the_step(*parsed(step(CONNECTION, "create", new={"name": "x"}))).resource
    assert (resource.platform, resource.kind, resource.name) == ("Airbyte", "connection", "gong-to-raw")
    domain = the_step(*parsed(step("urn:pulumi:dev::p::vercel:index/projectDomain:ProjectDomain::web", "create")))
    assert (domain.resource.platform, domain.resource.kind) == ("", "project domain")


def test_the_update_begins_where_the_previews_summary_ends() -> None:
    events = parsed(
        step(CONNECTION, "create", planning=True, new={"a": 1}),
        summary(preview=True),
        step(CONNECTION, "create", new={"a": 1}),
        summary(preview=False),
        previews_first=True,
    )
    assert [event.preview for event in events] == [True, True, False, False]
    assert isinstance(events[1], PhaseDone)


def test_only_what_exists_on_a_platform_is_counted() -> None:
    recorder = recorded(
        step(STACK, "create", new={"url": "https://example.com", "key": SECRET}),
        step(COMPONENT, "create", new={}),
        step(PROVIDER, "create", new={}),
        step(CONNECTION, "create", new={"name": "gong-to-raw"}),
    )
    assert recorder.counts == Counts(created=1)
    assert recorder.outputs == {"url": "https://example.com", "key": "[secret]"}


def test_an_update_tells_old_and_new_value_of_each_property() -> None:
    recorder = recorded(
        step(
            CONNECTION,
            "update",
            old={"schedule": {"cron": "0 0 * * * ?"}, "tags": ["a"], "token": SECRET, "__provider": "gASV"},
            new={"schedule": {"cron": "0 5 * * * ?"}, "tags": ["a", "b"], "token": SECRET, "__provider": "gASW"},
            detailedDiff={
                "schedule.cron": {"diffKind": "update", "inputDiff": True},
                "tags[1]": {"diffKind": "add", "inputDiff": True},
                "token": {"diffKind": "update", "inputDiff": True},
                "__provider": {"diffKind": "update", "inputDiff": True},
            },
        )
    )
    assert recorder.changes[0].properties == (
        PropertyChange("schedule.cron", "0 0 * * * ?", "0 5 * * * ?"),
        PropertyChange("tags[1]", None, "b"),
        PropertyChange("token", "[secret]", "[secret]"),
    )


def test_a_replacement_is_one_change_and_names_what_forces_it() -> None:
    sides: dict[str, Any] = {"old": {"name": "a"}, "new": {"name": "b"}}
    details: dict[str, Any] = {
        "keys": ["name"],
        "detailedDiff": {"name": {"diffKind": "update-replace", "inputDiff": True}},
    }
    recorder = recorded(
        step(CONNECTION, "delete-replaced", old={"name": "a"}),
        step(CONNECTION, "replace", **sides, **details),
        step(CONNECTION, "create-replacement", **sides, **details),
    )
    assert recorder.counts == Counts(replaced=1)
    assert recorder.changes[0].properties == (PropertyChange("name", "a", "b", forces_replacement=True),)


def test_a_refresh_that_runs_the_program_keeps_what_it_found() -> None:
    recorder = recorded(
        step(CONNECTION, "delete", old={"name": "a"}, logical=False),
        step(CONNECTION, "same", old={"name": "a"}, new={"name": "a"}),
    )
    assert recorder.counts == Counts(deleted=1)


def test_policy_events_and_unknown_kinds_are_not_lost() -> None:
    policy = {
        "sequence": 1,
        "timestamp": 1,
        "policyEvent": {
            "policyName": "no-wrong-account",
            "policyPackName": "estate",
            "enforcementLevel": "mandatory",
            "message": "<{%fg 1%}>the account is a leftover<{%reset%}>\n",
            "resourceUrn": CONNECTION,
        },
    }
    violation, other = parsed(json.dumps(policy), json.dumps({"sequence": 2, "timestamp": 1, "newEvent": {"a": 1}}))
    assert isinstance(violation, PolicyViolation)
    assert violation.message.strip() == "the account is a leftover"
    assert violation.resource is not None
    assert violation.resource.platform == "Airbyte"
    assert isinstance(other, Other)
    assert (other.kind, other.content) == ("newEvent", {"a": 1})


def test_a_warning_is_kept_once_and_errors_all() -> None:
    def diagnostic(severity: str, message: str) -> str:
        content = {"severity": severity, "message": message, "color": "never"}
        return json.dumps({"sequence": 1, "timestamp": 1, "diagnosticEvent": content})

    recorder = recorded(
        *[diagnostic("warning", "slow\n")] * 2, diagnostic("debug", "noise"), diagnostic("error", "boom")
    )
    assert recorder.warnings == ["slow"]
    assert [e.message for e in recorder.errors if isinstance(e, Diagnostic)] == ["boom"]


def test_a_property_path_reaches_into_lists_and_quoted_keys() -> None:
    document = {"a": {"b.c": [{"d": 1}]}, "s": "[secret]"}
    assert at(document, 'a["b.c"][0].d') == 1
    assert at(document, "a.missing[3]") is None
    assert at(document, "s.inner") == "[secret]"
