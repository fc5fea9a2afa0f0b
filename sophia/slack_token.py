"""Renews a stack's Slack configuration token, which lasts twelve hours.

Slack gives a new token and a new refresh token for the refresh token, which serves a single time. The new pair is kept in
a file that only its owner can read until Pulumi Cloud has it, in ``credentials-<stack>``: the token as SLACK_CONFIG_TOKEN,
the refresh token as ``slack.config_refresh_token``, where no program of the stack sees it. A run that was cut short is
finished by the next one. The first refresh token is what a person copies on api.slack.com/apps; it is asked for.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_state_path
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from sophia.backend import surroundings
from sophia.errors import RunFailed, SettingsError
from sophia.esc.cloud import ChangedMeanwhileError, Cloud
from sophia.project import Project
from sophia.runner import EngineCommand
from sophia.survey import Inside
from sophia.target import Target

_ROTATOR = "providers.slack_rotate"
_REFRESH = ("slack", "config_refresh_token")
_TRIES = 5
_BEGIN = (
    "make a pair on api.slack.com/apps (Your App Configuration Tokens), then "
    "`sophia slack-token STACK --first` and paste its refresh token"
)


def renew(project: Project, stack: str, target: Target, engine: EngineCommand, first: str = "") -> datetime:
    """Renews the pair; when the new token expires. ``first``: a refresh token that a person has. Raises SophiaError."""
    cloud, environment = Cloud(target, project.name, os.environ), f"credentials-{stack}"
    kept = _kept(target, stack)
    if not kept.exists():
        refresh = first or _known(target, engine, f"{target.organization}/{project.name}/{environment}")
        given = json.dumps({"refresh_token": refresh, "file": str(kept)})
        Inside(project, stack, target, engine).run(_ROTATOR, (), given)
    pair = _pair(kept)
    _store(cloud, environment, pair["token"], pair["refresh_token"], kept)
    kept.unlink()
    return datetime.fromtimestamp(float(pair["exp"]), UTC)


def _kept(target: Target, stack: str) -> Path:
    """Where a pair waits until Pulumi Cloud has it. One of the sandbox is not one of the organisation's."""
    folder = user_state_path("sophia-ai") / "slack"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    where = "".join(letter if letter.isalnum() else "-" for letter in target.backend)
    return folder / f"{where}-{stack}.json"


def _pair(kept: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunFailed(
            "a run was cut short while Slack was asked for a new configuration token",
            said=f"{kept} has no whole answer of Slack's",
            setting=str(kept),
            do=f"delete that file; if the old refresh token is not taken any more, {_BEGIN}",
        ) from error
    return found


def _known(target: Target, engine: EngineCommand, environment: str) -> str:
    """The refresh token that Pulumi Cloud has."""
    command = [
        engine.command,
        "--non-interactive",
        "env",
        "open",
        environment,
        ".".join(_REFRESH),
        "--format",
        "string",
    ]
    done = subprocess.run(  # noqa: S603 - a list, no shell
        command, env=surroundings(target), capture_output=True, text=True, check=False
    )
    token = done.stdout.strip()
    if done.returncode != 0 or not token:
        raise SettingsError(
            "Slack's configuration token cannot be renewed: no refresh token is known",
            said=done.stderr.strip()[-300:],
            setting=f"ESC environment {environment}: {'.'.join(_REFRESH)}",
            do=_BEGIN.replace("STACK", environment.rpartition("-")[2]),
        )
    return token


def _store(cloud: Cloud, environment: str, token: str, refresh: str, kept: Path) -> None:
    """Writes the pair on top of whatever is the newest revision. What is secret there stays encrypted as it is."""
    for _ in range(_TRIES):
        remote = cloud.read(environment)
        if remote is None:
            raise SettingsError(
                f"there is no ESC environment {environment}", setting=str(kept), do="`sophia esc` makes it"
            )
        try:
            cloud.write(environment, with_pair(remote.text, token, refresh), remote.etag, environment)
        except ChangedMeanwhileError:
            continue
        return
    raise RunFailed(
        f"{environment} is changed all the time",
        said="the new pair is kept in a file meanwhile",
        setting=str(kept),
        do="run the same command again",
    )


def with_pair(text: str, token: str, refresh: str) -> str:
    """A definition with the pair in it; everything else, comments included, stays."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4096
    document = yaml.load(text) or CommentedMap()
    values = document.setdefault("values", CommentedMap())
    values.setdefault("environmentVariables", CommentedMap())["SLACK_CONFIG_TOKEN"] = {"fn::secret": token}
    values.setdefault(_REFRESH[0], CommentedMap())[_REFRESH[1]] = {"fn::secret": refresh}
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()
