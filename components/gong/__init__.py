"""Gong: who may see and do what with recorded calls, and that what people make there is as the estate counts on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.gong.settings import AccessSettings, GongSettings, ProfileSettings
from providers import gong
from providers.base import dynamic

__all__ = ["Gong", "GongSettings"]


class Gong(pulumi.ComponentResource):
    """Permission profiles of workspaces. They stay when the stack lets go of them: Gong has no call to delete one.

    Workspaces, users, trackers, scorecards, library folders, who is in a profile, a CRM integration: all these people make.
    They are looked for, and one that is missing or otherwise than the settings say fails the run, with what to do about it.

    Outputs, by key: ``workspace_ids``, ``user_ids``, ``tracker_ids``, ``scorecard_ids``, ``profile_ids``; ``webhook_keys``,
    the public keys (PEM) with which receivers check what an automation rule sends.

    Not managed, on purpose: putting people into profiles (no call does), seats (an administrator's and the directory's),
    automation rules and API keys (made in Gong's pages only), registering or deleting a CRM integration (deleting one
    deletes all that it brought), calls, flows, tasks and whatever else is work or data.
    """

    workspace_ids: Mapping[str, pulumi.Output[str]]
    user_ids: Mapping[str, pulumi.Output[str]]
    tracker_ids: Mapping[str, pulumi.Output[str]]
    scorecard_ids: Mapping[str, pulumi.Output[str]]
    profile_ids: Mapping[str, pulumi.Output[str]]
    webhook_keys: Mapping[str, str]

    def __init__(self, name: str, settings: GongSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sophia:platform:Gong", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))

        self.workspace_ids = {
            key: gong.Workspace(key, self._child, name=workspace.name, description=workspace.description, adopt=True).id
            for key, workspace in settings.workspaces.items()
        }
        self._users, self.user_ids = settings.users, {}
        for key in settings.users:
            self._find_user(key)
        self.tracker_ids = self._find_trackers(settings)
        self.scorecard_ids = self._find_scorecards(settings)
        self._folder_ids = {
            key: gong.LibraryFolder(
                key, self._child, workspace=self.workspace_ids[folder.workspace], name=folder.name, adopt=True
            ).id
            for key, folder in settings.folders.items()
        }
        self.profile_ids = {key: self._create_profile(key, profile) for key, profile in settings.profiles.items()}
        if crm := settings.crm_integration:
            gong.CrmIntegration("crm_integration", self._child, name=crm.name, owner_email=crm.owner_email, adopt=True)
        self.webhook_keys = {key: rule.public_key for key, rule in settings.webhook_rules.items()}
        self.register_outputs(
            {
                "workspace_ids": self.workspace_ids,
                "user_ids": self.user_ids,
                "tracker_ids": self.tracker_ids,
                "scorecard_ids": self.scorecard_ids,
                "profile_ids": self.profile_ids,
                "webhook_keys": self.webhook_keys,
            }
        )

    def _find_user(self, key: str) -> pulumi.Output[str]:
        """The user, after their manager."""
        if key not in self.user_ids:
            user = self._users[key]
            manager = self._find_user(user.manager) if user.manager else None
            found = gong.User(
                key,
                self._child,
                email=user.email,
                active=user.active,
                title=user.title,
                manager=manager,
                web_conferences_recorded=user.recorded,
                telephony_calls_imported=user.calls_imported,
                emails_imported=user.emails_imported,
                adopt=True,
            )
            self.user_ids = {**self.user_ids, key: found.id}
        return self.user_ids[key]

    def _find_trackers(self, settings: GongSettings) -> dict[str, pulumi.Output[str]]:
        return {
            key: gong.Tracker(
                key,
                self._child,
                workspace=self.workspace_ids[tracker.workspace],
                name=tracker.name,
                affiliation=tracker.affiliation,
                part_of_question=tracker.part_of_question,
                said_at=tracker.said_at,
                said_at_interval=tracker.said_at_interval,
                keywords={language: dict.fromkeys(words, True) for language, words in tracker.keywords.items()} or None,
                adopt=True,
            ).id
            for key, tracker in settings.trackers.items()
        }

    def _find_scorecards(self, settings: GongSettings) -> dict[str, pulumi.Output[str]]:
        return {
            key: gong.Scorecard(
                key,
                self._child,
                workspace=self.workspace_ids[scorecard.workspace],
                name=scorecard.name,
                enabled=scorecard.enabled,
                review_method=scorecard.review,
                questions=dict.fromkeys(scorecard.questions, True) or None,
                adopt=True,
            ).id
            for key, scorecard in settings.scorecards.items()
        }

    def _create_profile(self, key: str, settings: ProfileSettings) -> pulumi.Output[str]:
        access = {
            name: self._access(given)
            for name in type(settings.access).model_fields
            if (given := getattr(settings.access, name)) is not None
        }
        forecasts = {
            member: access.pop(name)
            for name, member in {
                "forecast": "forecast_access",
                "forecast_submissions": "forecast_edit_submissions",
                "forecast_targets": "forecast_edit_targets",
            }.items()
            if name in access
        }
        profile = gong.PermissionProfile(
            key,
            self._child,
            workspace=self.workspace_ids[settings.workspace],
            name=settings.name,
            description=settings.description,
            **{f"{name}_access": whose for name, whose in access.items()},
            forecast_permissions=forecasts or None,
            library_folder_access=self._library(settings),
            permissions={**dict.fromkeys(settings.allow, True), **dict.fromkeys(settings.deny, False)},
            adopt=settings.adopt,
        )
        for member in settings.members:
            email = self._users[member].email
            gong.ProfileMember(f"{key}.{member}", self._child, profile=profile.id, email=email, adopt=True)
        return profile.id

    def _access(self, settings: AccessSettings) -> dict[str, Any]:
        leads = (
            {} if settings.team_leads is None else {"team_lead_ids": [self.user_ids[k] for k in settings.team_leads]}
        )
        return {"permission_level": settings.level, **leads}

    def _library(self, settings: ProfileSettings) -> dict[str, Any] | None:
        library = settings.library
        if library is None:
            return None
        folders = (
            {} if library.folders is None else {"library_folder_ids": [self._folder_ids[k] for k in library.folders]}
        )
        allowed = library.model_dump(exclude={"level", "folders"}, exclude_none=True)
        return {"permission_level": library.level, **folders, **allowed}
