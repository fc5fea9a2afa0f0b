"""How we ask Linear, on an emulator of Linear that others made (the npm package ``emulate``).

It has no client-made ids, and neither teams nor states, projects or templates can be made there: what is tried is how we
show the key, page through lists, and read what is shown. The last test says what is missing, and fails
when that changes.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from providers import linear
from providers.base import PlatformError, Trouble
from providers.linear_calls import LINEAR, act, flat, graphql, pages, read
from tests.contract import emulators

KEY = "lin_test_admin"
LABELS = [f"Label {number}" for number in range(7)]
_LABEL = "id name color description team { id }"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    seed = {"linear": {"teams": [{"name": "Sophia", "key": "SOP"}]}}
    with emulators.running("linear", seed, tmp_path_factory.mktemp("linear")) as found:
        yield f"{found}/graphql"


@pytest.fixture(autouse=True)
def wire(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LINEAR_API_URL", address)
    monkeypatch.setenv("LINEAR_API_KEY", KEY)
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "1")
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    monkeypatch.setitem(LINEAR.__dict__, "_paces", {})
    with httpx.Client() as client:
        monkeypatch.setitem(LINEAR.__dict__, "client", client)
        yield


def teams() -> dict[str, str]:
    shown = pages("teams", "id key name parent { id } archivedAt", archived=True).fetch(LINEAR, {})
    return {team["key"]: team["id"] for team in map(flat, shown)}


def test_lists_are_read_to_their_end_and_what_is_in_them_by_its_id() -> None:
    team = teams()["SOP"]
    mutation = "mutation ($input: IssueLabelCreateInput!) { issueLabelCreate(input: $input) { issueLabel { id } } }"
    for name in LABELS:
        graphql(mutation, "data.issueLabelCreate.issueLabel").send(LINEAR, {}, {"name": name, "teamId": team})
    listed = [flat(label) for label in pages("issueLabels", _LABEL, size=3).fetch(LINEAR, {})]
    ours = [label for label in listed if label["teamId"] == team]
    assert sorted(label["name"] for label in ours) == LABELS
    for label in ours:
        act("issueLabelDelete").send(LINEAR, {"id": label["id"]})
    left = [flat(label)["teamId"] for label in pages("issueLabels", _LABEL, size=3).fetch(LINEAR, {})]
    assert team not in left


def test_what_is_not_there_is_known_as_that() -> None:
    with pytest.raises(PlatformError) as absent:
        read("team", "id").send(LINEAR, {"id": "1be65dba-065f-4d7d-8f61-07b0140fb1a3"})
    assert absent.value.trouble is Trouble.NOT_FOUND


def test_what_it_does_not_have_is_known() -> None:
    """Once it takes ids, the whole life of a label can be tried here."""
    team = teams()["SOP"]
    with pytest.raises(PlatformError, match="isGroup"):
        linear.IssueLabel.kind.calls.create.send(LINEAR, {}, {"name": "Incident", "teamId": team})
