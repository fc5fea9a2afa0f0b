"""Which OAuth scopes Slack's methods, events and features need: what an app's manifest is held against.

Where there are several, one of them is enough: which one depends on the kind of channel. Source of facts: docs.slack.dev,
of each method and event the page's "Required scopes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_CONVERSATIONS_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_CONVERSATIONS_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_CONVERSATIONS_MANAGE = ("channels:manage", "groups:write")
_CHANNELS_READ = ("channels:read", "groups:read")

METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "assistant.threads.setStatus": ("assistant:write", "chat:write"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "auth.test": (),
    "bookmarks.add": ("bookmarks:write",),
    "bookmarks.edit": ("bookmarks:write",),
    "bookmarks.list": ("bookmarks:read",),
    "bookmarks.remove": ("bookmarks:write",),
    "bots.info": ("users:read",),
    "canvases.create": ("canvases:write",),
    "canvases.delete": ("canvases:write",),
    "canvases.edit": ("canvases:write",),
    "chat.delete": ("chat:write",),
    "chat.deleteScheduledMessage": ("chat:write",),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.scheduleMessage": ("chat:write",),
    "chat.unfurl": ("links:write",),
    "chat.update": ("chat:write",),
    "conversations.archive": _CONVERSATIONS_MANAGE,
    "conversations.create": _CONVERSATIONS_MANAGE,
    "conversations.history": _CONVERSATIONS_HISTORY,
    "conversations.info": _CONVERSATIONS_READ,
    "conversations.invite": (*_CONVERSATIONS_MANAGE, "channels:write.invites", "groups:write.invites"),
    "conversations.join": ("channels:join",),
    "conversations.kick": _CONVERSATIONS_MANAGE,
    "conversations.list": _CONVERSATIONS_READ,
    "conversations.members": _CONVERSATIONS_READ,
    "conversations.open": ("im:write", "mpim:write"),
    "conversations.rename": _CONVERSATIONS_MANAGE,
    "conversations.replies": _CONVERSATIONS_HISTORY,
    "conversations.setPurpose": _CONVERSATIONS_MANAGE,
    "conversations.setTopic": (*_CONVERSATIONS_MANAGE, "channels:write.topic", "groups:write.topic"),
    "emoji.list": ("emoji:read",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "files.list": ("files:read",),
    "pins.add": ("pins:write",),
    "pins.list": ("pins:read",),
    "pins.remove": ("pins:write",),
    "reactions.add": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "reactions.remove": ("reactions:write",),
    "team.info": ("team:read",),
    "usergroups.create": ("usergroups:write",),
    "usergroups.disable": ("usergroups:write",),
    "usergroups.enable": ("usergroups:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.update": ("usergroups:write",),
    "usergroups.users.list": ("usergroups:read",),
    "usergroups.users.update": ("usergroups:write",),
    "users.conversations": _CONVERSATIONS_READ,
    "users.getPresence": ("users:read",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "users.profile.get": ("users.profile:read",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}
"""What a bot may call, as far as apps of ours could want it."""

EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "app_rate_limited": (),
    "app_uninstalled": (),
    "assistant_thread_context_changed": ("assistant:write",),
    "assistant_thread_started": ("assistant:write",),
    "channel_archive": ("channels:read",),
    "channel_created": ("channels:read",),
    "channel_deleted": ("channels:read",),
    "channel_history_changed": ("channels:history",),
    "channel_id_changed": ("channels:read",),
    "channel_left": ("channels:read",),
    "channel_rename": ("channels:read",),
    "channel_shared": _CHANNELS_READ,
    "channel_unarchive": ("channels:read",),
    "channel_unshared": _CHANNELS_READ,
    "dnd_updated_user": ("dnd:read",),
    "emoji_changed": ("emoji:read",),
    "file_change": ("files:read",),
    "file_created": ("files:read",),
    "file_deleted": ("files:read",),
    "file_public": ("files:read",),
    "file_shared": ("files:read",),
    "file_unshared": ("files:read",),
    "function_executed": (),
    "group_archive": ("groups:read",),
    "group_deleted": ("groups:read",),
    "group_history_changed": ("groups:history",),
    "group_left": ("groups:read",),
    "group_rename": ("groups:read",),
    "group_unarchive": ("groups:read",),
    "im_history_changed": ("im:history",),
    "invite_requested": ("admin.invites:read",),
    "link_shared": ("links:read",),
    "member_joined_channel": _CHANNELS_READ,
    "member_left_channel": _CHANNELS_READ,
    "message.app_home": (),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "message_metadata_deleted": ("metadata.message:read",),
    "message_metadata_posted": ("metadata.message:read",),
    "message_metadata_updated": ("metadata.message:read",),
    "pin_added": ("pins:read",),
    "pin_removed": ("pins:read",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
    "shared_channel_invite_accepted": ("conversations.connect:manage",),
    "shared_channel_invite_approved": ("conversations.connect:manage",),
    "shared_channel_invite_declined": ("conversations.connect:manage",),
    "shared_channel_invite_received": ("conversations.connect:read",),
    "star_added": ("stars:read",),
    "star_removed": ("stars:read",),
    "subteam_created": ("usergroups:read",),
    "subteam_members_changed": ("usergroups:read",),
    "subteam_self_added": ("usergroups:read",),
    "subteam_self_removed": ("usergroups:read",),
    "subteam_updated": ("usergroups:read",),
    "team_access_granted": (),
    "team_access_revoked": (),
    "team_domain_change": ("team:read",),
    "team_join": ("users:read",),
    "team_rename": ("team:read",),
    "tokens_revoked": (),
    "user_change": ("users:read",),
    "user_huddle_changed": ("users:read",),
    "user_profile_changed": ("users:read",),
    "user_status_changed": ("users:read",),
}

FEATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "slash_commands": ("commands",),
    "shortcuts": ("commands",),
    "unfurl_domains": ("links:read", "links:write"),
    "assistant_view": ("assistant:write",),
    "workflow_steps": ("workflow.steps:execute",),
}
"""By the member of a manifest's ``features``."""

TOGETHER: Final[Mapping[str, str]] = {
    "users:read.email": "users:read",
    "chat:write.public": "chat:write",
    "chat:write.customize": "chat:write",
}
"""Scopes that say more about what another one allows, and that Slack gives together with that one only."""

PROVISIONING: Final[Mapping[str, frozenset[str]]] = {
    "channels": frozenset({"channels:join", "channels:manage", "channels:read", "groups:read"}),
    "private": frozenset({"groups:write"}),
    "members": frozenset({"users:read", "users:read.email"}),
    "bookmarks": frozenset({"bookmarks:read", "bookmarks:write"}),
    "usergroups": frozenset({"usergroups:read", "usergroups:write"}),
    "messages": frozenset({"chat:write"}),
}
"""What the bot that manages a stack needs, by what the stack's settings have."""


def provisioning(*, channels: bool, private: bool, members: bool, bookmarks: bool, usergroups: bool) -> frozenset[str]:
    """The scopes of a bot that manages such settings, and that posts what happens to them."""
    wanted = {
        "channels": channels,
        "private": private,
        "members": members,
        "bookmarks": bookmarks,
        "usergroups": usergroups,
        "messages": True,
    }
    return frozenset[str]().union(*(PROVISIONING[part] for part, is_wanted in wanted.items() if is_wanted))


def serving(methods: Iterable[str]) -> set[str]:
    """The scopes that serve these methods."""
    return {scope for name in methods for scope in METHODS.get(name, ())}
