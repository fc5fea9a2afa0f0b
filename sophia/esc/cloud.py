"""ESC as Pulumi Cloud has it, or the sandbox's: definitions, revisions and their tags, through Pulumi's own Python client.

Definitions go through the client's raw calls: its models know neither ``merge: false`` nor comments, and its convenient
methods neither give the ETag nor send it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi_esc_sdk
import urllib3
from pulumi_esc_sdk.exceptions import ApiException
from pulumi_esc_sdk.models.create_environment import CreateEnvironment
from pulumi_esc_sdk.models.create_environment_revision_tag import CreateEnvironmentRevisionTag
from pulumi_esc_sdk.models.update_environment_revision_tag import UpdateEnvironmentRevisionTag
from pydantic import ValidationError

from sophia.errors import CredentialsError, RunFailed, SettingsError, SophiaError, UnreachableError
from sophia.target import Target, access_token, is_loopback

_SECONDS = 30.0
_BAD_REQUEST, _NOT_FOUND, _CONFLICT = 400, 404, 409
_REFUSED = (401, 403)
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Remote:
    """An environment's newest revision."""

    text: str
    revision: int
    etag: str


@dataclass(frozen=True)
class Revision:
    number: int
    tags: tuple[str, ...]
    creator: str
    created: str
    """RFC 3339."""


class ChangedMeanwhileError(Exception):
    """The environment was changed between reading and writing it."""


