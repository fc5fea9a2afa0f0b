"""Turns what a failed engine printed into an error with four parts and an exit code.

Three kinds of text arrive here: the program's own complaints (lines marked ``error[settings]`` or
``error[credentials]``), a provider's failure (which carries the four parts already, and perhaps a marker), and the
engine's own messages, which are recognised by their wording in the CLI 3.258.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sophia.errors import (
    CredentialsError,
    LockedError,
    Problem,
    RunFailed,
    SettingsError,
    SophiaError,
    UnreachableError,
)
from sophia.events import Diagnostic, PolicyViolation, Resource, plain

_MARKER = re.compile(r"error\[(settings|credentials|unreachable|outcome-unknown)\]\s*")
_OUTCOME_UNKNOWN = "error[outcome-unknown]"
"""How our providers mark a create that was sent, of which the platform never told whether it worked."""
_PROVIDER_DIED = re.compile(r"^error reading from server|transport is closing", re.MULTILINE)
"""What the engine says of a call that was under way when the process of its provider ended."""
_PROVIDER_DEAD = re.compile(r'connection error: desc = "transport: Error while dialing')
"""And of the calls after that, which reached nobody."""
_CUT_OFF = re.compile(r"unexpected EOF|: EOF$|connection reset by peer|broken pipe|deadline exceeded", re.MULTILINE)
"""How official providers, which are Go programs, tell of a request without an answer."""
_PART = re.compile(r"^\s*(said|setting|do)(?: {2,}|\t)\s*(.*)$")
_ENGINE_PREFIX = re.compile(
    r"^(?:\s|error: |\* |\d+ errors? occurred:|Exception calling application: |rpc error: code = \w+ desc = "
    r"|(?:creating|updating|deleting|reading|refreshing|diffing|checking) urn:pulumi:\S+: "
    r"|urn:pulumi:\S+ (?:creation|update) was interrupted\S* |Program failed with an unhandled exception:)+"
)
_DEPENDS_ON_FAILED = "ResourceRegistrationFailed"
"""The SDK's exception for what is made of a resource that failed; the failure itself is told elsewhere."""
_LAST_OF_TRACEBACK = re.compile(r"^(?:[\w.]+(?:Error|Exception|Failed|Refused|Exit)): ?", re.MULTILINE)

_LOCKED = re.compile(
    r"\[409\]|stack is currently locked by|another update is (?:currently )?in progress", re.IGNORECASE
)
_LOGIN = re.compile(
    r"\[40[13]\]|requires logging in|invalid access token|No credentials provided or are invalid|PULUMI_ACCESS_TOKEN must"
    r"|could not find access token",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"connection refused|no such host|dial tcp|network is unreachable|i/o timeout|TLS handshake timeout|\[50[234]\]",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(
    r"opening environment|getting environment|environment .*(?:not found|does not exist)", re.IGNORECASE
)
_PLACE = re.compile(r"^\S+:\d+:\d+: (.+)$", re.MULTILINE)
"""A mistake in an environment, as the engine prints it before it says that there were too many."""
_EXISTS = re.compile(r"already exist|_CONFLICT\b|\b409\b", re.IGNORECASE)
_PROTECTED = re.compile(r"cannot be deleted\s+because it is protected")
_CONFIG = re.compile(
    r"Pulumi\.[\w.-]+\.yaml|invalid config|could not (?:read|load) (?:current )?(?:project|config)", re.IGNORECASE
)

_NOISE = re.compile(
    r"^(?:update|preview|destroy|refresh) failed$|^resource (?:creation|update|deletion) failed$"
    r"|one or more (?:resource|operations)|^\s*$|BAIL|preview failed|an unhandled error occurred"
)


@dataclass(frozen=True)
class Failure:
    """A run that failed: what the diagnosis is made from."""

    stack: str
    settings_file: str
    backend: str
    errors: Sequence[Diagnostic]
    violations: Sequence[PolicyViolation]
    stderr: str
    code: int
    locked_by: str = ""
    log: str = ""


def problems_of(failure: Failure) -> list[tuple[Diagnostic, Problem]]:
    """What went wrong, with the diagnostic that tells it."""
    return [(d, problem) for d in failure.errors for _, problem in _of_diagnostic(d, failure)]


def diagnose(failure: Failure) -> SophiaError:
    """The error to raise; never empty, whatever the engine said or did not say."""
    problems: list[tuple[str, Problem]] = []
    for diagnostic in failure.errors:
        problems += _of_diagnostic(diagnostic, failure)
    problems += [("settings", _of_violation(v)) for v in failure.violations if v.enforcement == "mandatory"]
    if not problems:
        return _of_engine(failure)
    kinds = {kind for kind, _ in problems}
    # Settings first: with wrong settings nothing else that was said can be trusted to be the cause.
    error = next(
        (
            e
            for k, e in (
                ("settings", SettingsError),
                ("credentials", CredentialsError),
                ("unreachable", UnreachableError),
            )
            if k in kinds
        ),
        RunFailed,
    )
    return error(_unique(problem for _, problem in problems), log=failure.log)


def outcome_unknown(message: str) -> bool:
    """Whether the error of an operation leaves open what was done on the platform."""
    if _OUTCOME_UNKNOWN in message or _PROVIDER_DIED.search(message):
        return True
    return parse_parts(message) is None and bool(_CUT_OFF.search(message))


def parse_parts(text: str) -> Problem | None:
    """The four parts in a message that carries them, wherever it stands in the engine's packaging; else None."""
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if _PART.match(line)), None)
    if first is None or first == 0:
        return None
    what = _unpacked(lines[first - 1])
    parts: dict[str, list[str]] = {}
    label = ""
    for line in lines[first:]:
        match = _PART.match(line)
        if match:
            label = match.group(1)
            parts.setdefault(label, []).append(match.group(2).rstrip())
        elif line.strip() and line.startswith("   "):
            parts[label].append(line.strip())
        else:
            break
    joined = {name: "\n".join(content) for name, content in parts.items()}
    return Problem(what, joined.get("said", ""), joined.get("setting", ""), joined.get("do", ""))


