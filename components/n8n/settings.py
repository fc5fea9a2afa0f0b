"""What the stack file says about n8n (``sophia-ai:n8n``): what n8n's own API manages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from components.explain import Mistake, MistakesError, Path
from components.n8n.workflow_files import WorkflowFile, WorkflowFileError, read
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

OWNER_TAG = "managed-by-pulumi"
"""Every workflow of the stack has this tag, so that people can filter by it in n8n."""


def _readable(path: str) -> str:
    try:
        file = read(path)
    except WorkflowFileError as error:
        raise MistakesError([Mistake((), f"{path}: {error}")]) from error
    if mistakes := list(file.mistakes()):
        raise MistakesError([Mistake((), f"{path}: {said}") for said in mistakes])
    return path


class MemberSettings(Adoptable):
    """A user of this n8n, and what they may do in the project."""

    email: Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be the address of a user of this n8n")]
    role: str = "project:viewer"


class ProjectSettings(Adoptable):
    """A team's project. Only some licences have projects."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    members: dict[Key, MemberSettings] = Field(default_factory=dict)


class TagSettings(Adoptable):
    """A tag for workflows."""

    name: Annotated[str, Field(min_length=1, max_length=24)]

    def check(self) -> Iterator[Mistake]:
        """One tag is ours."""
        if self.name == OWNER_TAG:
            yield Mistake(("name",), "is on every workflow of the stack by itself")


class HandedOver(Settings):
    """A value that another component gives when the program runs, such as ``slack.channels.alerts``."""

    output: str


class VariableSettings(Adoptable):
    """A variable, which workflows read as ``$vars.<key>`` and everybody sees. Only some licences have variables."""

    key: Annotated[
        str,
        matching(r"[A-Za-z_][A-Za-z0-9_]{0,49}", "must be up to 50 letters, digits and '_', and begin with no digit"),
    ]
    value: Annotated[str, Field(max_length=1000)] | HandedOver
    project: str | None = None


class CredentialSettings(Adoptable):
    """A credential of n8n's: ``type`` as n8n calls it, ``data`` what of it is no secret, ``secrets`` the rest."""

    name: Annotated[str, Field(min_length=3, max_length=90)]
    type: Annotated[str, matching(r"[a-z][A-Za-z0-9]+", "must be n8n's name of the type, such as httpHeaderAuth")]
    data: dict[str, Any] = Field(default_factory=dict)
    secrets: Annotated[dict[str, SecretSource], Field(min_length=1)]
    project: str | None = None

    def check(self) -> Iterator[Mistake]:
        """A member has one source."""
        for name in sorted(self.data.keys() & self.secrets.keys()):
            yield Mistake(("data", name), "is given under `secrets` as well")


class TokenSettings(Settings):
    """A random token that callers of a webhook show: ``output: n8n.tokens.<key>``. A higher ``generation`` is another."""

    generation: Annotated[int, Field(ge=1)] = 1


class WorkflowSettings(Adoptable):
    """A workflow. ``file`` says what it does (docs/n8n.md); ``values`` fill its ``@@places@@``."""

    name: Annotated[str, Field(min_length=1, max_length=90)]
    file: Annotated[str, AfterValidator(_readable)]
    tags: list[str] = Field(default_factory=list)
    published: bool = False
    project: str | None = None
    error_workflow: str | None = None
    values: dict[str, str | HandedOver] = Field(default_factory=dict)

    @cached_property
    def content(self) -> WorkflowFile:
        return read(self.file)

    def check(self) -> Iterator[Mistake]:
        """A published workflow starts by itself; the file's places and the values are the same."""
        content = self.content
        if self.published and not content.starts_by_itself:
            yield Mistake(("published",), f"{self.file} has no trigger that n8n can wait on, so it cannot be published")
        for name in sorted(content.places - self.values.keys()):
            yield Mistake(("values", name), f"is missing: {self.file} asks for @@{name}@@")
        for name in sorted(self.values.keys() - content.places):
            yield Mistake(("values", name), f"is not used: {self.file} has no @@{name}@@")
        if "errorWorkflow" in content.settings:
            yield Mistake(("error_workflow",), f"says it, and not settings.errorWorkflow of {self.file}: remove that")


