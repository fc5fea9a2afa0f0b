"""``sophia compliance``: what is enforced, what the state shows, what no code can prove."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, open_stack, stack_options

if TYPE_CHECKING:
    from rich.text import Text

    from sophia.compliance import Compliance, Control, Framework, Policy
    from sophia.stack import Stack

DIFFERENCES = 2
_MOST_NAMES = 3


@click.command(
    epilog="""\b
Examples:
  sophia compliance prod
  sophia compliance prod --framework soc2
  sophia compliance dev --json
"""
)
@stack_options
@click.option("--framework", help="One of soc2, gdpr, hipaa, pci-dss, glba, fdcpa; default: all.")
def compliance(
    stack: str, directory: Path | None, *, force_sandbox: bool, as_json: bool, debug: bool, framework: str | None
) -> int:
    """Reports control by control what is enforced in STACK, what its state shows, and what no code can prove.

    Reads the state and changes nothing; what was changed on the platforms by hand shows after a `sophia refresh`. Exits
    with 2 if the state violates a mandatory policy. A report is no audit: that each control holds is for people to judge.
    """
    del debug  # for the error report
    from sophia.compliance import check

    out = console(as_json=as_json)
    opened = open_stack(stack, directory, out, force_sandbox=force_sandbox)
    found = check(opened)
    frameworks = [found.framework(framework)] if framework else found.frameworks
    for line in _lines(found, frameworks):
        out.print(line, soft_wrap=not out.is_terminal)
    code = DIFFERENCES if found.violated else 0
    if as_json:
        _document(opened, found, frameworks, code)
    return code


def _lines(found: Compliance, frameworks: Sequence[Framework]) -> Iterator[Text]:
    from rich.text import Text

    for framework in frameworks:
        yield Text(framework.title, "bold")
        for control in framework.controls:
            yield from _control(control)
        yield Text(f"  beyond any code here: {framework.beyond}", "dim")
        yield Text()
    for policy in found.policies:
        for violation in policy.violations:
            style = "red" if policy.level == "mandatory" else "yellow"
            yield Text(f"policy {policy.name} ({policy.level}): {violation.problem.render()}", style)
    yield _total(found)


def _control(control: Control) -> Iterator[Text]:
    from rich.text import Text

    yield Text(f"  {control.id}", "bold").append(f"  {control.title}", "default")
    for policy in control.policies:
        violated = bool(policy.violations)
        sign, style = ("✗", "red") if violated else ("✓", "green") if policy.satisfied else ("·", "dim")
        yield Text(f"    {sign} ", style).append(f"{policy.name}: {_standing(policy)}", "default")
    yield Text(f"    ? not shown by code: {control.unproven}", "dim")


def _standing(policy: Policy) -> str:
    if not policy.asked:
        return "not asked of this stage"
    enforced = "enforced in every run" if policy.enforced else "warned of in every run"
    return f"{enforced if policy.in_runs else 'reported, not enforced'}, {_evidence(policy)}"


def _evidence(policy: Policy) -> str:
    violating = len({violation.urn for violation in policy.violations})
    count = len(policy.satisfied) + violating
    if not count:
        return "nothing in the state that it is about"
    names = ", ".join(policy.satisfied[:_MOST_NAMES])
    more = len(policy.satisfied) - _MOST_NAMES
    return f"{len(policy.satisfied)} of {count}" + (
        f" ({names}{f' and {more} more' if more > 0 else ''})" if names else ""
    )


def _total(found: Compliance) -> Text:
    from rich.text import Text

    violated = len(found.violated)
    verdict = f"{violated} mandatory policies are violated" if violated else "no mandatory policy is violated"
    text = f"{found.resources} resources, {len(found.policies)} policies: {verdict}"
    return Text(text, "red" if violated else "green")


def _document(stack: Stack, found: Compliance, frameworks: Sequence[Framework], code: int) -> None:
    from sophia.cli import document

    policies: list[dict[str, Any]] = [
        {
            "name": policy.name,
            "summary": policy.summary,
            "level": policy.level,
            "in_runs": policy.in_runs,
            "asked": policy.asked,
            "satisfied": list(policy.satisfied),
            "violations": [
                {
                    "urn": violation.urn,
                    "what": violation.problem.what,
                    "said": violation.problem.said,
                    "setting": violation.problem.setting,
                    "do": violation.problem.do,
                }
                for violation in policy.violations
            ],
        }
        for policy in found.policies
    ]
    told = [
        {
            "name": framework.name,
            "title": framework.title,
            "beyond": framework.beyond,
            "controls": [
                {
                    "id": control.id,
                    "title": control.title,
                    "unproven": control.unproven,
                    "policies": [policy.name for policy in control.policies],
                }
                for control in framework.controls
            ],
        }
        for framework in frameworks
    ]
    base = {**document.base("compliance", code), **document.of_stack(stack)}
    click.echo(document.dump({**base, "resources": found.resources, "policies": policies, "frameworks": told}))