def _of_diagnostic(diagnostic: Diagnostic, failure: Failure) -> list[tuple[str, Problem]]:
    text = plain(diagnostic.message).strip()
    if _NOISE.search(text) and "\n" not in text:
        return []
    if _DEPENDS_ON_FAILED in text:
        return []
    kind = next((kind for kind in _MARKER.findall(text) if kind != "outcome-unknown"), "")
    whole = parse_parts(_MARKER.sub("", text))
    if whole is not None:
        return [(kind, whole)]
    marked = [
        (match.group(1), _of_marked(match.group(1), line[match.end() :].strip(), failure))
        for line in text.splitlines()
        if (match := _MARKER.search(line))
    ]
    if marked:
        return marked
    if "Traceback" in text or text.startswith("Program failed with an unhandled exception"):
        return [("", _of_crash(text))]
    return [("", _of_resource(diagnostic.resource, text, failure))]


def _of_marked(kind: str, text: str, failure: Failure) -> Problem:
    again = f"then run the command again; `sophia preview {failure.stack}` changes nothing"
    if kind == "settings":
        file, _, rest = text.partition(": ")
        path, colon, said = rest.partition(": ")
        if not colon:
            return Problem(
                f'stack "{failure.stack}": the settings are not accepted',
                text,
                failure.settings_file,
                f"correct them, {again}",
            )
        return Problem(
            f"{path}: the setting is not accepted", said, f"{file}: {path}", f"correct it in {file}, {again}"
        )
    name = text.split(" ", 1)[0].rstrip(":")
    if kind == "credentials":
        what = f"{name}: the credential is missing or was refused"
        do = f"set it in the ESC environment of stack {failure.stack}, or in the shell, {again}"
        return Problem(what, text, f"environment variable {name}" if name.isupper() else "", do)
    return Problem(f"{name}: no answer", text, "", f"check the address and the network, {again}")


def _of_crash(text: str) -> Problem:
    ends = list(_LAST_OF_TRACEBACK.finditer(text))
    said = text[ends[-1].start() :].strip() if ends else text.strip().splitlines()[-1].strip()
    return Problem("the program failed", said, "__main__.py", "run it again with --debug for the traceback")


