"""What a survey says of live objects, and which of them are those that settings want."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from providers import airbyte, openrouter, slack
from providers import survey as command
from providers.base import Resource
from providers.base.matching import LATER, Match, Wanted, match
from providers.base.survey import Found, can_be_listed, type_of

STACK = "sophia-ai/dev"


def found(resource: type[Resource], id_: str, document: dict[str, Any], container: str | None = None) -> Found:
    kind = resource.kind
    within = {kind.within.input: container} if kind.within else {}
    inputs = {**within, **kind.inputs.from_wire(kind.shown(document))}
    return Found(resource, id_, container, kind.owner(document), inputs, kind.hidden(document), document)


def urn(resource: type[Resource], name: str) -> str:
    return f"urn:pulumi:dev::sophia-ai::sophia:platform:P${type_of(resource)}::{name}"


def wanted(resource: type[Resource], name: str, /, needs: tuple[str, ...] = (), **inputs: Any) -> Wanted:
    """``inputs`` that are URNs stand for the id of that resource, which nobody knows yet."""
    sources = {key: (value,) for key, value in inputs.items() if str(value).startswith("urn:")}
    sources |= {key: tuple(value) for key, value in inputs.items() if isinstance(value, list) and _are_urns(value)}
    values = {key: _unknown(value) for key, value in inputs.items()}
    every = dict.fromkeys([*(source for urns in sources.values() for source in urns), *needs])
    return Wanted(urn(resource, name), resource, values, sources, tuple(every))


def _are_urns(values: list[Any]) -> bool:
    return bool(values) and all(str(value).startswith("urn:") for value in values)


def _unknown(value: Any) -> Any:
    if isinstance(value, list):
        return [_unknown(item) for item in value]
    return UNKNOWN if isinstance(value, str) and value.startswith("urn:") else value


def verdicts(matches: list[Match]) -> dict[str, str]:
    return {one.wanted.urn.rpartition("::")[2]: one.verdict for one in matches}


WORKSPACE = wanted(airbyte.Workspace, "workspace", name="sophia-dev")
LIVE_WORKSPACE = found(airbyte.Workspace, "w1", {"workspaceId": "w1", "name": "sophia-dev"})


def tag(name: str, id_: str, color: str = "2E7D32", workspace: str = "w1") -> Found:
    document = {"tagId": id_, "name": name, "color": color, "workspaceId": workspace}
    return found(airbyte.Tag, id_, document, workspace)


def wanted_tag(name: str, color: str = "2E7D32") -> Wanted:
    return wanted(airbyte.Tag, name, workspace_id=WORKSPACE.urn, name=name, color=color)


def test_an_object_is_found_through_the_match_of_its_container() -> None:
    """In whichever order the plan names them; an object of the same name elsewhere is another one."""
    elsewhere = tag("revenue", "t9", workspace="w2")
    matches = match([wanted_tag("revenue"), WORKSPACE], [LIVE_WORKSPACE, elsewhere, tag("revenue", "t1")], {}, STACK)
    assert {one.wanted.urn: one.found.id for one in matches if one.found} == {
        WORKSPACE.urn: "w1",
        urn(airbyte.Tag, "revenue"): "t1",
    }
    assert set(verdicts(matches).values()) == {"same"}


def test_what_is_in_a_container_that_is_not_there_is_new() -> None:
    assert verdicts(match([WORKSPACE, wanted_tag("revenue")], [tag("revenue", "t1")], {}, STACK)) == {
        "workspace": "new",
        "revenue": "new",
    }


def test_a_container_of_the_state_serves_as_well() -> None:
    (only,) = match([wanted_tag("revenue")], [LIVE_WORKSPACE, tag("revenue", "t1")], {WORKSPACE.urn: "w1"}, STACK)
    assert only.verdict == "same"


def test_a_difference_is_told_with_both_values() -> None:
    _, differing = match(
        [WORKSPACE, wanted_tag("revenue")], [LIVE_WORKSPACE, tag("revenue", "t1", "000000")], {}, STACK
    )
    assert differing.verdict == "differs"
    assert [(d.path, d.old, d.new) for d in differing.differences] == [("color", "000000", "2E7D32")]


def test_what_the_platform_adds_by_itself_is_no_difference() -> None:
    """Ids, times, defaults, the asterisks that stand for secrets, and the order of what is a set."""
    source = found(
        airbyte.Source,
        "s1",
        {
            "sourceId": "s1",
            "name": "Gong",
            "sourceType": "gong",
            "definitionId": "32382e40",
            "workspaceId": "w1",
            "createdAt": 1700000000,
            "configuration": {"sourceType": "gong", "start_date": "2025-01-01T00:00:00Z", "access_key": "******"},
        },
        "w1",
    )
    gong = wanted(
        airbyte.Source,
        "gong",
        workspace_id=WORKSPACE.urn,
        name="Gong",
        source_type="gong",
        configuration={"start_date": "2025-01-01T00:00:00Z"},
        secret_configuration=UNKNOWN,
    )
    _, only = match([WORKSPACE, gong], [LIVE_WORKSPACE, source], {}, STACK)
    assert (only.verdict, only.unseen) == ("same", ("secret_configuration",))
    assert source.made == "2023-11-14T22:13:20Z"


def connection(tags: list[Wanted]) -> tuple[list[Wanted], list[Found]]:
    """A connection between two ends that exist: these tags in its settings, two on the platform."""
    ends = {
        "source": wanted(airbyte.Source, "gong", workspace_id=WORKSPACE.urn, name="Gong", source_type="gong"),
        "destination": wanted(
            airbyte.Destination, "raw", workspace_id=WORKSPACE.urn, name="RAW", destination_type="snowflake"
        ),
    }
    live = [
        found(
            airbyte.Source, "s1", {"sourceId": "s1", "name": "Gong", "sourceType": "gong", "configuration": {}}, "w1"
        ),
        found(
            airbyte.Destination,
            "d1",
            {"destinationId": "d1", "name": "RAW", "destinationType": "snowflake", "configuration": {}},
            "w1",
        ),
        found(
            airbyte.Connection,
            "c1",
            {
                "connectionId": "c1",
                "name": "Gong to RAW",
                "sourceId": "s1",
                "destinationId": "d1",
                "status": "active",
                "schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ? UTC", "basicTiming": None},
                "namespaceDefinition": "destination",
                "prefix": "",
                "nonBreakingSchemaUpdatesBehavior": "ignore",
                "tags": [{"tagId": "t2"}, {"tagId": "t1"}],
                "configurations": {"streams": []},
            },
            "w1",
        ),
    ]
    moved = wanted(
        airbyte.Connection,
        "gong-to-raw",
        workspace_id=WORKSPACE.urn,
        source_id=ends["source"].urn,
        destination_id=ends["destination"].urn,
        name="Gong to RAW",
        schedule={"schedule_type": "cron", "cron_expression": "0 0 * * * ?"},
        tag_ids=[one.urn for one in tags],
    )
    return [moved, *ends.values(), *tags, WORKSPACE], [LIVE_WORKSPACE, tag("a", "t1"), tag("b", "t2"), *live]


def test_a_connection_is_recognised_by_its_ends_and_its_tags_are_compared_as_a_set() -> None:
    matches = match(*connection([wanted_tag("a"), wanted_tag("b")]), {}, STACK)
    assert set(verdicts(matches).values()) == {"same"}


def test_an_object_waits_for_what_it_needs_and_what_does_not_exist() -> None:
    """Taking over the connection would make the tag, which is a create that nobody asked to adopt."""
    plan, live = connection([wanted_tag("a"), wanted_tag("new")])
    waiting = next(one for one in match(plan, live, {}, STACK) if one.wanted.resource is airbyte.Connection)
    assert waiting.verdict == "waits"
    assert waiting.missing == (urn(airbyte.Tag, "new"),)
    assert (waiting.differences[0].path, waiting.differences[0].new) == ("tag_ids", LATER)


def channel(id_: str = "C1", **document: Any) -> Found:
    plain = {"id": id_, "name": "alerts", "is_private": False, "is_archived": False, "is_member": True}
    return found(slack.Channel, id_, {**plain, "purpose": {"value": "What broke"}, **document})


ALERTS = wanted(slack.Channel, "alerts", name="alerts", purpose="What broke")


@pytest.mark.parametrize(
    ("live", "verdict", "said"),
    [
        ([channel()], "same", ""),
        ([channel(purpose={"value": "What broke (managed by sophia-ai/dev)"})], "same", ""),
        (
            [channel(purpose={"value": "What broke (managed by sophia-ai/prod)"})],
            "refused",
            "managed by sophia-ai/prod",
        ),
        ([channel(is_private=True)], "refused", "is_private"),
        ([channel(), channel("C2")], "refused", "C1, C2"),
        ([channel(), channel("C2", purpose={"value": "What broke (managed by sophia-ai/dev)"})], "same", ""),
    ],
    ids=["unmarked", "ours", "foreign", "immutable", "ambiguous", "ours-of-two"],
)
def test_a_channel_of_the_name(live: list[Found], verdict: str, said: str) -> None:
    (only,) = match([ALERTS], live, {}, STACK)
    assert only.verdict == verdict
    assert said in only.reason
    assert bool(only.do) is (verdict == "refused")


def test_what_has_to_be_claimed_is_not_unchanged() -> None:
    """The bot joins a channel that it is not in, which people see; and unarchives one, which it must be asked for."""
    (joined,) = match([ALERTS], [channel(is_member=False)], {}, STACK)
    assert (joined.verdict, joined.claims) == ("differs", ("conversations.join",))
    (revived,) = match([ALERTS], [channel(is_archived=True)], {}, STACK)
    assert (revived.verdict, revived.claims) == ("differs", ("conversations.unarchive",))


def test_one_object_is_not_taken_over_twice() -> None:
    again = wanted(slack.Channel, "again", name="alerts", purpose="What broke")
    assert verdicts(match([ALERTS, again], [channel()], {}, STACK)) == {"alerts": "same", "again": "refused"}
    (managed,) = match([again], [channel()], {ALERTS.urn: "C1"}, STACK)
    assert managed.verdict == "refused"


def test_a_key_whose_secret_was_shown_once_cannot_be_taken_over() -> None:
    live = found(openrouter.ApiKey, "h1", {"hash": "h1", "name": "Web app"}, "w1")
    key = wanted(openrouter.ApiKey, "web", workspace_id="w1", name="Web app", limit=40)
    (only,) = match([key], [live], {}, STACK)
    assert only.verdict == "refused"
    assert "shown only" in only.reason


def test_what_cannot_be_listed_is_said_to_be_so() -> None:
    assert not can_be_listed(slack.App.kind)
    (only,) = match([wanted(slack.App, "sophia", manifest={"display_information": {"name": "S"}})], [], {}, STACK)
    assert only.verdict == "unlisted"


def test_a_platform_that_cannot_be_read_is_told_and_nothing_is_matched_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer must not look as if there were nothing."""
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-planted-secret")
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    request = {"stack": STACK, "wanted": [{"urn": ALERTS.urn, "type": type_of(slack.Channel), "inputs": ALERTS.inputs}]}
    answer = command.document(["slack"], request)
    (platform,) = answer["platforms"]
    assert platform["error"]["marker"] == "unreachable"
    assert "127.0.0.1:9" in platform["error"]["said"]
    assert answer["matches"] == []
    assert "planted" not in json.dumps(answer)


def test_missing_credentials_are_told_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("OPENROUTER_MANAGEMENT_KEY", raising=False)
    (platform,) = command.document(["openrouter"], {})["platforms"]
    assert platform["error"]["marker"] == "credentials"
    assert "OPENROUTER_MANAGEMENT_KEY" in platform["error"]["setting"]


def test_a_misspelt_platform_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--platform", "slak"]) == 3
    assert "slack" in json.loads(capsys.readouterr().out)["error"]["do"]
