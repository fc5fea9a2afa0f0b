"""Settings: a person who made mistakes in the stack file sees all of them, where they are, and no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import pulumi
import pytest
from pydantic import Field

from components.explain import Mistake
from components.settings import (
    CredentialsError,
    EnvironmentVariable,
    Key,
    SecretSource,
    Settings,
    SettingsError,
    Stage,
    load_settings,
    unknown_names,
)

Configure = Callable[..., None]


class Schedule(Settings):
    cron: str
    timezone: Literal["UTC", "America/Los_Angeles"] = "UTC"


class Connection(Settings):
    name: str
    schedule: Schedule
    streams: Annotated[tuple[str, ...], Field(min_length=1)] = ("all",)


class Airbyte(Settings):
    connections: tuple[Connection, ...] = ()
    client_secret: EnvironmentVariable | None = None
    tags: dict[Key, Connection] = Field(default_factory=dict)


class Slack(Settings):
    channels: tuple[str, ...] = ()
    digest_to: tuple[str, ...] = ()
    retries: Annotated[int, Field(ge=0)] = 3
    host: str = ""
    webhook: SecretSource | None = None

    def check(self) -> Iterator[Mistake]:
        yield from unknown_names(("digest_to",), self.digest_to, self.channels, "channel")


class Estate(Settings):
    airbyte: Airbyte | None = None
    slack: Slack | None = None


def problems(configure: Configure, platforms: dict[str, object], **options: object) -> list[str]:
    configure(platforms, **options)
    with pytest.raises(SettingsError) as caught:
        load_settings(Estate)
    return str(caught.value).splitlines()


def test_a_platform_without_a_key_is_not_deployed(configure: Configure) -> None:
    configure({"slack": {"channels": ["ops"]}})
    estate = load_settings(Estate)
    assert estate.airbyte is None, "nobody asked for Airbyte in this stack"
    assert estate.slack is not None
    assert estate.slack.channels == ("ops",)


def test_every_mistake_of_every_platform_is_shown_at_once_with_its_path(configure: Configure) -> None:
    lines = problems(
        configure,
        {
            "airbyte": {
                "connections": [
                    {"name": "gong", "schedule": {"cron": "0 0 * * * ?"}},
                    {"name": "hubspot", "schedule": {"crn": "x"}},
                    {"schedule": {"cron": 5, "timezone": "Mars"}, "streams": []},
                ],
                "tags": {"Not A Key": {"name": "n", "schedule": {"cron": "x"}}},
            },
            "slack": {"retries": "many", "channels": "ops"},
        },
    )
    assert lines == [
        "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[1].schedule.cron: is required",
        (
            "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[1].schedule.crn: "
            'there is no such setting (did you mean "cron"?)'
        ),
        "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].name: is required",
        (
            "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule.cron: "
            "must be text (in quotes, if it looks like a number), got 5"
        ),
        (
            "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].schedule.timezone: "
            "must be one of 'UTC' or 'America/Los_Angeles', got \"Mars\""
        ),
        "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.connections[2].streams: needs at least 1",
        (
            "error[settings] Pulumi.dev.yaml: sophia-ai:airbyte.tags.Not A Key: "
            "the key is wrong: must be lower-case words joined by hyphens"
        ),
        'error[settings] Pulumi.dev.yaml: sophia-ai:slack.channels: must be a list, got "ops"',
        'error[settings] Pulumi.dev.yaml: sophia-ai:slack.retries: must be a whole number, got "many"',
    ]


def test_a_reference_to_a_name_that_is_not_there_says_which_there_are(configure: Configure) -> None:
    lines = problems(configure, {"slack": {"channels": ["alerts", "ops"], "digest_to": ["ops", "alert"]}})
    assert lines == [
        (
            "error[settings] Pulumi.dev.yaml: sophia-ai:slack.digest_to[1]: "
            'no channel "alert" is declared (did you mean "alerts"?); there are: alerts, ops'
        )
    ]


def test_a_misspelt_platform_suggests_the_nearest(configure: Configure) -> None:
    (line,) = problems(configure, {"slak": {}})
    assert line.endswith('sophia-ai:slak: there is no such setting (did you mean "slack"?)')


def test_a_platform_that_is_no_mapping_is_explained(configure: Configure) -> None:
    (line,) = problems(configure, {"slack": "on"})
    assert line.endswith('sophia-ai:slack: must be a mapping (key: value), got "on"')


def test_settings_of_other_tools_are_left_alone(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure({})
    monkeypatch.setenv("PULUMI_CONFIG", '{"aws:region": "us-west-2", "sophia-ai-policies:slack": "x"}')
    assert load_settings(Estate) == Estate()


@pytest.mark.parametrize(
    "platforms",
    [
        {"airbyte": {"client_secret": "hunter2-the-secret"}},
        {"slack": {"webhook": {"environment": "https://hooks.example/hunter2"}}},
        {"slack": {"tokn": "hunter2"}},
        {"slack": {"channels": {"bot_token": "hunter2"}}},
    ],
)
def test_a_secret_in_the_wrong_place_is_never_printed(configure: Configure, platforms: dict[str, object]) -> None:
    assert "hunter2" not in "\n".join(problems(configure, platforms)), "an error would put a secret into a CI log"


def test_values_of_secret_configuration_are_never_printed(configure: Configure) -> None:
    (line,) = problems(configure, {"slack": {"retries": "hunter2"}}, secret=("slack",))
    assert line.endswith("sophia-ai:slack.retries: must be a whole number")


@pytest.mark.parametrize(
    "account", ["scoobyjava-vw02766", "UHDECNO-CVB64222", "uhdecno.cvb64222", "https://SCOOBYJAVA-VW02766.snowflake/"]
)
def test_the_wrong_snowflake_accounts_are_refused_anywhere(configure: Configure, account: str) -> None:
    (line,) = problems(configure, {"slack": {"host": account}})
    assert "sophia-ai:slack.host" in line
    assert "wrong leftover" in line, "these accounts answered 404 in production once"


def test_missing_environment_variables_are_reported_together(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("A_SECRET", raising=False)
    monkeypatch.setenv("B_SECRET", "")
    configure(
        {"airbyte": {"client_secret": "A_SECRET"}, "slack": {"webhook": {"environment": "B_SECRET"}}}, stack="staging"
    )
    with pytest.raises(CredentialsError) as caught:
        load_settings(Estate)
    assert str(caught.value).splitlines() == [
        (
            "error[credentials] A_SECRET is not set, and Pulumi.staging.yaml: sophia-ai:airbyte.client_secret reads it: "
            "add it under environmentVariables of the ESC environment sophia-ai/credentials-staging"
        ),
        (
            "error[credentials] B_SECRET is not set, and Pulumi.staging.yaml: sophia-ai:slack.webhook.environment reads it: "
            "add it under environmentVariables of the ESC environment sophia-ai/credentials-staging"
        ),
    ]


def test_errors_end_the_program_without_a_traceback() -> None:
    assert issubclass(SettingsError, pulumi.RunError)
    assert issubclass(CredentialsError, pulumi.RunError)


def test_settings_cannot_be_changed_by_a_component(configure: Configure) -> None:
    configure({"slack": {"channels": ["ops"]}})
    slack = load_settings(Estate).slack
    with pytest.raises(ValueError, match="frozen"):
        slack.channels = ()  # type: ignore[union-attr,misc]  # that it is refused is what is tested


def test_a_stack_of_another_name_is_refused(configure: Configure) -> None:
    configure({}, stack="prodd")
    with pytest.raises(
        SettingsError, match=r'no stack "prodd" \(did you mean "prod"\?\): there are dev, staging, prod'
    ):
        Stage.current()


def test_an_output_that_nobody_hands_over_is_a_settings_error(configure: Configure) -> None:
    configure({})
    source = SecretSource(output="openrouter.wbe")
    with pytest.raises(SettingsError) as caught:
        source.resolve({"openrouter.web": "k", "slack.bot": "t"}, "vercel.projects.web.variables.KEY")
    assert str(caught.value) == (
        "error[settings] Pulumi.dev.yaml: sophia-ai:vercel.projects.web.variables.KEY.output: "
        'no value "openrouter.wbe" (did you mean "openrouter.web"?); there are: openrouter.web, slack.bot'
    )
