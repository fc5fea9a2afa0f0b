"""What the stack file says about the incident path (``sophia-ai:incidents``): keys of other platforms' settings, no ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.monitoring.rules import Severity
from components.settings import Adoptable, Key, SecretSource, Settings, matching

HookName = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)?",
        "must be the key of a webhook, such as events, with that of its repository before it, such as web.events",
    ),
]


class IssueSettings(Settings):
    """The Linear issue of an alert. ``template`` says its team, labels and first state; ``done`` is the state of that
    team to which an issue moves when its alert is over; ``priorities`` have the severities that make issues at all, each
    with Linear's number: 1 urgent, 2 high, 3 normal, 4 low.
    """

    template: Key
    done: Key
    priorities: Annotated[dict[Severity, Annotated[int, Field(ge=0, le=4)]], Field(min_length=1)]


class AlertSettings(Settings):
    """Alerts that n8n takes over from Alertmanager. The channel of a team's severity is that of
    ``sophia-ai:monitoring.teams``; Alertmanager posts the other severities itself. A higher ``generation`` is another
    token between the two.
    """

    severities: Annotated[frozenset[Severity], Field(min_length=1)]
    issues: IssueSettings | None = None
    generation: Annotated[int, Field(ge=1)] = 1

    def check(self) -> Iterator[Mistake]:
        """An issue is made of what comes this way."""
        for severity in self.issues.priorities if self.issues else ():
            if severity not in self.severities:
                yield Mistake(("issues", "priorities", severity), "is none of `severities`, so that no alert makes it")


class DeploymentSettings(Settings):
    """Deployments that GitHub and Vercel tell of. ``channel`` is a key of Slack's; ``github`` and ``vercel`` name a webhook
    each, whose address is n8n's. ``announced`` are repositories (keys) whose deployments ``sophia`` announces itself.
    """

    channel: Key
    github: HookName | None = None
    vercel: Key | None = None
    announced: tuple[Key, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """Somebody tells of them."""
        if self.github is None and self.vercel is None:
            yield Mistake((), "must name a webhook: `github`, `vercel`, or both")


class LinearReminderSettings(Settings):
    """Credentials that are due become Linear issues, by a template of a team; ``done`` is where renewed ones go."""

    to: Literal["linear"]
    template: Key
    done: Key


class AsanaReminderSettings(Settings):
    """Credentials that are due become Asana tasks: in the section ``due`` of the project, and once renewed in
    ``renewed``. ``field``: a text field of the project that gets the credential's name.
    """

    to: Literal["asana"]
    project: Key
    due: Key
    renewed: Key
    field: Key | None = None


class IncidentsSettings(Adoptable):
    """``sophia-ai:incidents``. ``slack`` is the key of n8n's Slack credential, ``linear_key`` what n8n shows Linear, and
    ``error_workflow`` the workflow (a key of n8n's) that tells when one of these fails. ``adopt`` is about the workflows
    and credentials in n8n.
    """

    slack: Key = "slack"
    linear_key: SecretSource | None = None
    error_workflow: Key | None = None
    alerts: AlertSettings | None = None
    deployments: DeploymentSettings | None = None
    reminders: Annotated[LinearReminderSettings | AsanaReminderSettings, Field(discriminator="to")] | None = None

    def check(self) -> Iterator[Mistake]:
        """Issues need a key."""
        if self.alerts is not None and self.alerts.issues is not None and self.linear_key is None:
            yield Mistake(("linear_key",), "is missing: alerts.issues are made by n8n, which needs a key of Linear's")
