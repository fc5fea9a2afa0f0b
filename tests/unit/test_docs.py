"""What the documents tell people to type exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sophia.cli import sophia

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
PLACEHOLDERS = {"STACK": "dev", "STAGE": "dev", "N": "1", "DIGEST": "5f1c2d3e4a5b6c7d"}


def commands(text: str) -> Iterator[str]:
    """Each ``sophia …`` in a block of commands, or between backquotes."""
    yield from re.findall(r"`(sophia [^`]+)`", text.replace("\n", " "))
    for line in text.splitlines():
        if re.match(r"(    )?sophia ", line):
            yield line.partition("#")[0].strip()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_is_accepted(document: Path) -> None:
    found = [" ".join(PLACEHOLDERS.get(word, word) for word in line.split()) for line in commands(document.read_text())]
    assert found
    for line in found:
        accepted(shlex.split(line)[1:], line)


def accepted(words: list[str], line: str) -> None:
    command: click.Command = sophia
    while isinstance(command, click.Group) and words:
        if words == ["--help"]:
            return
        _, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None, line
        command = found
    if not (set(words) & {"--help", "…"} or isinstance(command, click.Group) or not words):
        command.make_context(line, words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_leads_to_is_there(document: Path) -> None:
    text = document.read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    files = re.findall(r"`((?:docs|esc|components|providers|sophia|tests|\.github)/[\w./-]+)`", text)
    for name in links:
        assert (document.parent / name).exists(), name
    for name in files:
        assert (REPOSITORY / name).exists() or "<" in name, name
