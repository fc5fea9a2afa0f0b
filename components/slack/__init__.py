"""Slack: where the team hears of the estate, and the apps that speak there."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pulumi

from components.settings import SettingsError, where
from components.slack.settings import (
    AppSettings,
    ChannelSettings,
    SlackSettings,
    UserGroupSettings,
    WebhookSettings,
)
from providers import slack
from providers.base import dynamic

__all__ = ["AppSettings", "ChannelSettings", "Slack", "SlackSettings", "UserGroupSettings"]

_WEBHOOK = re.compile(r"https://hooks\.slack(-gov)?\.com/(services|workflows|triggers)/[A-Za-z0-9/]+")


class Slack(pulumi.ComponentResource):
    """Channels with their members and bookmarks, user groups with theirs, and apps.

    Outputs, by key: ``channel_ids``, ``usergroup_ids``, ``app_ids``; of apps ``client_ids``, ``client_secrets``,
    ``signing_secrets`` (secret), and ``install_urls``, which a person opens once to install the app, and again after its
    scopes have changed; ``webhook_urls`` (secret), as people made them.

    Not managed, on purpose: installations (a person's click); incoming webhooks and workflows, which no API makes, so
    that their addresses are only recorded; emoji, and people's own accounts. Members are managed where the settings name
    some, and nobody is removed when the settings stop naming them.
    """

    channel_ids: Mapping[str, pulumi.Output[str]]
    usergroup_ids: Mapping[str, pulumi.Output[str]]
    app_ids: Mapping[str, pulumi.Output[str]]
    client_ids: Mapping[str, pulumi.Output[str]]
    client_secrets: Mapping[str, pulumi.Output[str]]
    signing_secrets: Mapping[str, pulumi.Output[str]]
    install_urls: Mapping[str, pulumi.Output[str]]
    webhook_urls: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: SlackSettings,
        *,
        outputs: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sophia:platform:Slack", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._outputs = outputs or {}

        self.channel_ids = {key: self._channel(key, channel) for key, channel in settings.channels.items()}
        self.usergroup_ids = {key: self._usergroup(key, group) for key, group in settings.usergroups.items()}
        populated = {key: self._group_members(key, group) for key, group in settings.usergroups.items()}
        for key, channel in settings.channels.items():
            self._channel_members(key, channel, populated)
            self._bookmarks(key, channel)
        self._apps(settings.apps)
        self.webhook_urls = {key: self._recorded(key, webhook) for key, webhook in settings.webhooks.items()}
        self.register_outputs(
            {
                "channel_ids": self.channel_ids,
                "usergroup_ids": self.usergroup_ids,
                "app_ids": self.app_ids,
                "client_ids": self.client_ids,
                "client_secrets": self.client_secrets,
                "signing_secrets": self.signing_secrets,
                "install_urls": self.install_urls,
                "webhook_urls": self.webhook_urls,
            }
        )

    def _channel(self, key: str, channel: ChannelSettings) -> pulumi.Output[str]:
        return slack.Channel(
            key,
            self._child,
            name=channel.name,
            is_private=channel.private,
            purpose=channel.purpose,
            topic=channel.topic,
            adopt=channel.adopt,
        ).id

    def _usergroup(self, key: str, group: UserGroupSettings) -> pulumi.Output[str]:
        return slack.UserGroup(
            key,
            self._child,
            handle=group.handle,
            name=group.name,
            description=group.description,
            channels=[self.channel_ids[channel] for channel in group.channels],
            adopt=group.adopt,
        ).id

    def _group_members(self, key: str, group: UserGroupSettings) -> pulumi.Output[str]:
        """The group's id, known once its members are in it."""
        if group.members is None:
            return self.usergroup_ids[key]
        return slack.UserGroupMembers(
            f"{key}.members",
            self._child,
            usergroup=self.usergroup_ids[key],
            people=group.members.people,
            exact=group.members.mode == "exact",
        ).id

    def _channel_members(self, key: str, channel: ChannelSettings, populated: Mapping[str, pulumi.Output[str]]) -> None:
        if channel.members:
            slack.ChannelMembers(
                f"{key}.members",
                self._child,
                channel=self.channel_ids[key],
                people=channel.members.people,
                usergroups=[populated[group] for group in channel.members.usergroups],
                exact=channel.members.mode == "exact",
            )

    def _bookmarks(self, key: str, channel: ChannelSettings) -> None:
        for bookmark_key, bookmark in channel.bookmarks.items():
            slack.Bookmark(
                f"{key}.bookmarks.{bookmark_key}",
                self._child,
                channel_id=self.channel_ids[key],
                title=bookmark.title,
                link=bookmark.link,
                emoji=bookmark.emoji,
                adopt=bookmark.adopt,
            )

    def _apps(self, apps: Mapping[str, AppSettings]) -> None:
        made = {key: slack.App(key, self._child, manifest=app.manifest) for key, app in apps.items() if not app.app_id}
        # Naming its id is what agrees to taking over an app that exists.
        existing = {
            key: slack.ExistingApp(key, self._child, app_id=app.app_id, manifest=app.manifest, adopt=True)
            for key, app in apps.items()
            if app.app_id
        }
        known = {key: apps[key].signing_secret for key in existing}
        self.app_ids = {key: app.id for key, app in {**made, **existing}.items()}
        self.client_ids = {key: app.client_id for key, app in made.items()}
        self.client_secrets = {key: app.client_secret for key, app in made.items()}
        self.signing_secrets = {key: app.signing_secret for key, app in made.items()} | {
            key: source.resolve(self._outputs, f"slack.apps.{key}.signing_secret")
            for key, source in known.items()
            if source is not None
        }
        self.install_urls = {key: app.oauth_authorize_url for key, app in made.items()} | {
            key: pulumi.Output.from_input(f"https://api.slack.com/apps/{apps[key].app_id}/install-on-team")
            for key in existing
        }

    def _recorded(self, key: str, webhook: WebhookSettings) -> pulumi.Output[str]:
        """The address, checked by its form: to try it would be to post."""
        setting = f"slack.webhooks.{key}.url"

        def checked(address: str) -> str:
            if not _WEBHOOK.fullmatch(address):
                raise SettingsError([f"{where(setting)}: what stands there is no webhook of Slack's"])
            return address

        return pulumi.Output.secret(webhook.url.resolve(self._outputs, setting).apply(checked))
