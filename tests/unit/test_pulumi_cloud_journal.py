"""What an engine's journal makes of a stack's state."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sandbox.pulumi_cloud.calls import ApiError
from sandbox.pulumi_cloud.journal import Kind, checked, replayed

STACK = "urn:pulumi:dev::sophia-ai"
SECRETS = {"type": "service", "state": {"stack": "dev"}}

Json = dict[str, Any]


def urn(name: str, type_: str = "t:m:R") -> str:
    return f"{STACK}::{type_}::{name}"


def resource(name: str, **members: Any) -> Json:
    return {"urn": urn(name), "type": "t:m:R", "custom": True, **members}


def base(*resources: Json, **members: Any) -> Json:
    return {"version": 3, "deployment": {"manifest": {}, "resources": list(resources), **members}}


class Journal:
    """The entries of an update, numbered as an engine numbers them."""

    def __init__(self) -> None:
        self.entries: list[Json] = []

    def add(self, kind: Kind, number: int = 0, /, **members: Any) -> Json:
        sequence = len(self.entries) + 1
        entry = {"version": 1, "kind": int(kind), "sequenceID": sequence, "operationID": number, **members}
        self.entries.append(entry)
        return entry

    def begin(self, number: int, type_: str, what: Json) -> None:
        self.add(Kind.BEGIN, number, operation={"type": type_, "resource": what})

    def replayed(self, start: Json, entries: list[Json] | None = None) -> Json:
        shown = self.entries if entries is None else entries
        return replayed(start, map(checked, shown), engine="v3.258.0", time="2026-01-01T00:00:00Z")

    def deployment(self, start: Json, entries: list[Json] | None = None) -> Json:
        found: Json = self.replayed(start, entries)["deployment"]
        return found

    def names(self, start: Json, entries: list[Json] | None = None) -> list[str]:
        return [r["urn"].rpartition("::")[2] for r in self.deployment(start, entries).get("resources", [])]


@pytest.fixture
def journal() -> Journal:
    return Journal()


def test_a_created_resource_is_there_and_its_operation_is_over(journal: Journal) -> None:
    journal.add(Kind.SECRETS_MANAGER, secretsProvider=SECRETS)
    journal.begin(1, "creating", resource("a"))
    journal.add(Kind.SUCCESS, 1, state=resource("a", id="1"))
    document = journal.replayed({"version": 3, "deployment": {}})
    assert document == {
        "version": 3,
        "deployment": {
            "manifest": {
                "time": "2026-01-01T00:00:00Z",
                "version": "v3.258.0",
                "magic": hashlib.sha256(b"v3.258.0").hexdigest(),
            },
            "secrets_providers": SECRETS,
            "resources": [resource("a", id="1")],
            "metadata": {},
        },
    }


def test_what_an_engine_that_does_not_say_its_version_wrote_is_still_readable(journal: Journal) -> None:
    manifest = replayed(base(), [], engine="", time="2026-01-01T00:00:00Z")["deployment"]["manifest"]
    assert (manifest["version"], manifest["magic"]) == ("", "")


def test_a_begin_without_an_end_is_a_pending_operation(journal: Journal) -> None:
    journal.begin(1, "creating", resource("a"))
    journal.begin(2, "updating", resource("b"))
    journal.begin(3, "deleting", resource("c"))
    journal.add(Kind.BEGIN, 4)
    journal.add(Kind.FAILURE, 2)
    pending = journal.deployment(base(resource("b"), resource("c")))["pending_operations"]
    assert [(one["type"], one["resource"]["urn"]) for one in pending] == [
        ("creating", urn("a")),
        ("deleting", urn("c")),
    ]


def test_only_creations_are_carried_over_from_the_pending_operations_of_earlier_runs(journal: Journal) -> None:
    earlier = [{"type": type_, "resource": resource(type_)} for type_ in ("creating", "updating", "reading")]
    journal.begin(1, "creating", resource("a"))
    found = journal.deployment(base(pending_operations=earlier))["pending_operations"]
    assert [one["resource"]["urn"] for one in found] == [urn("a"), urn("creating")]


def test_a_failure_changes_no_resource(journal: Journal) -> None:
    journal.begin(1, "updating", resource("a", inputs={"x": 2}))
    journal.add(Kind.FAILURE, 1, state=resource("a", inputs={"x": 2}), removeOld=0)
    assert journal.deployment(base(resource("a")))["resources"] == [resource("a")]


def test_new_resources_stand_before_those_that_were_not_reached(journal: Journal) -> None:
    journal.add(Kind.SUCCESS, 1, state=resource("b", id="new"), removeOld=1)
    journal.add(Kind.SUCCESS, 2, removeOld=2)
    assert journal.names(base(resource("a"), resource("b"), resource("c"))) == ["b", "a"]


def test_a_replaced_resource_waits_for_its_deletion_and_then_goes(journal: Journal) -> None:
    start = base(resource("a", id="old"))
    journal.add(Kind.SUCCESS, 1, state=resource("a", id="new"), deleteOld=0)
    assert journal.deployment(start)["resources"] == [resource("a", id="new"), resource("a", id="old", delete=True)]
    journal.add(Kind.SUCCESS, 2, removeOld=0)
    assert journal.deployment(start)["resources"] == [resource("a", id="new")]
    assert start == base(resource("a", id="old"))


def test_a_resource_deleted_before_its_replacement_is_pending_until_it_is_made(journal: Journal) -> None:
    start = base(resource("a", id="old"))
    journal.add(Kind.SUCCESS, 1, pendingReplacementOld=0)
    assert journal.deployment(start)["resources"] == [resource("a", id="old", pendingReplacement=True)]
    journal.add(Kind.SUCCESS, 2, state=resource("a", id="new"), removeOld=0)
    assert journal.deployment(start)["resources"] == [resource("a", id="new")]


def test_resources_of_this_very_update_are_changed_marked_and_removed_too(journal: Journal) -> None:
    for operation, name in enumerate("abc", start=1):
        journal.add(Kind.SUCCESS, operation, state=resource(name))
    journal.add(Kind.SUCCESS, 4, removeNew=1)
    journal.add(Kind.SUCCESS, 5, state=resource("b2"), deleteNew=2)
    journal.add(Kind.SUCCESS, 6, pendingReplacementNew=3)
    found = journal.deployment(base())["resources"]
    assert found == [resource("b", delete=True), resource("c", pendingReplacement=True), resource("b2")]


def test_outputs_replace_a_resource_where_it_stands(journal: Journal) -> None:
    journal.add(Kind.SUCCESS, 1, state=resource("new"))
    journal.add(Kind.SUCCESS, 2, state=resource("newer"))
    journal.add(Kind.OUTPUTS, 3, state=resource("new", outputs={"x": 1}), removeNew=1)
    journal.add(Kind.OUTPUTS, 4, state=resource("old", outputs={"x": 2}), removeOld=0)
    found = journal.deployment(base(resource("old"), resource("older")))["resources"]
    assert found == [
        resource("new", outputs={"x": 1}),
        resource("newer"),
        resource("old", outputs={"x": 2}),
        resource("older"),
    ]


def test_a_refresh_changes_resources_in_place_and_takes_away_references_to_those_that_are_gone(
    journal: Journal,
) -> None:
    linked = resource(
        "child",
        parent=urn("gone"),
        deletedWith=urn("gone"),
        dependencies=[urn("gone"), urn("kept")],
        propertyDependencies={"x": [urn("gone")], "y": [urn("kept")]},
        replaceWith=[urn("gone")],
    )
    other = resource("other", parent=urn("kept"), propertyDependencies={"z": []})
    journal.add(Kind.REFRESH_SUCCESS, 1, state=resource("kept", outputs={"x": 1}), removeOld=0, isRefresh=True)
    journal.add(Kind.REFRESH_SUCCESS, 2, removeOld=1, isRefresh=True)
    found = journal.deployment(base(resource("kept"), resource("gone"), linked, other))["resources"]
    assert found == [
        resource("kept", outputs={"x": 1}),
        resource("child", dependencies=[urn("kept")], propertyDependencies={"y": [urn("kept")]}),
        other,
    ]


def test_a_finished_refresh_leaves_no_empty_references(journal: Journal) -> None:
    kept = resource("kept", dependencies=[], propertyDependencies={"x": [], "y": [urn("first")]})
    journal.add(Kind.REFRESH_SUCCESS, 1, removeOld=1, isRefresh=True)
    journal.add(Kind.REBUILT_BASE_STATE)
    journal.add(Kind.SUCCESS, 2, state=resource("first", propertyDependencies={"z": []}), removeOld=0)
    assert journal.deployment(base(resource("first"), resource("gone"), kept))["resources"] == [
        resource("first", propertyDependencies={"z": []}),
        resource("kept", propertyDependencies={"y": [urn("first")]}),
    ]


def test_an_update_that_goes_on_after_a_refresh_counts_places_in_the_refreshed_state(journal: Journal) -> None:
    journal.add(Kind.REFRESH_SUCCESS, 1, removeOld=0, isRefresh=True)
    journal.add(Kind.REBUILT_BASE_STATE)
    journal.add(Kind.SUCCESS, 2, state=resource("b", id="new"), removeOld=0)
    assert journal.deployment(base(resource("a"), resource("b"), resource("c")))["resources"] == [
        resource("b", id="new"),
        resource("c"),
    ]


def test_a_new_base_takes_the_place_of_the_old_one(journal: Journal) -> None:
    journal.add(Kind.SECRETS_MANAGER, secretsProvider=SECRETS)
    journal.add(Kind.WRITE, newSnapshot={"manifest": {}, "resources": [resource("x"), resource("y")]})
    journal.add(Kind.SUCCESS, 1, removeOld=0)
    found = journal.deployment(base(resource("a")))
    assert found["resources"] == [resource("y")]
    assert found["secrets_providers"] == SECRETS


def test_snippets_and_extensions_are_kept_and_say_what_the_reader_must_know(journal: Journal) -> None:
    snippet = {"uuid": "1", "name": "s", "references": {"it": urn("before")}}
    journal.add(Kind.SNIPPETS, snippets=[snippet])
    journal.add(Kind.EXTENSION, 1, extensionRef="ref", extension={"name": "x"})
    journal.add(Kind.SUCCESS, 2, state=resource("after", aliases=[urn("before")], extensionRef="ref"))
    document = journal.replayed(base())
    assert document["version"] == 4
    assert document["features"] == ["extensionParameterization", "snippets-prototype"]
    assert document["deployment"]["snippets"] == [{**snippet, "references": {"it": urn("after")}}]
    assert document["deployment"]["extensions"] == {"ref": {"name": "x"}}


@pytest.mark.parametrize(
    ("member", "value", "feature"),
    [
        ("refreshBeforeUpdate", True, "refreshBeforeUpdate"),
        ("viewOf", urn("v"), "views"),
        ("resourceHooks", {"before": ["x"]}, "hooks"),
        ("taint", True, "taint"),
        ("replaceWith", [urn("v")], "replaceWith"),
    ],
)
def test_a_state_names_the_features_that_its_resources_use(
    journal: Journal, member: str, value: Any, feature: str
) -> None:
    journal.begin(1, "creating", resource("a", **{member: value}))
    assert journal.replayed(base())["features"] == [feature]


def test_text_that_is_not_unicode_is_a_feature_that_only_the_engine_sees(journal: Journal) -> None:
    journal.add(Kind.SUCCESS, 1, state=resource("a"), requiresByteString=True)
    document = journal.replayed(base())
    assert document["features"] == ["byteString"]
    assert Journal().replayed(document)["features"] == ["byteString"]


def test_references_to_a_renamed_resource_follow_it(journal: Journal) -> None:
    component = urn("c", "t:m:New")
    before = urn("c", "t:m:Old")
    child = f"{STACK}::t:m:Old$t:m:R::child"
    journal.add(Kind.SUCCESS, 1, state={"urn": component, "type": "t:m:New", "aliases": [before]}, removeOld=0)
    start = base(
        {"urn": before, "type": "t:m:Old"},
        {"urn": child, "type": "t:m:R", "parent": before},
        resource("user", dependencies=[child], propertyDependencies={"x": [child]}, provider=f"{before}::id"),
    )
    moved = f"{STACK}::t:m:New$t:m:R::child"
    assert journal.deployment(start)["resources"] == [
        {"urn": component, "type": "t:m:New"},
        {"urn": moved, "type": "t:m:R", "parent": component},
        resource("user", dependencies=[moved], propertyDependencies={"x": [moved]}, provider=f"{component}::id"),
    ]


def test_an_integrity_error_of_an_earlier_state_is_not_this_ones(journal: Journal) -> None:
    start = base(metadata={"integrity_error": {"error": "x"}, "other": 1})
    assert journal.deployment(start)["metadata"] == {"other": 1}


def test_entries_about_operations_whose_own_entries_were_lost_change_nothing_else(journal: Journal) -> None:
    journal.add(Kind.SUCCESS, 1, state=resource("first"))
    journal.add(Kind.SUCCESS, 9, state=resource("second"), removeNew=7, deleteNew=8, pendingReplacementNew=6)
    journal.add(Kind.OUTPUTS, 10, state=resource("lost"), removeNew=7)
    journal.add(Kind.SUCCESS, 11, removeOld=99)
    journal.add(Kind.FAILURE, 12)
    assert journal.names(base(resource("old"))) == ["first", "second", "old"]


def test_a_state_stays_in_order_when_the_entry_of_an_unchanged_resource_was_lost(journal: Journal) -> None:
    provider = f"{urn('provider')}::id"
    journal.add(Kind.SUCCESS, 1, state=resource("parent"), removeOld=0)
    journal.add(Kind.SUCCESS, 2, state=resource("provider"), removeOld=1)
    journal.add(Kind.SUCCESS, 3, state=resource("x"))
    journal.add(Kind.SUCCESS, 4, state=resource("child", parent=urn("parent"), provider=provider))
    journal.add(Kind.SUCCESS, 5, state=resource("grandchild", parent=urn("child")))
    start = base(resource("parent"), resource("provider"), resource("last"))
    assert journal.names(start) == ["parent", "provider", "x", "child", "grandchild", "last"]
    assert journal.names(start, journal.entries[2:]) == ["x", "parent", "provider", "child", "grandchild", "last"]


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"version": 2},
        {"kind": 10},
        {"kind": "1"},
        {"sequenceID": 0},
        {"sequenceID": None},
        {"operationID": -1},
        {"removeOld": -1},
        {"state": {}},
        {"state": {"urn": "x"}},
        {"operation": {"type": "creating"}},
        {"kind": int(Kind.WRITE)},
        {"kind": int(Kind.WRITE), "newSnapshot": {"resources": [1]}},
        {"kind": int(Kind.SECRETS_MANAGER)},
        {"kind": int(Kind.EXTENSION)},
    ],
)
def test_what_is_no_entry_is_refused_with_its_mistake(journal: Journal, wrong: Any) -> None:
    whole = journal.add(Kind.SUCCESS, 1, state=resource("a"))
    with pytest.raises(ApiError) as refused:
        checked({**whole, **wrong} if isinstance(wrong, dict) else wrong)
    assert refused.value.status == 400
    assert "journal entry" in refused.value.message
