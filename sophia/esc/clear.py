"""Secrets in clear: in the text of the environments and of the stack files, and in what the definitions make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from esc.language.document import MappingNode, ScalarNode
from sophia.esc import leaks
from sophia.esc.evaluation import Evaluated, part
from sophia.esc.files import CREDENTIALS, Definition
from sophia.esc.findings import Finding, Spot, finding
from sophia.esc.leaves import Leaf, configured, nodes, worked_out, written
from sophia.esc.types import VARIABLES

_SECRET = "fn::secret"  # noqa: S105 - the name of a function
_ENCRYPTED = "secure"
"""The key under which a stack file has a value that Pulumi has encrypted."""


def secrets_in_clear(evaluated: Evaluated, texts: Mapping[str, str]) -> Iterator[Finding]:
    """One finding a line and file at most. ``texts`` are the files as they are, by the name that people know."""
    told = set[tuple[str, int]]()
    for found in _all(evaluated, texts):
        if (found.file, found.line) not in told:
            told.add((found.file, found.line))
            yield found


def _all(evaluated: Evaluated, texts: Mapping[str, str]) -> Iterator[Finding]:
    definitions = evaluated.environments.definitions.values()
    for definition in definitions:
        yield from _functions(definition)
    for file, text in texts.items():
        yield from _shapes(file, text)
    yield from _results(evaluated)
    for definition in definitions:
        for leaf in written(definition):
            if "ciphertext" not in leaf.path:
                yield from _drawn(leaf)
    for stack in evaluated.stacks:
        for leaf in configured(stack):
            if not (leaf.path.endswith(f".{_ENCRYPTED}") or leaf.path == "encryptionsalt"):
                yield from _named(leaf)
                yield from _drawn(leaf)


def _functions(definition: Definition) -> Iterator[Finding]:
    """``fn::secret`` encrypts when Pulumi Cloud stores it: in git its argument is in clear."""
    file = definition.shown
    for node, path, _ in nodes(definition):
        if not isinstance(node, MappingNode) or [entry.name for entry in node.entries] != [_SECRET]:
            continue
        entry = node.entries[0]
        spot = Spot(file, entry.key.range.begin.line, path)
        if isinstance(entry.value, MappingNode):
            yield finding(
                "secret",
                spot,
                f"{file} has an encrypted secret in git",
                said="only the Pulumi Cloud organisation that encrypted it can read it",
                do=f"set it in {CREDENTIALS}<stage> instead, and take it out of git",
                severity="warning",
            )
        elif isinstance(entry.value, ScalarNode):
            yield _leak(spot, "the argument of fn::secret is encrypted by Pulumi Cloud only: in git it is in clear")


def _shapes(file: str, text: str) -> Iterator[Finding]:
    """Line by line, comments too: what is in a comment is in git as well."""
    for number, line in enumerate(text.splitlines(), start=1):
        found = leaks.shape(line)
        if found:
            yield _leak(Spot(file, number), f"the line contains what looks like {found}")


def _results(evaluated: Evaluated) -> Iterator[Finding]:
    """A token that is joined from pieces is a token all the same."""
    for leaf in worked_out(evaluated):
        if leaf.secret:
            continue
        # Of a text on several lines the one with the credential is told already.
        found = leaks.shape(leaf.text) if leaf.derived or "\n" not in leaf.text else None
        if found:
            yield _leak(leaf.spot, f"its value is what looks like {found}")
        else:
            yield from _named(leaf)


def _drawn(leaf: Leaf) -> Iterator[Finding]:
    if leaf.string and leaks.looks_drawn(leaf.path, leaf.text):
        yield _leak(leaf.spot, "its value looks like a key that was drawn by lot")


def _named(leaf: Leaf) -> Iterator[Finding]:
    if leaks.promises_secret(leaf.name, leaf.text):
        yield _leak(leaf.spot, f"{leaf.name} has a plain value, and its name says that it is a secret")


def _leak(spot: Spot, said: str) -> Finding:
    set_it = f"set it in {CREDENTIALS}<stage> in Pulumi Cloud"
    if spot.file.startswith("Pulumi."):
        set_it = f"name a variable instead (`environment: NAME`), {set_it}"
    do = f"{set_it}, and replace the secret: whoever can read git has it"
    return finding("secret", spot, f"{spot.file} has a secret in clear", said=said, do=do)


def listed_in_clear(evaluated: Evaluated) -> Iterator[Finding]:
    """Variables that git sets to a plain value although the list says that they are in ``credentials-<stage>``."""
    environments, told = evaluated.environments, set[tuple[str, int]]()
    for evaluation, stack in evaluated.pairs():
        variables = part(evaluation, VARIABLES)
        for name in variables.keys if variables else ():
            listed, value = environments.credentials.get(name), variables.member(name) if variables else None
            if listed is None or value is None or value.secret or value.unknown:
                continue
            text = str(value.content)
            if leaks.shape(text) or leaks.promises_secret(name, text):
                continue  # told as a secret in clear
            spot = evaluated.spot_of(value, f"values.{VARIABLES}.{name}", stack)
            if spot is None or (spot.file, spot.line) in told:
                continue
            told.add((spot.file, spot.line))
            yield finding(
                "credential",
                spot,
                f"{name} is set in git, and listed as a credential",
                said=f"{environments.required_file}:{listed.line} asks for it in {CREDENTIALS}<stage>",
                do="take it out of one of the two",
                severity="warning",
            )
