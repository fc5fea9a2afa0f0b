"""Slack: where the team hears of the estate, and the apps that speak there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import pulumi
from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_names
from providers import slack
from providers.base import platform_provider

ChannelName = Annotated[
    str, matching(r"[a-z0-9_-]{1,80}", "must be up to 80 lower-case letters, digits, hyphens and underscores")
]
Handle = Annotated[str, matching(r"[a-z0-9][a-z0-9._-]{0,20}", "must be up to 21 lower-case letters, digits, . _ -")]


class ChannelSettings(Adoptable):
    name: ChannelName
    private: bool = False
    purpose: Annotated[str, Field(max_length=200)] = ""
    topic: Annotated[str, Field(max_length=250)] | None = None


class UserGroupSettings(Adoptable):
    """``channels`` are keys of the channels here that new members join."""

    handle: Handle
    name: str
    description: Annotated[str, Field(max_length=100)] = ""
    channels: list[str] = Field(default_factory=list)


class AppSettings(Settings):
    """An app by its manifest, as Slack's own pages show it (YAML)."""

    manifest: dict[str, Any]

    def check(self) -> Iterator[Mistake]:
        """Slack refuses a manifest without a name."""
        if not self.manifest.get("display_information", {}).get("name"):
            yield Mistake(("manifest",), "must have display_information.name")


class SlackSettings(Settings):
    """``sophia-ai:slack``. Tokens come from SLACK_BOT_TOKEN, and for apps from SLACK_CONFIG_TOKEN, which lasts 12 hours."""

    channels: dict[Key, ChannelSettings] = Field(default_factory=dict)
    usergroups: dict[Key, UserGroupSettings] = Field(default_factory=dict)
    apps: dict[Key, AppSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """User groups join channels that are declared; no two entries are the same object."""
        yield from same_object(("channels",), self.channels, "name")
        yield from same_object(("usergroups",), self.usergroups, "handle")
        for key, group in self.usergroups.items():
            yield from unknown_names(("usergroups", key, "channels"), group.channels, self.channels, "channel")


class Slack(pulumi.ComponentResource):
    """Channels, user groups and apps.

    Outputs, by key: ``channel_ids``, ``usergroup_ids``, and of apps ``signing_secrets`` and ``install_urls``, which a
    person opens once to install the app.

    Not managed, on purpose: members of channels and groups (people's own affair), installations (a person's click), and
    incoming webhooks, which come out of an installation and have no API.
    """

    channel_ids: Mapping[str, pulumi.Output[str]]
    usergroup_ids: Mapping[str, pulumi.Output[str]]
    signing_secrets: Mapping[str, pulumi.Output[str]]
    install_urls: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, settings: SlackSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sophia:platform:Slack", name, None, opts)
        provider = platform_provider("slack", pulumi.ResourceOptions(parent=self))
        child = pulumi.ResourceOptions(parent=self, provider=provider)

        self.channel_ids = {
            key: slack.Channel(
                key,
                child,
                name=channel.name,
                is_private=channel.private,
                purpose=channel.purpose,
                topic=channel.topic,
                adopt=channel.adopt,
            ).id
            for key, channel in settings.channels.items()
        }
        self.usergroup_ids = {
            key: slack.UserGroup(
                key,
                child,
                handle=group.handle,
                name=group.name,
                description=group.description,
                channels=[self.channel_ids[channel] for channel in group.channels],
                adopt=group.adopt,
            ).id
            for key, group in settings.usergroups.items()
        }
        apps = {key: slack.App(key, child, manifest=app.manifest) for key, app in settings.apps.items()}
        self.signing_secrets = {key: app.signing_secret for key, app in apps.items()}
        self.install_urls = {key: app.oauth_authorize_url for key, app in apps.items()}
        self.register_outputs(
            {
                "channel_ids": self.channel_ids,
                "usergroup_ids": self.usergroup_ids,
                "signing_secrets": self.signing_secrets,
                "install_urls": self.install_urls,
            }
        )
