"""What is said of a state: evidence, violations, and nothing that is not so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies import kinds
from policies.crossguard import plain
from policies.model import Hidden
from policies.report import report, resources_of
from sophia.compliance import check
from sophia.errors import RunFailed, SettingsError
from sophia.state import State

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:encrypted"}
REPOSITORY = Path(__file__).parents[2]


def entry(kind: str, name: str, *, stack: str = "prod", platform: str = "", **more: Any) -> dict[str, Any]:
    parent = f"sophia:platform:{platform}$" if platform else ""
    urn = f"urn:pulumi:{stack}::sophia-ai::{parent}{kind}::{name}"
    return {"urn": urn, "type": kind, "custom": True, "inputs": {}, **more}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def policy(found: dict[str, Any], name: str) -> dict[str, Any]:
    policies: list[dict[str, Any]] = found["policies"]
    (one,) = [one for one in policies if one["name"] == name]
    return one


def test_evidence_names_what_satisfies_a_policy_and_what_violates_it() -> None:
    found = report(
        state(
            entry(kinds.GITHUB_REPOSITORY, "sophia", platform="GitHub", inputs={"visibility": "private"}),
            entry(kinds.GITHUB_REPOSITORY, "leaky", platform="GitHub", inputs={"visibility": "public"}),
        ),
        NOW,
    )
    public = policy(found, "no-public-repository")
    assert public["satisfied"] == ['GitHub repository "sophia"']
    (violation,) = public["violations"]
    assert violation["what"] == 'GitHub repository "leaky" would be public'
    assert violation["setting"] == "Pulumi.prod.yaml: sophia-ai:github.repositories.leaky.visibility"


def test_a_stage_that_need_not_satisfy_a_policy_is_no_evidence_for_it() -> None:
    database = entry(kinds.SNOWFLAKE_DATABASE, "database", stack="dev")
    protected = policy(report(state(database), NOW), "data-is-protected")
    assert not protected["asked"]
    assert protected["satisfied"] == protected["violations"] == []


def test_a_key_that_does_not_expire_is_no_evidence_of_expiry() -> None:
    key = entry(kinds.OPENROUTER_KEY, "web", inputs={"limit": 10}, created="2026-11-01T00:00:00Z")
    found = report(state(key), NOW)
    assert policy(found, "credential-expiry")["satisfied"] == []
    assert policy(found, "credential-age")["satisfied"] == ['api key "web"']


def test_a_state_tells_what_a_run_cannot() -> None:
    old = entry(kinds.OPENROUTER_KEY, "web", inputs={"limit": 10}, created="2026-01-01T00:00:00.123456789Z")
    lost = entry(kinds.SNOWFLAKE_DATABASE, "database", protect=True)
    found = report(state(old, lost), NOW)
    assert "323 days old" in policy(found, "credential-age")["violations"][0]["what"]
    assert policy(found, "data-is-protected")["violations"] == []
    assert "retain_on_delete" in policy(found, "data-is-retained")["violations"][0]["setting"]


def test_secrets_providers_and_what_waits_for_its_deletion_are_left_out() -> None:
    key = entry(kinds.OPENROUTER_KEY, "web", inputs={"limit": SECRET, "nested": [{"a": SECRET}]})
    found = resources_of(
        state(
            key,
            entry(kinds.GITHUB_REPOSITORY, "gone", delete=True),
            entry(kinds.GITHUB_REPOSITORY, "read", external=True),
            entry("pulumi:providers:github", "default"),
            {"urn": "urn:pulumi:prod::sophia-ai::x::y", "type": "sophia:platform:GitHub", "custom": False},
        )
    )
    assert [resource.name for resource in found] == ["web"]
    assert found[0].inputs == {"limit": Hidden.SECRET, "nested": [{"a": Hidden.SECRET}]}
    assert "v1:encrypted" not in json.dumps(report(state(key), NOW))


def test_an_empty_state_proves_nothing() -> None:
    found = report({}, NOW)
    assert found["resources"] == 0
    assert all(one["satisfied"] == one["violations"] == [] for one in found["policies"])
    assert all(control["policies"] and control["unproven"] for f in found["frameworks"] for control in f["controls"])


def test_controls_stand_in_the_order_of_their_numbers() -> None:
    ids = {f["name"]: [control["id"] for control in f["controls"]] for f in report({}, NOW)["frameworks"]}
    assert ids["pci-dss"] == sorted(ids["pci-dss"], key=lambda text: [int(part) for part in text.split(".")])
    assert list(ids) == ["soc2", "gdpr", "hipaa", "pci-dss", "glba", "fdcpa"]


def test_a_value_that_is_not_known_yet_does_not_hide_the_others() -> None:
    props = {"name": UNKNOWN_STRING_VALUE, "visibility": "public", "topics": ["a", UNKNOWN_STRING_VALUE]}
    assert plain(unknown_checking_proxy(props)) == {
        "name": Hidden.UNKNOWN,
        "visibility": "public",
        "topics": ["a", Hidden.UNKNOWN],
    }


@pytest.mark.parametrize("value", [pulumi.StringAsset("text"), None, 1.5, True, "text"])
def test_other_values_pass_as_they_are(value: object) -> None:
    assert plain(value) is value


class Held:
    """As much of a stack as the report needs."""

    name = "prod"

    def __init__(self, directory: Path, *resources: dict[str, Any]) -> None:
        from sophia.project import Project

        self.project = Project(directory, "sophia-ai")
        self._state = State(state(*resources))

    def state(self) -> State:
        return self._state


def test_the_library_reads_the_report(tmp_path: Path) -> None:
    (tmp_path / "policies").symlink_to(REPOSITORY / "policies")
    leaky = entry(kinds.GITHUB_REPOSITORY, "leaky", platform="GitHub", protect=True, retainOnDelete=True)
    held: Any = Held(tmp_path, leaky)
    found = check(held)
    assert [one.name for one in found.violated] == ["no-public-repository"]
    (control,) = [control for control in found.framework("soc2").controls if control.id == "CC6.1"]
    assert found.violated[0] in control.policies
    with pytest.raises(SettingsError, match="soc3"):
        found.framework("soc3")


def test_a_checkout_without_policies_says_so(tmp_path: Path) -> None:
    held: Any = Held(tmp_path)
    with pytest.raises(SettingsError, match="no policies"):
        check(held)


def test_policies_that_fail_are_an_error_and_no_report(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "__init__.py").touch()
    (tmp_path / "policies" / "report.py").write_text("raise ValueError('half a policy')")
    held: Any = Held(tmp_path)
    with pytest.raises(RunFailed) as caught:
        check(held)
    assert "half a policy" in caught.value.said
