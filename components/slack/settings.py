"""``sophia-ai:slack`` in the stack file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake, did_you_mean
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
    unknown_names,
)
from providers.slack_manifest import app_mistakes, missing_scopes, scopes_of, superfluous_scopes
from providers.slack_scopes import METHODS, provisioning

ChannelName = Annotated[
    str, matching(r"[a-z0-9_-]{1,80}", "must be up to 80 lower-case letters, digits, hyphens and underscores")
]
Handle = Annotated[str, matching(r"[a-z0-9][a-z0-9._-]{0,20}", "must be up to 21 lower-case letters, digits, . _ -")]
Email = Annotated[
    str, matching(r"[a-z0-9._%+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+", "must be an e-mail address in lower-case letters")
]
Emoji = Annotated[str, matching(r":[a-z0-9_+'-]+:", "must be an emoji's name between colons, such as :books:")]
Mode = Literal["at_least", "exact"]


class Members(Settings):
    """People by address. ``exact`` removes everybody else (bots aside); ``at_least`` only adds who is missing."""

    people: list[Email] = Field(default_factory=list)
    mode: Mode = "at_least"


class ChannelMembersSettings(Members):
    """``usergroups`` are keys of the user groups here, all of whose members are wanted."""

    usergroups: list[str] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """Nobody at all is nobody's wish."""
        if not (self.people or self.usergroups):
            yield Mistake((), "must name people or usergroups; leave `members` out where it does not matter who is in")


class UserGroupMembersSettings(Members):
    people: list[Email] = Field(min_length=1)


class BookmarkSettings(Adoptable):
    """A link at the top of a channel."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    link: Annotated[str, matching(r"https?://\S+", "must begin with https:// or http://")]
    emoji: Emoji | None = None


class ChannelSettings(Adoptable):
    """Another ``name`` renames the channel; it stays the same as long as its key does."""

    name: ChannelName
    private: bool = False
    purpose: Annotated[str, Field(max_length=200)] = ""
    topic: Annotated[str, Field(max_length=250)] | None = None
    members: ChannelMembersSettings | None = None
    bookmarks: dict[Key, BookmarkSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """A bookmark is known by its title."""
        yield from same_object(("bookmarks",), self.bookmarks, "title")


class UserGroupSettings(Adoptable):
    """``channels`` are keys of the channels here that new members join."""

    handle: Handle
    name: str
    description: Annotated[str, Field(max_length=100)] = ""
    channels: list[str] = Field(default_factory=list)
    members: UserGroupMembersSettings | None = None


class AppSettings(Settings):
    """An app by its manifest, as Slack's own pages show it (YAML).

    ``methods`` are the Web API methods that it calls: what it may do must be needed by one of them, by an event or by a
    feature; ``reasons`` says by scope why it needs what none of these does. ``app_id`` takes over an app that exists;
    Slack does not show its secrets again, so that ``signing_secret`` says where its own stands.
    """

    manifest: dict[str, Any]
    methods: list[str] = Field(default_factory=list)
    reasons: dict[str, Annotated[str, Field(min_length=10)]] = Field(default_factory=dict)
    app_id: Annotated[str, matching(r"A[A-Z0-9]{8,}", "must be an app's id, such as A0123ABCDEF")] | None = None
    signing_secret: SecretSource | None = None

    def check(self) -> Iterator[Mistake]:
        """What Slack would refuse, and methods that the app could not call."""
        for path, message in app_mistakes(self.manifest):
            yield Mistake(("manifest", *(part for part in path.split(".") if part)), message)
        for number, name in enumerate(self.methods):
            if name not in METHODS:
                yield Mistake(("methods", number), f'no method "{name}" is known here{did_you_mean(name, METHODS)}')
        for name, needed in missing_scopes(self.manifest, self.methods):
            yield Mistake(("methods", self.methods.index(name)), f"{name} needs the scope {' or '.join(needed)}")
        if self.signing_secret is not None and self.app_id is None:
            yield Mistake(("signing_secret",), "is that of an app that exists (app_id); of a new one Slack makes it")

    def superfluous(self, also: frozenset[str]) -> Iterator[Mistake]:
        """Scopes without a need; ``also`` has those that the stack's own work needs."""
        for path, scope in superfluous_scopes(self.manifest, self.methods, {*also, *self.reasons}):
            yield Mistake(
                ("manifest", *path.split(".")),
                f"nothing here needs {scope}: take it away, name the method that does under `methods`, "
                "or say why under `reasons`",
            )


class WebhookSettings(Settings):
    """An address that a person made in Slack: an incoming webhook, or the trigger of a workflow. It is a secret."""

    url: SecretSource
    posts_to: Annotated[str, Field(min_length=1)]
    """What a message to it does, for people: the channel, or the workflow."""


class SlackSettings(Settings):
    """``sophia-ai:slack``. Tokens come from SLACK_BOT_TOKEN, and for apps from SLACK_CONFIG_TOKEN, which lasts 12 hours.

    ``bot`` is the key of the app here whose installation SLACK_BOT_TOKEN comes from: its scopes must serve the stack.
    """

    channels: dict[Key, ChannelSettings] = Field(default_factory=dict)
    usergroups: dict[Key, UserGroupSettings] = Field(default_factory=dict)
    apps: dict[Key, AppSettings] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)
    bot: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Names lead somewhere; no two entries are the same object; apps may do what they need, and no more."""
        yield from same_object(("channels",), self.channels, "name")
        yield from same_object(("usergroups",), self.usergroups, "handle")
        yield from same_object(("usergroups",), self.usergroups, "name")
        yield from same_object(("apps",), {key: app for key, app in self.apps.items() if app.app_id}, "app_id")
        for key, group in self.usergroups.items():
            yield from unknown_names(("usergroups", key, "channels"), group.channels, self.channels, "channel")
        for key, channel in self.channels.items():
            if channel.members:
                place = ("channels", key, "members", "usergroups")
                yield from unknown_names(place, channel.members.usergroups, self.usergroups, "user group")
        if self.bot is not None:
            yield from unknown_name(("bot",), self.bot, self.apps, "app")
        for key, app in self.apps.items():
            yield from self._scope_mistakes(key, app)

    def _scope_mistakes(self, key: str, app: AppSettings) -> Iterator[Mistake]:
        needed = self.provisioning() if key == self.bot else frozenset[str]()
        for path, message in app.superfluous(needed):
            yield Mistake(("apps", key, *path), message)
        if missing := sorted(needed - set(scopes_of(app.manifest))):
            place = ("apps", key, "manifest", "oauth_config", "scopes", "bot")
            yield Mistake(place, f"lacks {', '.join(missing)}, without which its bot cannot make what is declared here")

    def provisioning(self) -> frozenset[str]:
        """The scopes that the bot needs which makes all this."""
        channels = self.channels.values()
        return provisioning(
            channels=bool(channels),
            private=any(channel.private for channel in channels),
            members=any(c.members for c in channels) or any(group.members for group in self.usergroups.values()),
            bookmarks=any(channel.bookmarks for channel in channels),
            usergroups=bool(self.usergroups),
        )
