"""What the stack file says, as checked data: the base of every platform's settings, and the errors about them.

The settings of a stack are one structured key a platform (``sophia-ai:slack:``). ``load_settings`` reads them all into
one model whose fields are the platforms, and reports every mistake of every platform together, each with the path that
a person finds in ``Pulumi.<stack>.yaml``. Settings never hold a secret: where a platform needs one, they name an
environment variable that the stack's ESC environment sets (``EnvironmentVariable``), or a value that another component
hands over when the program runs (``SecretSource``).
"""

from __future__ import annotations

import enum
import json
import os
import re
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from components.explain import Mistake, MistakesError, Path, did_you_mean, explain, render

WRONG_SNOWFLAKE_ACCOUNTS = ("scoobyjava-vw02766", "UHDECNO-CVB64222")
"""Leftovers from an older set-up. They answer 404 and once broke production, so no setting may name them."""

_WRONG_ACCOUNT = re.compile("|".join(a.replace("-", "[-._/]") for a in WRONG_SNOWFLAKE_ACCOUNTS), re.IGNORECASE)


class Stage(enum.StrEnum):
    """One of the three stacks. Only prod holds data that somebody would miss."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"

    @classmethod
    def current(cls) -> Stage:
        """The stage of the running program; a stack of another name is a ``SettingsError``."""
        name = pulumi.get_stack()
        stages = [stage.value for stage in cls]
        if name in stages:
            return cls(name)
        raise SettingsError([f'there is no stack "{name}"{did_you_mean(name, stages)}: there are {", ".join(stages)}'])


def data_store_options(stage: Stage, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """``opts`` for a resource that holds data: in prod neither a change nor a destroy of the stack deletes it."""
    in_prod = stage is Stage.PROD
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=in_prod, retain_on_delete=in_prod))


class SettingsError(pulumi.RunError):
    """The stack's settings are wrong. ``problems`` has one text a mistake; nothing was deployed."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"error[settings] {problem}" for problem in problems))


class CredentialsError(pulumi.RunError):
    """Environment variables that the settings name are not set. ``problems`` has one text a variable."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"error[credentials] {problem}" for problem in problems))


class Settings(BaseModel):
    """The base of all settings models: frozen, no unknown keys, rules over several fields in ``check``."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    asked: ClassVar[bool] = True
    """Of a platform's settings: whether the platform can be asked how it is, so that it is missed when nobody tells."""

    def check(self) -> Iterator[Mistake]:
        """Yield what is wrong beyond single fields, such as a reference to a name that is not there."""
        yield from ()

    @model_validator(mode="after")
    def _run_check(self) -> typing.Self:
        if mistakes := list(self.check()):
            raise MistakesError(mistakes)
        return self


class Adoptable(Settings):
    """An entry whose object may exist already: ``adopt: true`` takes it over, instead of refusing to touch it."""

    adopt: bool = False


class EnvironmentVariable(str):
    """A setting that names an environment variable; its value is a secret and is set by the stack's ESC environment."""

    __slots__ = ()
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"[A-Z][A-Z0-9_]*")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A text that looks like the name of an environment variable."""
        return core_schema.no_info_after_validator_function(cls._named, core_schema.str_schema())

    @classmethod
    def _named(cls, text: str) -> EnvironmentVariable:
        if cls.pattern.fullmatch(text):
            return cls(text)
        raise PydanticCustomError(
            "environment_variable",
            "must be the NAME of an environment variable that ESC sets, such as SLACK_BOT_TOKEN "
            "(what stands there is not shown: it may be the secret itself)",
        )


class SecretSource(Settings):
    """Where a secret comes from: an environment variable that ESC sets, or a value that another component mints."""

    environment: EnvironmentVariable | None = None
    output: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Exactly one of the two."""
        if (self.environment is None) == (self.output is None):
            yield Mistake((), "must give either `environment` (a variable that ESC sets) or `output` (a minted value)")

    def resolve(self, outputs: Mapping[str, pulumi.Input[str]], setting: str) -> pulumi.Output[str]:
        """The secret itself, as a secret output; ``outputs`` are the minted values, ``setting`` says who asks.

        Raises SettingsError for an output that nobody hands over, CredentialsError for a variable that is not set.
        """
        if self.environment is not None:
            return secret_from_environment(self.environment, setting)
        return pulumi.Output.secret(output_named(str(self.output), outputs, f"{setting}.output"))


def secret_tree(
    sources: Mapping[str, SecretSource], outputs: Mapping[str, pulumi.Input[str]], setting: str
) -> dict[str, Any]:
    """The secrets in the shape of the configuration that they belong to, from places such as ``credentials.api_key``.

    Raises as ``SecretSource.resolve`` does; ``setting`` is where ``sources`` stand.
    """
    tree: dict[str, Any] = {}
    for place, source in sources.items():
        *parents, leaf = place.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = source.resolve(outputs, f"{setting}.{place}")
    return tree


def output_named(name: str, outputs: Mapping[str, pulumi.Input[str]], setting: str) -> pulumi.Input[str]:
    """The value that another component hands over under ``name``; SettingsError if there is none."""
    if name in outputs:
        return outputs[name]
    known = f"there are: {', '.join(sorted(outputs))}" if outputs else "no component of this stack hands over any value"
    raise SettingsError([f'{where(setting)}: no value "{name}"{did_you_mean(name, outputs)}; {known}'])


