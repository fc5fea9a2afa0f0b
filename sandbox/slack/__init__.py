"""Slack's Web API: channels, messages, user groups and apps, and what it takes to see that they are there."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sandbox.http import Handler, Routes
from sandbox.platform import Platform
from sandbox.slack import access, bookmarks, conversations, manifests, messages, people, tooling, usergroups

_for_members = Routes("slack", access.admit_member, access.render)
_for_configurators = Routes("slack", access.admit_configurator, access.render)
_for_all = Routes("slack", access.admit_all, access.render)
_for_anybody = Routes("slack", access.admit_nobody, access.render)


def _method(routes: Routes, name: str, handler: Handler) -> BaseRoute:
    """Slack takes every method by GET and by POST."""
    return routes(f"/api/{name}", GET=handler, POST=handler)


PLATFORM = Platform(
    name="slack",
    title="Slack",
    routes=[
        _method(_for_all, "auth.test", people.test_token),
        _method(_for_members, "users.list", people.list_users),
        _method(_for_members, "users.info", people.read_user),
        _method(_for_members, "users.lookupByEmail", people.look_up_by_email),
        _method(_for_members, "bookmarks.add", bookmarks.add),
        _method(_for_members, "bookmarks.edit", bookmarks.edit),
        _method(_for_members, "bookmarks.list", bookmarks.list_all),
        _method(_for_members, "bookmarks.remove", bookmarks.remove),
        _method(_for_members, "conversations.create", conversations.create),
        _method(_for_members, "conversations.rename", conversations.rename),
        _method(_for_members, "conversations.setTopic", conversations.set_topic),
        _method(_for_members, "conversations.setPurpose", conversations.set_purpose),
        _method(_for_members, "conversations.archive", conversations.archive),
        _method(_for_members, "conversations.unarchive", conversations.unarchive),
        _method(_for_members, "conversations.join", conversations.join),
        _method(_for_members, "conversations.invite", conversations.invite),
        _method(_for_members, "conversations.kick", conversations.kick),
        _method(_for_members, "conversations.info", conversations.read),
        _method(_for_members, "conversations.list", conversations.list_all),
        _method(_for_members, "conversations.members", conversations.members),
        _method(_for_members, "chat.postMessage", messages.post),
        _method(_for_members, "chat.update", messages.update),
        _method(_for_members, "usergroups.create", usergroups.create),
        _method(_for_members, "usergroups.update", usergroups.update),
        _method(_for_members, "usergroups.disable", usergroups.disable),
        _method(_for_members, "usergroups.enable", usergroups.enable),
        _method(_for_members, "usergroups.list", usergroups.list_all),
        _method(_for_members, "usergroups.users.list", usergroups.list_users),
        _method(_for_members, "usergroups.users.update", usergroups.update_users),
        _method(_for_configurators, "apps.manifest.validate", manifests.validate),
        _method(_for_configurators, "apps.manifest.create", manifests.create),
        _method(_for_configurators, "apps.manifest.update", manifests.update),
        _method(_for_configurators, "apps.manifest.export", manifests.export),
        _method(_for_configurators, "apps.manifest.delete", manifests.delete),
        _method(_for_anybody, "tooling.tokens.rotate", tooling.rotate),
    ],
    failure=access.failure,
    credentials={
        "SLACK_API_URL": "{url}/api",
        "SLACK_BOT_TOKEN": access.BOT_TOKEN,
        "SLACK_USER_TOKEN": access.USER_TOKEN,
        "SLACK_CONFIG_TOKEN": access.CONFIG_TOKEN,
    },
    secret=frozenset({"SLACK_BOT_TOKEN", "SLACK_USER_TOKEN", "SLACK_CONFIG_TOKEN"}),
    simulated=(
        "channels with members and bookmarks, messages that nobody reads, user groups, app manifests whose request URLs "
        "are challenged, configuration tokens, four members; nobody installs an app, rate limits are imposed on demand"
    ),
)
