"""What the stack file says about Gong (``sophia-ai:gong``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.explain import Mistake, MistakesError
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name, unknown_names
from providers.gong_inputs import Level, Permission
from providers.gong_webhooks import WebhookError, pem, public_key, verify

Name = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(min_length=1)]
Email = Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be the address of a user of Gong")]
Part = Annotated[str, matching(r"[A-Za-z0-9_-]+", "must be one of the three parts of the token, between its dots")]
Language = Annotated[str, matching(r"[a-z]{3}", "must be an ISO 639-2/B code, such as eng; mul is any language")]


def _as_pem(text: str) -> str:
    try:
        return pem(public_key(text))
    except WebhookError as error:
        raise MistakesError([Mistake((), str(error))]) from error


class WorkspaceSettings(Settings):
    """A workspace, which an administrator has made. What is given here must be so; what is not is not looked at."""

    name: Name
    description: str | None = None


class UserSettings(Settings):
    """Somebody with a seat. ``manager`` is a key of ``users``; ``recorded`` and the two others are what Gong takes in."""

    email: Email
    active: bool = True
    title: str | None = None
    manager: str | None = None
    recorded: bool | None = None
    calls_imported: bool | None = None
    emails_imported: bool | None = None


class TrackerSettings(Settings):
    """A keyword tracker. ``keywords``, by language, must be among the tracker's; people may add others."""

    workspace: str
    name: Name
    affiliation: Literal["Anyone", "Company", "NonCompany"] | None = None
    part_of_question: bool | None = None
    said_at: Literal["Anytime", "First", "Last"] | None = None
    said_at_interval: Annotated[int | None, Field(ge=1)] = None
    keywords: dict[Language, Annotated[list[Text], Field(min_length=1)]] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """An interval is of the beginning or the end."""
        if self.said_at_interval is not None and self.said_at not in ("First", "Last"):
            yield Mistake(("said_at_interval",), "goes with `said_at: First` or `Last`")


class ScorecardSettings(Settings):
    """A scorecard. ``questions`` must be among the scorecard's; people may ask others."""

    workspace: str
    name: Name
    enabled: bool = True
    review: Literal["AUTOMATIC", "MANUAL"] | None = None
    questions: list[Text] = Field(default_factory=list)


class FolderSettings(Settings):
    """A public folder of a workspace's library."""

    workspace: str
    name: Name


class AccessSettings(Settings):
    """Whose: ``all``, ``managers-team`` (of ``team_leads``, keys of ``users``), ``report-to-them``, ``own``, ``none``."""

    level: Level
    team_leads: list[str] | None = None

    def check(self) -> Iterator[Mistake]:
        """Leads go with their teams."""
        if self.team_leads is not None and self.level != "managers-team":
            yield Mistake(("team_leads",), "goes with `level: managers-team` only")


class LibraryAccessSettings(Settings):
    """What of the library. ``folders`` are keys of ``folders``; the other four are what members may do in it."""

    level: Literal["none", "all", "specific-folders"]
    folders: list[str] | None = None
    manage_public_folder: bool | None = None
    manage_streams: bool | None = None
    manage_folder_calls: bool | None = None
    share_folders_and_streams: bool | None = None

    def check(self) -> Iterator[Mistake]:
        """Folders where there are specific ones; nothing at all with none."""
        if (self.folders is not None) != (self.level == "specific-folders"):
            yield Mistake(("folders",), "goes with `level: specific-folders`, which needs it")
        given = self.model_dump(exclude={"level", "folders"}, exclude_none=True)
        if self.level == "none" and given:
            yield Mistake((next(iter(given)),), "cannot stand beside `level: none`")


class ProfileAccessSettings(Settings):
    """Whose calls, deals, e-mails, … a member sees. Of what is not here people decide in Gong."""

    calls: AccessSettings | None = None
    deals: AccessSettings | None = None
    coaching: AccessSettings | None = None
    insights: AccessSettings | None = None
    usage: AccessSettings | None = None
    emails: AccessSettings | None = None
    forecast: AccessSettings | None = None
    forecast_submissions: AccessSettings | None = None
    forecast_targets: AccessSettings | None = None


class ProfileSettings(Adoptable):
    """A permission profile. What neither ``allow`` nor ``deny`` nor ``access`` names stays as people set it in Gong.

    ``members`` are keys of ``users`` who must be in it. Only people put them there: name them once they are.
    """

    workspace: str
    name: Name
    description: str = ""
    access: ProfileAccessSettings = Field(default_factory=ProfileAccessSettings)
    library: LibraryAccessSettings | None = None
    allow: list[Permission] = Field(default_factory=list)
    deny: list[Permission] = Field(default_factory=list)
    members: list[str] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """A permission is allowed or denied."""
        for index, permission in enumerate(self.deny):
            if permission in self.allow:
                yield Mistake(("deny", index), f"{permission} is allowed as well")