class Cloud:
    """The environments of one organisation and project. Raises SophiaError where a call does not succeed."""

    def __init__(self, target: Target, project: str, environ: Mapping[str, str]) -> None:
        if target.kind == "file":
            raise SettingsError(
                "a backend without Pulumi Cloud has no ESC environments",
                setting=target.backend,
                do="`pulumi login` to Pulumi Cloud, or `sophia sandbox start`",
            )
        token = access_token(target.backend, {**environ, **target.environment})
        if not token:
            raise CredentialsError(
                f"there is no access token for {target.backend}",
                setting="environment variable PULUMI_ACCESS_TOKEN",
                do="set it, or `pulumi login`",
            )
        self.target = target
        self.project = project
        configuration = pulumi_esc_sdk.Configuration(host=target.backend, access_token=token)
        if is_loopback(target.backend):
            configuration.no_proxy = ["*"]
        self._api = pulumi_esc_sdk.EscClient(configuration).esc_api

    def read(self, name: str) -> Remote | None:
        """The newest revision as it is stored, its secrets encrypted; None if there is no such environment."""
        with self._told(f"{self.project}/{name} cannot be read"):
            answer = self._api.get_environment_without_preload_content(*self._path(name), _request_timeout=_SECONDS)
            body = answer.data
            if answer.status == _NOT_FOUND:
                return None
            if answer.status >= _BAD_REQUEST:
                raise ApiException(status=answer.status, body=body.decode("utf-8", "replace"))
            return Remote(body.decode("utf-8"), _revision(answer.headers), answer.headers.get("ETag", ""))

    def exists(self, name: str) -> bool:
        """Whether there is such an environment, whose definition is not asked for."""
        with self._told(f"{self.project}/{name} cannot be looked for"):
            try:
                self._api.get_environment_e_tag(*self._path(name), _request_timeout=_SECONDS)
            except pulumi_esc_sdk.exceptions.NotFoundException:
                return False
            return True

    def create(self, name: str) -> None:
        """Makes an empty environment; one that exists stays as it is."""
        with self._told(f"{self.project}/{name} cannot be made"):
            try:
                made = CreateEnvironment(project=self.project, name=name)
                self._api.create_environment(self.target.organization, made, _request_timeout=_SECONDS)
            except ApiException as error:
                if error.status != _CONFLICT:
                    raise

    def write(self, name: str, text: str, etag: str, shown: str) -> int:
        """Stores a new revision on top of the one with ``etag``; its number. ``shown`` names the file with the text.

        Raises ChangedMeanwhileError if another one is the newest, SettingsError with the diagnostics for a definition
        that is not accepted.
        """
        with self._told(f"{self.project}/{name} cannot be written"):
            try:
                answer = self._api.update_environment_yaml_with_http_info(
                    *self._path(name), text, _headers={"ETag": etag} if etag else {}, _request_timeout=_SECONDS
                )
            except ApiException as error:
                if error.status == _CONFLICT:
                    raise ChangedMeanwhileError from error
                if error.status == _BAD_REQUEST:
                    raise self._not_accepted(name, shown, error) from error
                raise
            return _revision(answer.headers or {})

    def revisions(self, name: str, count: int) -> list[Revision]:
        """The newest revisions, newest first."""
        with self._told(f"the revisions of {self.project}/{name} cannot be read"):
            found = self._api.list_environment_revisions(*self._path(name), count=count, _request_timeout=_SECONDS)
            return [_of(one) for one in found[:count]]

    def tag(self, name: str, tag: str, revision: int) -> None:
        """Gives a revision a tag, which it takes from another one that has it."""
        with self._told(f"revision {revision} of {self.project}/{name} is written, but cannot be tagged {tag}"):
            try:
                made = CreateEnvironmentRevisionTag(name=tag, revision=revision)
                self._api.create_environment_revision_tag(*self._path(name), made, _request_timeout=_SECONDS)
            except ApiException as error:
                if error.status != _CONFLICT:
                    raise
                moved = UpdateEnvironmentRevisionTag(revision=revision)
                self._api.update_environment_revision_tag(*self._path(name), tag, moved, _request_timeout=_SECONDS)

    def _path(self, name: str) -> tuple[str, str, str]:
        return self.target.organization, self.project, name

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turns the client's errors into this package's."""
        try:
            yield
        except ApiException as error:
            raise self._failure(what, error) from error
        except ValidationError as error:
            # Of what the client does not understand only the reason is told: the rest may be a definition.
            raise RunFailed(
                what, said=error.errors()[0]["msg"], setting=f"organisation {self.target.organization}"
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(
                f"{what}: {self._title} does not answer",
                said=_cause(error),
                setting=self.target.backend,
                do="`sophia sandbox status`" if self.target.kind == "sandbox" else "try again in a while",
            ) from error

    @property
    def _title(self) -> str:
        return "the sandbox's Pulumi Cloud" if self.target.kind == "sandbox" else "Pulumi Cloud"

    def _failure(self, what: str, error: ApiException) -> SophiaError:
        said = f"{error.status} {_message(error)}".strip()
        if error.status in _REFUSED:
            return CredentialsError(
                f"{what}: {self._title} refuses the access token",
                said=said,
                setting=f"environment variable PULUMI_ACCESS_TOKEN, organisation {self.target.organization}",
                do="use a token of a member who may edit the environments of the project",
            )
        if error.status is not None and error.status >= _SERVER_ERROR:
            return UnreachableError(f"{what}: {self._title} fails", said=said, setting=self.target.backend)
        return RunFailed(what, said=said, setting=f"organisation {self.target.organization} at {self.target.backend}")

    def _not_accepted(self, name: str, shown: str, error: ApiException) -> SettingsError:
        lines = [_diagnostic(one) for one in _document(error).get("diagnostics") or ()]
        return SettingsError(
            f"ESC environment {self.project}/{name} is not accepted",
            said="\n".join(lines) or _message(error),
            setting=shown,
            do=f"correct {shown}; environments that it imports must be there first (`sophia esc push --all`)",
        )


def _revision(headers: Mapping[str, str]) -> int:
    """The number that every answer with a definition carries. The client's own mapping of headers minds upper case."""
    number = {name.lower(): value for name, value in headers.items()}.get("pulumi-esc-revision", "")
    if not number.isdecimal():
        raise RunFailed("Pulumi Cloud does not tell the revision of an environment", do="`pulumi env version history`")
    return int(number)


def _of(one: Any) -> Revision:
    return Revision(one.number, tuple(one.tags or ()), one.creator_login or "", one.created or "")


def _document(error: ApiException) -> Mapping[str, Any]:
    try:
        found = json.loads(error.body or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(error: ApiException) -> str:
    """What the answer says, and nothing of its headers."""
    return str(_document(error).get("message") or error.reason or "").strip()


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error)


def _diagnostic(diagnostic: Mapping[str, Any]) -> str:
    where = diagnostic.get("range")
    begin = where.get("begin") if isinstance(where, Mapping) else None
    place = f"line {begin['line']}, column {begin['column']}: " if isinstance(begin, Mapping) else ""
    return f"{place}{diagnostic.get('summary', '')}"