class N8nSettings(Settings):
    """``sophia-ai:n8n``. Where it is, N8N_BASE_URL says; who asks, N8N_API_KEY, which is made in n8n's pages only."""

    projects: dict[Key, ProjectSettings] = Field(default_factory=dict)
    tags: dict[Key, TagSettings] = Field(default_factory=dict)
    variables: dict[Key, VariableSettings] = Field(default_factory=dict)
    tokens: dict[Key, TokenSettings] = Field(default_factory=dict)
    credentials: dict[Key, CredentialSettings] = Field(default_factory=dict)
    workflows: dict[Key, WorkflowSettings] = Field(default_factory=dict)

    def no_credential(self, path: Path, key: str, type_: str) -> Iterator[Mistake]:
        """A mistake, of a component above n8n, if ``key``, which stands at ``path``, is no credential of that type."""
        there_are = {name: one for name, one in self.credentials.items() if one.type == type_}
        yield from unknown_name(path, key, there_are, f"{type_} credential of n8n")

    def no_error_workflow(self, path: Path, key: str | None) -> Iterator[Mistake]:
        """A mistake, likewise, if there is a ``key``, and n8n would not start that workflow on errors."""
        if key is not None:
            there_are = {
                name: one for name, one in self.workflows.items() if one.published and one.content.takes_errors
            }
            yield from unknown_name(path, key, there_are, "published n8n workflow with an Error Trigger")

    def check(self) -> Iterator[Mistake]:
        """Names are of things that are there, credentials of the type that a node wants, webhooks' paths one's own."""
        yield from same_object(("projects",), self.projects, "name")
        yield from same_object(("tags",), self.tags, "name")
        yield from same_object(("variables",), self.variables, "key", "project")
        yield from same_object(("credentials",), self.credentials, "name", "type")
        yield from same_object(("workflows",), self.workflows, "name")
        for group in ("variables", "credentials", "workflows"):
            for key, entry in getattr(self, group).items():
                if entry.project is not None:
                    yield from unknown_name((group, key, "project"), entry.project, self.projects, "project")
        for key, workflow in self.workflows.items():
            yield from unknown_names(("workflows", key, "tags"), workflow.tags, self.tags, "tag")
            yield from self._of_workflow(key, workflow)
        yield from self._webhooks()

    def _of_workflow(self, key: str, workflow: WorkflowSettings) -> Iterator[Mistake]:
        place = ("workflows", key, "error_workflow")
        if workflow.error_workflow == key:
            yield Mistake(place, "is the workflow itself: an error in it would start it without end")
        elif workflow.error_workflow is not None:
            yield from unknown_name(place, workflow.error_workflow, self.workflows, "workflow")
            other = self.workflows.get(workflow.error_workflow)
            if other and other.error_workflow:
                yield Mistake(place, f"has an error workflow of its own ({other.error_workflow}): one step is all")
            elif other and not (other.published and other.content.takes_errors):
                said = f"is {workflow.error_workflow}, which n8n does not start on errors:"
                yield Mistake(place, f"{said} it must be published, and have an Error Trigger")
        for node, type_, name in workflow.content.credentials:
            where = ("workflows", key, "file")
            found = self.credentials.get(name)
            if found is None:
                for mistake in unknown_name(where, name, self.credentials, "credential"):
                    yield Mistake(where, f'{workflow.file}: node "{node}": {mistake.message}')
            elif found.type != type_:
                said = f"wants a {type_}, and credentials.{name} is a {found.type}"
                yield Mistake(where, f'{workflow.file}: node "{node}": {said}')

    def _webhooks(self) -> Iterator[Mistake]:
        first: dict[tuple[str, str], str] = {}
        for key, workflow in self.workflows.items():
            for webhook in workflow.content.webhooks:
                other = first.setdefault(webhook, key)
                if other != key:
                    said = f"{workflow.file}: the webhook {' '.join(webhook)} is that of workflows.{other} already"
                    yield Mistake(("workflows", key, "file"), said)