class CrmIntegrationSettings(Settings):
    """The integration that somebody has registered through Gong's CRM API. It is looked for, and never touched."""

    name: Name
    owner_email: Email


class DeliverySettings(Settings):
    """A test event as it came (``isTest``), which proves that the recorded key is the rule's: its body, and the three parts
    of its token between the dots. (Whole, a token in git is taken for a credential, which an expired one is not.)
    """

    header: Part
    claims: Part
    signature: Part
    body: Text

    @property
    def authorization(self) -> str:
        """The header as it came."""
        return f"{self.header}.{self.claims}.{self.signature}"


class WebhookRuleSettings(Settings):
    """An automation rule that fires a webhook, which people make in Gong: the ``address`` that it calls, and its public key.

    ``public_key``: PEM, or what the rule's page shows.
    """

    rule: Name
    address: Annotated[str, matching(r"https://[^\s/?#]+/[^\s#]*", "must be an https address with a path")]
    public_key: Annotated[str, AfterValidator(_as_pem)]
    public_key_proof: DeliverySettings | None = None

    def check(self) -> Iterator[Mistake]:
        """The proof is of this rule. (It has expired long since: that is no mistake of a recorded one.)"""
        if self.public_key_proof is None:
            return
        key, body = public_key(self.public_key), self.public_key_proof.body.encode()
        try:
            verify(self.public_key_proof.authorization, body, address=self.address, key=key, now=None)
        except WebhookError as error:
            do = "record the rule's public key, address and a delivery of it together"
            yield Mistake(("public_key_proof",), f"{error}: {do}")


class GongSettings(Settings):
    """``sophia-ai:gong``. Where it is, GONG_BASE_URL says; who asks, GONG_ACCESS_KEY with GONG_ACCESS_KEY_SECRET."""

    workspaces: dict[Key, WorkspaceSettings] = Field(default_factory=dict)
    users: dict[Key, UserSettings] = Field(default_factory=dict)
    trackers: dict[Key, TrackerSettings] = Field(default_factory=dict)
    scorecards: dict[Key, ScorecardSettings] = Field(default_factory=dict)
    folders: dict[Key, FolderSettings] = Field(default_factory=dict)
    profiles: dict[Key, ProfileSettings] = Field(default_factory=dict)
    crm_integration: CrmIntegrationSettings | None = None
    webhook_rules: dict[Key, WebhookRuleSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Names are of things that are there, and nothing is there twice."""
        yield from same_object(("workspaces",), self.workspaces, "name")
        yield from same_object(("users",), self.users, "email")
        for group in ("trackers", "scorecards", "folders", "profiles"):
            entries = getattr(self, group)
            yield from same_object((group,), entries, "name", "workspace")
            for key, entry in entries.items():
                yield from unknown_name((group, key, "workspace"), entry.workspace, self.workspaces, "workspace")
        yield from same_object(("webhook_rules",), self.webhook_rules, "address")
        for key, user in self.users.items():
            if user.manager == key:
                yield Mistake(("users", key, "manager"), "is the user's own key")
            elif user.manager is not None:
                yield from unknown_name(("users", key, "manager"), user.manager, self.users, "user")
        yield from self._check_managers()
        for key, profile in self.profiles.items():
            yield from self._check_profile(key, profile)

    def _check_managers(self) -> Iterator[Mistake]:
        """Nobody is, by however many steps, their own manager: each is looked up after theirs."""
        for key in self.users:
            seen, at = {key}, self.users[key].manager
            while at is not None and at in self.users and at not in seen:
                seen.add(at)
                at = self.users[at].manager
            if at == key and len(seen) > 1:
                yield Mistake(("users", key, "manager"), "leads back to the user in a circle")

    def _check_profile(self, key: str, profile: ProfileSettings) -> Iterator[Mistake]:
        yield from unknown_names(("profiles", key, "members"), profile.members, self.users, "user")
        for name in type(profile.access).model_fields:
            given: AccessSettings | None = getattr(profile.access, name)
            place = ("profiles", key, "access", name, "team_leads")
            yield from unknown_names(place, (given and given.team_leads) or [], self.users, "user")
        for index, folder in enumerate((profile.library and profile.library.folders) or []):
            where = ("profiles", key, "library", "folders", index)
            if folder in self.folders and self.folders[folder].workspace != profile.workspace:
                yield Mistake(where, f"is in {self.folders[folder].workspace}, and the profile in {profile.workspace}")
            else:
                yield from unknown_name(where, folder, self.folders, "library folder")