def secret_from_environment(name: str, setting: str) -> pulumi.Output[str]:
    """The value of the environment variable ``name`` as a secret; CredentialsError if it is not set."""
    value = os.environ.get(name)
    if not value:
        raise CredentialsError([_not_set(name, setting)])
    return pulumi.Output.secret(value)


def where(setting: str) -> str:
    """A setting as people find it: ``Pulumi.dev.yaml: sophia-ai:slack.channels[0]``."""
    return f"Pulumi.{pulumi.get_stack()}.yaml: {pulumi.get_project()}:{setting}"


def unknown_name(path: Path, name: str, known: Collection[str], kind: str) -> Iterator[Mistake]:
    """A mistake if ``name``, which stands at ``path``, is not in ``known``; ``kind`` says what it names."""
    if name not in known:
        there_are = f"there are: {', '.join(known)}" if known else f"no {kind} is"
        yield Mistake(path, f'no {kind} "{name}" is declared{did_you_mean(name, known)}; {there_are}')


def unknown_names(path: Path, names: Sequence[str], known: Collection[str], kind: str) -> Iterator[Mistake]:
    """A mistake for each of ``names``, the list at ``path``, that is not in ``known``."""
    for index, name in enumerate(names):
        yield from unknown_name((*path, index), name, known, kind)


def same_object(path: Path, entries: Mapping[str, Settings], *members: str) -> Iterator[Mistake]:
    """A mistake for each entry of the map at ``path`` whose ``members`` are those of an earlier one.

    By these a platform's object is recognised, so that two entries would be one object, and fight over it.
    """
    first: dict[tuple[object, ...], str] = {}
    for key, entry in entries.items():
        other = first.setdefault(tuple(getattr(entry, member) for member in members), key)
        if other != key:
            yield Mistake((*path, key, members[0]), f"is that of {render((*path, other))}: each needs its own")


def matching(pattern: str, message: str) -> AfterValidator:
    """A validator for ``Annotated[str, …]``: the whole text must match, or ``message`` says what is expected."""
    compiled = re.compile(pattern)

    def match(text: str) -> str:
        if not compiled.fullmatch(text):
            raise PydanticCustomError("pattern", "{message}", {"message": message})
        return text

    return AfterValidator(match)


Key = Annotated[
    str,
    matching(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "must be lower-case words joined by hyphens"),
]
"""The key of an entry in a map of settings. It is part of the logical name, so changing it replaces the resource."""

DnsLabel = Annotated[
    str,
    matching(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "must be up to 63 lower-case letters, digits and hyphens"),
]

SettingsT = TypeVar("SettingsT", bound=Settings)


def configured() -> dict[str, Any]:
    """What the running stack's file says under the project's name, by key, as the engine hands it over."""
    prefix = f"{pulumi.get_project()}:"
    return {key.removeprefix(prefix): value for key, value in get_config_env().items() if key.startswith(prefix)}


def load_settings(model: type[SettingsT]) -> SettingsT:
    """The settings of the running stack, parsed by ``model``, which has one optional field a platform.

    Raises SettingsError with all mistakes of all platforms, or CredentialsError with all environment variables that the
    settings name and nobody sets.
    """
    values = configured()
    prefix = f"{pulumi.get_project()}:"
    secret = {k.removeprefix(prefix) for k in get_config_secret_keys_env() if k.startswith(prefix)}
    data = {key: _structured(text) for key, text in values.items()}
    problems = [f"{where(render(path))}: {message}" for path, message in _wrong_accounts(data)]
    try:
        settings = model.model_validate(data)
    except ValidationError as error:
        problems += [f"{where(render(path))}: {message}" for path, message in explain(error, data, model, secret)]
    if problems:
        raise SettingsError(problems)
    unset = [_not_set(name, render(path)) for path, name in environment_variables(settings) if not os.environ.get(name)]
    if unset:
        raise CredentialsError(unset)
    return settings


def environment_variables(value: object, path: Path = ()) -> Iterator[tuple[Path, EnvironmentVariable]]:
    """Every environment variable that settings name, with the path of the setting."""
    if isinstance(value, EnvironmentVariable):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from environment_variables(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from environment_variables(item, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            yield from environment_variables(item, (*path, index))


def _structured(text: object) -> object:
    """Pulumi hands structured configuration over as JSON text, and everything else as it was written."""
    try:
        return json.loads(str(text))
    except ValueError:
        return text


def _not_set(name: str, setting: str) -> str:
    environment = f"{pulumi.get_project()}/credentials-{pulumi.get_stack()}"
    add = f"add it under environmentVariables of the ESC environment {environment}"
    return f"{name} is not set, and {where(setting)} reads it: {add}"


def _wrong_accounts(value: object, path: Path = ()) -> Iterator[Mistake]:
    if isinstance(value, str) and (found := _WRONG_ACCOUNT.search(value)):
        yield Mistake(
            path, f"the Snowflake account {found.group()} is a wrong leftover that broke production: use ZNB04675"
        )
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _wrong_accounts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _wrong_accounts(item, (*path, index))