def _of_resource(resource: Resource | None, text: str, failure: Failure) -> Problem:
    said = _unpacked("\n".join(line for line in text.splitlines() if line.strip() and not _NOISE.search(line)))
    if resource is None or resource.is_stack:
        return Problem(
            f'stack "{failure.stack}": the run failed', said, "", "run it again with --debug for the engine's log"
        )
    title = resource.title
    if _PROVIDER_DIED.search(text):
        return Problem(
            f"{title}: its provider ended in the middle of it",
            said,
            "",
            f"`sophia up {failure.stack}` looks whether it was done, and goes on from there",
        )
    if _PROVIDER_DEAD.search(text):
        return Problem(
            f"{resource.platform or 'a platform'}: its provider has ended, and nothing more could be done there",
            "",
            "",
            f"`sophia up {failure.stack}` goes on from there",
        )
    if _PROTECTED.search(text):
        return Problem(
            f"{title}: it is protected and was left alone",
            "what holds data is deleted by no run",
            "",
            f"nothing, if it shall stay; else `pulumi state unprotect -s {failure.stack} '{resource.urn}'`, and again",
        )
    if _EXISTS.search(said):
        do = f"if it is the one that is wanted, `sophia adopt {failure.stack} --official` takes it over"
        return Problem(f"{title}: it is there already", said, "", f"{do}; or give this one another name")
    return Problem(
        f"{title}: it failed",
        said,
        "",
        f"what was done before is kept; correct the cause and run `sophia up {failure.stack}` again",
    )


def _of_violation(violation: PolicyViolation) -> Problem:
    whole = parse_parts(violation.message)
    if whole is not None:
        return whole
    where = f'{violation.resource.kind} "{violation.resource.name}"' if violation.resource else "the stack"
    return Problem(
        f"policy {violation.policy} does not allow {where}",
        violation.message.strip(),
        f"policy pack {violation.pack}",
        "change the setting that the policy names",
    )


def _of_engine(failure: Failure) -> SophiaError:
    said = engine_message(failure.stderr)
    stack = failure.stack
    if _LOCKED.search(failure.stderr):
        return LockedError(
            f'stack "{stack}" is locked by another run',
            said=failure.locked_by or said,
            setting=f"stack {stack} at {failure.backend}",
            do=f"wait for that run; if it was killed: `sophia cancel {stack}`, then run the command again",
            log=failure.log,
        )
    if _LOGIN.search(failure.stderr):
        return CredentialsError(
            f"Pulumi Cloud at {failure.backend} refused the credentials",
            said=said,
            setting="environment variable PULUMI_ACCESS_TOKEN",
            do="give a token of an account that may use this organisation, or unset it to use the sandbox",
            log=failure.log,
        )
    if _ENVIRONMENT.search(failure.stderr):
        return SettingsError(
            f'stack "{stack}": an ESC environment cannot be opened',
            said="\n".join(_PLACE.findall(failure.stderr)) or said,
            setting=f"{failure.settings_file}: environment",
            do="check the environment's name and contents: `pulumi env open` tells the place of the mistake",
            log=failure.log,
        )
    if _DOWN.search(failure.stderr):
        return UnreachableError(
            f"Pulumi Cloud at {failure.backend} does not answer",
            said=said,
            do="check the network; for the sandbox: `sophia sandbox status`",
            log=failure.log,
        )
    if _CONFIG.search(failure.stderr):
        return SettingsError(
            f'stack "{stack}": the settings cannot be read',
            said=said,
            setting=failure.settings_file,
            do="correct the file, then run the command again",
            log=failure.log,
        )
    if failure.code < 0:
        return RunFailed(
            f'stack "{stack}": the engine was killed',
            said=f"signal {-failure.code}",
            do=f"`sophia cancel {stack}` frees the stack; then `sophia up {stack}` takes over what the killed run had begun",
            log=failure.log,
        )
    return RunFailed(
        f'stack "{stack}": the engine failed',
        said=said or f"exit code {failure.code}",
        do="run it again with --debug for the engine's log",
        log=failure.log,
    )


def is_locked(stderr: str) -> bool:
    """Whether a command failed because another run holds the stack."""
    return bool(_LOCKED.search(stderr))


def holder(stack_text: str) -> str:
    """Who runs an update and since when, from what ``pulumi stack`` prints; "" if none runs."""
    started = re.search(r"Started: (.+)", stack_text)
    requested = re.search(r"Requested By: (.+)", stack_text)
    who = f"by {requested.group(1).strip()}" if requested else ""
    since = f"started {started.group(1).strip()}" if started else ""
    return ", ".join(("an update is in progress", *(part for part in (since, who) if part))) if who or since else ""


def engine_message(stderr: str) -> str:
    """The engine's own error lines, without its advice, its progress and its links."""
    lines = [line.strip() for line in plain(stderr).splitlines()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    chosen = errors or [line for line in lines if line and not line.startswith(("warning:", "Logging in"))][-3:]
    return "\n".join(chosen)


def _unpacked(text: str) -> str:
    return _ENGINE_PREFIX.sub("", text.strip(), count=1).strip()


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))
