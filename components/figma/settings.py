"""What the stack file says about Figma (``sophia-ai:figma``)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name
from providers.figma import Event

_CAPS = {"team": 20, "project": 5, "file": 3}
_COLOR = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")

Address = Annotated[
    str, Field(max_length=2048), matching(r"https://[^\s]+", "must be an address that begins with https://")
]
Node = Annotated[
    str, matching(r"I?\d+:\d+(;\d+:\d+)*", "must be a node's id, such as 12:34 (node-id=12-34 in its address)")
]
Mode = Annotated[str, Field(min_length=1, max_length=40)]


class ProjectSettings(Settings):
    """A project (Figma's pages say folder) that people have made. Its number is in its address."""

    id: Annotated[str, matching(r"\d+", "must be the project's number, in quotes, from the address of its page")]


class FileSettings(Settings):
    """A file in the project with the key ``project``, which people have made. Its ``key`` is in its address."""

    project: str
    key: Annotated[str, matching(r"[A-Za-z0-9]{10,64}", "must be the file's key, from the address of its page")]


class PasscodeSettings(Settings):
    """What deliveries show their receiver, made by the stack. A higher ``generation`` is another one."""

    generation: Annotated[int, Field(ge=1)] = 1


class WebhookSettings(Adoptable):
    """Deliveries of one event, of the ``project`` or the ``file`` with that key; without either, of the whole team.

    ``passcode`` is a key of ``passcodes``.
    """

    event: Event
    project: str | None = None
    file: str | None = None
    endpoint: Address
    passcode: str
    description: Annotated[str, Field(max_length=100)] = ""
    paused: bool = False

    @property
    def context(self) -> Literal["team", "project", "file"]:
        return "file" if self.file else "project" if self.project else "team"

    def check(self) -> Iterator[Mistake]:
        """One context."""
        if self.project and self.file:
            yield Mistake(("project",), "is left out with `file`: a webhook is of the one or of the other")


class DevResourceSettings(Adoptable):
    """A link from a node of the file with that key to where it is built."""

    file: str
    node: Node
    name: Annotated[str, Field(min_length=1)]
    url: Address


class AliasSettings(Settings):
    """The value of another variable: of the same collection, or of the one with the key ``of``, in the same file."""

    alias: str
    of: str | None = None


class VariableSettings(Settings):
    """A variable. ``value`` holds in every mode, ``values`` says one for each. Colors are ``#rrggbb`` or ``#rrggbbaa``."""

    type: Literal["boolean", "number", "string", "color"]
    value: bool | int | float | str | AliasSettings | None = None
    values: Mapping[str, bool | int | float | str | AliasSettings] = Field(default_factory=dict)
    description: str = ""
    hidden: bool = False
    scopes: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: ["ALL_SCOPES"])
    code: Mapping[Literal["WEB", "ANDROID", "iOS"], str] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """The values are of the type, and said once."""
        if (self.value is None) == (not self.values):
            yield Mistake((), "must give either `value` (for all modes) or `values` (by mode)")
        for path, value in self.all_values():
            if not isinstance(value, AliasSettings) and not _is_of(self.type, value):
                yield Mistake(path, f"is no {self.type}{' (#rrggbb or #rrggbbaa)' if self.type == 'color' else ''}")
        if "ALL_SCOPES" in self.scopes and len(self.scopes) > 1:
            yield Mistake(("scopes",), "has ALL_SCOPES, beside which there is no other")

    def all_values(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Every value, with its place."""
        if self.value is not None:
            yield ("value",), self.value
        for mode, value in self.values.items():
            yield ("values", mode), value


class VariableCollectionSettings(Adoptable):
    """A collection of variables in the file with that key; the first of ``modes`` is the default."""

    file: str
    name: Annotated[str, Field(min_length=1)]
    modes: Annotated[list[Mode], Field(min_length=1, max_length=40)]
    hidden: bool = False
    variables: Annotated[
        dict[Annotated[str, matching(r"[^.{}]+", "must be a name without . { and }")], VariableSettings],
        Field(min_length=1, max_length=5000),
    ]

    def check(self) -> Iterator[Mistake]:
        """Modes are there once, and each variable has a value in each."""
        for mode, count in Counter(self.modes).items():
            if count > 1:
                yield Mistake(("modes",), f'has "{mode}" {count} times')
        for name, variable in self.variables.items():
            place = ("variables", name, "values")
            for mode in variable.values:
                yield from unknown_name((*place, mode), mode, self.modes, "mode")
            if missing := [mode for mode in self.modes if variable.values and mode not in variable.values]:
                yield Mistake(place, f"has no value for the mode {missing[0]}")


class FigmaSettings(Settings):
    """``sophia-ai:figma``. FIGMA_TOKEN is a personal token, or one of the plan, which cannot write ``variables``; the team
    is FIGMA_TEAM_ID, the plan FIGMA_PLAN_ID.
    """

    projects: dict[Key, ProjectSettings] = Field(default_factory=dict)
    files: dict[Key, FileSettings] = Field(default_factory=dict)
    passcodes: dict[Key, PasscodeSettings] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)
    dev_resources: dict[Key, DevResourceSettings] = Field(default_factory=dict)
    variables: dict[Key, VariableCollectionSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What is named is declared, nothing is there twice, and Figma's limits are kept."""
        yield from same_object(("projects",), self.projects, "id")
        yield from same_object(("files",), self.files, "key")
        yield from same_object(("webhooks",), self.webhooks, "project", "file", "event", "endpoint")
        yield from same_object(("dev_resources",), self.dev_resources, "file", "node", "url")
        yield from same_object(("variables",), self.variables, "file", "name")
        for key, file in self.files.items():
            yield from unknown_name(("files", key, "project"), file.project, self.projects, "project")
        for key, link in self.dev_resources.items():
            yield from unknown_name(("dev_resources", key, "file"), link.file, self.files, "file")
        for key, collection in self.variables.items():
            yield from unknown_name(("variables", key, "file"), collection.file, self.files, "file")
        yield from self._check_webhooks()
        yield from self._check_nodes()
        yield from self._check_aliases()

    def _check_webhooks(self) -> Iterator[Mistake]:
        counts: Counter[tuple[str, str]] = Counter()
        for key, webhook in self.webhooks.items():
            place = ("webhooks", key)
            yield from unknown_name((*place, "passcode"), webhook.passcode, self.passcodes, "passcode")
            if webhook.project:
                yield from unknown_name((*place, "project"), webhook.project, self.projects, "project")
            if webhook.file:
                yield from unknown_name((*place, "file"), webhook.file, self.files, "file")
            counts[webhook.context, webhook.file or webhook.project or ""] += 1
        for (context, name), count in counts.items():
            if count > _CAPS[context]:
                said = f"a {context} can have {_CAPS[context]} webhooks, and {name or 'the team'} has {count} here"
                yield Mistake(("webhooks",), said)

    def _check_nodes(self) -> Iterator[Mistake]:
        links = Counter((link.file, link.node) for link in self.dev_resources.values())
        for (file, node), count in links.items():
            if count > _PER_NODE:
                yield Mistake(("dev_resources",), f"{file} {node} has {count} links: a node can have {_PER_NODE}")

    def _check_aliases(self) -> Iterator[Mistake]:
        for key, collection in self.variables.items():
            for name, variable in collection.variables.items():
                for path, value in variable.all_values():
                    if isinstance(value, AliasSettings):
                        yield from self._check_alias(("variables", key, "variables", name, *path), key, variable, value)
        yield from self._check_order()

    def _check_alias(
        self, path: tuple[str, ...], key: str, variable: VariableSettings, alias: AliasSettings
    ) -> Iterator[Mistake]:
        home = alias.of or key
        if home not in self.variables:
            yield from unknown_name((*path, "of"), home, self.variables, "collection of variables")
        elif self.variables[home].file != self.variables[key].file:
            yield Mistake((*path, "of"), f"is in another file than {key}: aliases here are within a file")
        elif alias.alias not in self.variables[home].variables:
            yield from unknown_name((*path, "alias"), alias.alias, self.variables[home].variables, "variable")
        elif self.variables[home].variables[alias.alias].type != variable.type:
            said = f"is a {self.variables[home].variables[alias.alias].type}, and this is a {variable.type}"
            yield Mistake((*path, "alias"), said)

    def _check_order(self) -> Iterator[Mistake]:
        """Collections are written one after the other: those that others point at first, which a circle has none of."""
        if len(self.collections_in_order()) < len(self.variables):
            yield Mistake(("variables",), "has collections whose aliases point at each other in a circle")

    def collections_in_order(self) -> list[str]:
        """The keys of the collections, those that others point at first; those in a circle are left out."""
        waiting = {key: collection_needs(key, one) & self.variables.keys() for key, one in self.variables.items()}
        ordered: list[str] = []
        while ready := [key for key, needs in waiting.items() if needs <= set(ordered)]:
            ordered += ready
            waiting = {key: needs for key, needs in waiting.items() if key not in ready}
        return ordered


_PER_NODE = 10


def collection_needs(key: str, collection: VariableCollectionSettings) -> set[str]:
    """The keys of the other collections that the aliases of one point at."""
    values = [value for variable in collection.variables.values() for _, value in variable.all_values()]
    return {value.of for value in values if isinstance(value, AliasSettings) and value.of not in (None, key)}


def _is_of(type_: str, value: object) -> bool:
    if type_ == "boolean":
        return isinstance(value, bool)
    if type_ == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and (type_ == "string" or bool(_COLOR.fullmatch(value)))
