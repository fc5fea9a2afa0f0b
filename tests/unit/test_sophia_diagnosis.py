"""From what the engine says in a failure to an error with four parts and an exit code."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sophia.diagnosis import Failure, diagnose, holder
from sophia.errors import Problem, SophiaError
from sophia.events import Diagnostic, PolicyViolation, Resource
from sophia.redact import redact

URN = "urn:pulumi:dev::sophia-ai::sophia:platform:Airbyte$pulumi-python:dynamic/providers.airbyte:Connection::gong"
PARTS = (
    'Airbyte connection "gong-to-raw": the platform refused it\n'
    '  said     422 cron-expression-invalid: "0 0 *" has 3 fields (request 7c1e)\n'
    "  setting  Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule.cron\n"
    '  do       give six or seven fields, for example "0 0 * * * ?"'
)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def failed(*messages: str, stderr: str = "", code: int = 255, urn: str | None = URN) -> SophiaError:
    resource = Resource(urn) if urn else None
    errors = [Diagnostic(NOW, False, "error", message, resource) for message in messages]
    return diagnose(Failure("dev", "Pulumi.dev.yaml", "https://api.pulumi.com", errors, (), stderr, code))


@pytest.mark.parametrize(
    "packaging",
    [
        "{}",
        "Exception calling application: {}",
        "creating urn:pulumi:dev::p::t::n: {}",
        "  \terror: 1 error occurred:\n\t* {}\n\n",
        "rpc error: code = Unknown desc = Exception calling application: {}\n",
    ],
)
def test_a_providers_four_parts_pass_through_whatever_the_engine_wraps_around_them(packaging: str) -> None:
    error = failed(packaging.format(PARTS), "update failed")
    assert str(error) == PARTS
    assert error.exit_code == 1


@pytest.mark.parametrize(("marker", "code"), [("unreachable", 6), ("credentials", 4)])
def test_a_marker_sets_the_exit_code_and_is_not_shown(marker: str, code: int) -> None:
    error = failed(f"Exception calling application: error[{marker}] {PARTS}")
    assert error.exit_code == code
    assert str(error) == PARTS


def test_every_settings_mistake_is_shown_and_nothing_else_decides_the_exit_code() -> None:
    error = failed(
        "settings:\n"
        "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule: 3 fields: too few\n"
        "error[settings] Pulumi.dev.yaml: sophia-ai:slack.chanels: unknown key\n"
        "error[credentials] AIRBYTE_CLIENT_SECRET is not set",
        urn=None,
    )
    assert error.exit_code == 3
    first, second, third = error.problems
    assert (first.setting, first.said) == (
        "Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule",
        "3 fields: too few",
    )
    assert second.setting == "Pulumi.dev.yaml: sophia-ai:slack.chanels"
    assert third.setting == "environment variable AIRBYTE_CLIENT_SECRET"


def test_a_crash_shows_its_last_line_and_no_traceback() -> None:
    error = failed(
        "Program failed with an unhandled exception:\nTraceback (most recent call last):\n"
        '  File "/somewhere/__main__.py", line 20, in <module>\n    boom()\nTypeError: got two\nvalues\n'
    )
    assert error.said == "TypeError: got two\nvalues"
    assert "Traceback" not in str(error)


def test_an_official_providers_refusal_names_the_resource() -> None:
    error = failed(f"{URN} creation was interrupted: the plan does not allow it")
    assert error.what == 'Airbyte connection "gong": it failed'
    assert "urn:" not in str(error)
    assert error.do


@pytest.mark.parametrize("said", ["name already exists on this account", "ENV_CONFLICT - there is one", "409 Conflict"])
def test_what_is_in_an_official_packages_way_can_be_adopted(said: str) -> None:
    error = failed(said)
    assert error.what == 'Airbyte connection "gong": it is there already'
    assert "sophia adopt dev --official" in error.do


def test_a_mandatory_policy_fails_the_run_and_is_named() -> None:
    violation = PolicyViolation(NOW, False, "estate", "no-wrong-account", "mandatory", "a leftover", Resource(URN))
    error = diagnose(Failure("dev", "Pulumi.dev.yaml", "x", (), (violation,), "", 255))
    assert "no-wrong-account" in error.what
    assert error.said == "a leftover"


@pytest.mark.parametrize(
    ("stderr", "code"),
    [
        ("error: [409] Conflict: Another update is currently in progress.", 5),
        ("error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end", 5),
        ("error: [401] Unauthorized: No credentials provided or are invalid.", 4),
        ("error: this command requires logging in; try running `pulumi login` first", 4),
        ('error: Get "http://127.0.0.1:1/api/user": dial tcp 127.0.0.1:1: connect: connection refused', 6),
        ("error: opening environment: sophia-ai/dev:3:5: unknown property", 3),
        ("error: something else altogether", 1),
        ("", 1),
    ],
)
def test_the_engines_own_errors_have_their_exit_codes(stderr: str, code: int) -> None:
    error = failed(stderr=f"Logging in using access token from PULUMI_ACCESS_TOKEN\n{stderr}\n")
    assert error.exit_code == code
    assert error.what
    assert error.do


def test_a_lock_is_told_with_who_and_when() -> None:
    text = "Current stack is dev:\n    Update in progress:\n\tStarted: 4 minutes ago\n\tRequested By: ada\n"
    assert holder(text) == "an update is in progress, started 4 minutes ago, by ada"
    assert holder("Current stack is dev:\n") == ""


def test_a_killed_engine_says_how_to_go_on() -> None:
    assert "sophia cancel dev" in failed(code=-9).do


def test_parts_of_several_lines_stay_under_their_label() -> None:
    assert Problem("it failed", said="one\ntwo").render() == "it failed\n  said     one\n           two"


def test_secrets_are_taken_out_of_what_people_see() -> None:
    text = "Authorization: Bearer abcdefgh12345678, key sk-or-v1-0123456789, hunter2-hunter2, https://u:pw@host/"
    shown = redact(text, {"SLACK_BOT_TOKEN": "hunter2-hunter2", "PULUMI_DEBUG": "true"})
    for secret in ("abcdefgh12345678", "sk-or-v1", "hunter2", "u:pw"):
        assert secret not in shown
    assert "Authorization: Bearer [secret]" in shown


def test_a_provider_that_died_is_told_for_what_was_under_way_and_once_for_what_came_after() -> None:
    refused = 'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:4242: connect: refused"'
    error = failed("error reading from server: EOF", refused, refused)
    assert [p.what for p in error.problems] == [
        'Airbyte connection "gong": its provider ended in the middle of it',
        "Airbyte: its provider has ended, and nothing more could be done there",
    ]
    assert "4242" not in str(error)


def test_what_depends_on_a_failure_is_no_failure_of_its_own() -> None:
    crash = "Program failed with an unhandled exception:\nTraceback …\nResourceRegistrationFailed: resource a failed"
    assert str(failed(PARTS, crash)) == PARTS
