"""Shows a preview on a pull request: one comment per stack, which later runs write anew in its place.

    comment_preview.py STACK FILE            as a comment, and in the summary of the run
    comment_preview.py STACK FILE --summary  in the summary of the run only

FILE is what ``sophia preview STACK --json`` printed: a preview, or the problems why there is none. It holds no secrets, and
nothing is added here. What the settings say stands in fenced blocks, so that nobody is mentioned and nothing is a link.

Read from the environment: GITHUB_TOKEN, GITHUB_API_URL, GITHUB_REPOSITORY, PULL_REQUEST (its number), COMMIT;
GITHUB_STEP_SUMMARY, where it is set.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import httpx

LONGEST = 65_536
"""Characters of a comment's body, beyond which GitHub answers 422."""
_LONGEST_VALUE = 200
_TIMEOUT = 30.0
_SECTIONS = (
    ("delete", "destroys", "-"),
    ("replace", "replaces", "!"),
    ("update", "updates", "!"),
    ("create", "creates", "+"),
)
_CUT = "# … and {count} more lines: `sophia preview {stack}` shows all of them"

Document = Mapping[str, Any]


def markdown(stack: str, document: Document, commit: str = "", longest: int = LONGEST) -> str:
    """The comment's body, of at most ``longest`` characters: what is destroyed stands first, and is cut last."""
    head = f"{marker(stack)}\n### Preview of `{stack}`: {_outcome(document)}\n"
    foot = f"\nof commit {commit[:12]}\n" if commit else "\n"
    lines = list(_lines(document))
    if not lines:
        return head + foot
    fence = _fence(lines)
    room = longest - len(head) - len(foot) - 2 * len(fence) - len("\ndiff\n\n")
    return f"{head}\n{fence}diff\n{_fitting(lines, room, stack)}\n{fence}{foot}"


def marker(stack: str) -> str:
    """What the comment of a stack is found by; GitHub does not show it."""
    return f"<!-- sophia preview of {stack} -->"


def _outcome(document: Document) -> str:
    if document.get("problems"):
        return "failed"
    counts = document["counts"]
    words = [("destroys", "deleted"), ("replaces", "replaced"), ("updates", "updated"), ("creates", "created")]
    changed = [f"{word} {counts[name]}" for word, name in words if counts[name]]
    return " · ".join([*(changed or ["no changes"]), f"unchanged {counts['unchanged']}"])


def _lines(document: Document) -> Iterator[str]:
    for problem in document.get("problems") or ():
        yield f"- {_line(problem['what'])}"
        for label in ("said", "setting", "do"):
            yield from (f"    {label:<8} {line}" for line in str(problem[label]).splitlines())
    for violation in document.get("policy_violations") or ():
        name = violation["urn"].rpartition("::")[2] if violation["urn"] else ""
        sign = "-" if violation["enforcement"] == "mandatory" else "!"
        yield f"{sign} policy {violation['policy']} {name}: {_line(violation['message'])}"
    for operation, title, sign in _SECTIONS:
        changes = [change for change in document.get("changes") or () if change["operation"] == operation]
        if changes:
            yield f"# {title} {len(changes)}"
        for change in sorted(changes, key=lambda c: (c["platform"], c["kind"], c["name"])):
            yield f"{sign} {_line(' '.join(filter(None, (change['platform'], change['kind'], change['name']))))}"
            for changed in change["properties"]:
                forced = "  (forces the replacement)" if changed["forces_replacement"] else ""
                yield f"      {_line(changed['path'])}: {_value(changed['old'])} -> {_value(changed['new'])}{forced}"
    yield from (f"! warning: {_line(warning)}" for warning in document.get("warnings") or ())


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    masked = isinstance(value, str) and value.startswith(("[secret]", "(known"))
    text = value if masked else json.dumps(value, ensure_ascii=False)
    return _line(text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…")


def _line(text: str) -> str:
    return " ".join(str(text).split())


def _fence(lines: list[str]) -> str:
    """Longer than anything inside that could end the block."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    return "`" * max(3, longest + 1)


def _fitting(lines: list[str], room: int, stack: str) -> str:
    text = "\n".join(lines)
    if len(text) <= room:
        return text
    room -= len(_CUT.format(count=len(lines), stack=stack)) + 1
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, _CUT.format(count=len(lines) - len(kept), stack=stack)])


def publish(client: httpx.Client, repository: str, pull_request: str, stack: str, body: str) -> str:
    """Writes the comment of this stack, or writes it anew; its address. Raises httpx.HTTPError if GitHub refuses."""
    found = _existing(client, f"/repos/{repository}/issues/{pull_request}/comments?per_page=100", marker(stack))
    if found is None:
        answer = client.post(f"/repos/{repository}/issues/{pull_request}/comments", json={"body": body})
    else:
        answer = client.patch(f"/repos/{repository}/issues/comments/{found}", json={"body": body})
    answer.raise_for_status()
    return str(answer.json().get("html_url", ""))


def _existing(client: httpx.Client, page: str | None, mark: str) -> int | None:
    """The number of the comment that a run of this script wrote: a person's that begins alike is left alone."""
    while page is not None:
        answer = client.get(page)
        answer.raise_for_status()
        for comment in answer.json():
            if comment["user"]["type"] == "Bot" and (comment["body"] or "").startswith(mark):
                return int(comment["id"])
        page = answer.links.get("next", {}).get("url")
    return None


@click.command()
@click.argument("stack")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--summary", "only_summary", is_flag=True, help="In the summary of the run only.")
def main(stack: str, file: Path, *, only_summary: bool) -> None:
    """Shows the preview of STACK that is in FILE."""
    body = markdown(stack, _read(file), os.environ.get("COMMIT", ""))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(body)
    if only_summary:
        return
    with httpx.Client(
        base_url=os.environ.get("GITHUB_API_URL", "https://api.github.com"),
        headers={"Authorization": f"Bearer {_setting('GITHUB_TOKEN')}", "Accept": "application/vnd.github+json"},
        timeout=_TIMEOUT,
    ) as client:
        try:
            address = publish(client, _setting("GITHUB_REPOSITORY"), _setting("PULL_REQUEST"), stack, body)
        except httpx.HTTPStatusError as error:
            raise click.ClickException(f"GitHub refused the comment: {error.response.text[:500]}") from error
        except httpx.HTTPError as error:
            raise click.ClickException(f"GitHub does not answer: {error}") from error
    click.echo(f"comment   {address}")


def _read(file: Path) -> Document:
    """The document; a problem in its stead where the command died before it could print one."""
    try:
        document: Document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        what = "the preview ended without an answer"
        return {"problems": [{"what": what, "said": "", "setting": "", "do": "read the log of its step"}]}
    return document


def _setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise click.ClickException(f"the environment variable {name} is not set")
    return value


if __name__ == "__main__":
    main()
