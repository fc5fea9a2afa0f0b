"""What ``fn::open`` and ``fn::rotate`` call, and where imported definitions come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from esc.language.schema import Schema

Decrypter = Callable[[bytes], bytes]
"""Turns the encrypted bytes of a stored secret into its plaintext. Raises ValueError with what went wrong."""


class LoadError(Exception):
    """An environment that cannot be imported; the text is shown at the import."""


class ProviderError(Exception):
    """A provider that could not do its work; the text is shown at the call."""


@dataclass(frozen=True)
class Source:
    """The text of an imported environment, and what decrypts its secrets."""

    text: str
    decrypt: Decrypter | None = None


Loader = Callable[[str], Source]
"""Gives the definition of an imported environment by its name as written in the import: ``project/env`` or
``project/env@version``. Raises LoadError if there is no such environment."""


class Provider(Protocol):
    """Answers ``fn::open``. Numbers in plain data are ``Number``, secrets are wrapped in ``Secret``."""

    inputs: Schema
    outputs: Schema

    def open(self, inputs: dict[str, Any]) -> Any:
        """The values for these inputs. Raises ProviderError."""


@dataclass(frozen=True)
class Patch:
    """A new state that a rotation made, and the path in the document where it is to be stored."""

    path: str
    state: dict[str, Any]


class Rotator(Protocol):
    """Answers ``fn::rotate``: opens the stored state, and on a rotation makes a new state."""

    inputs: Schema
    state: Schema
    outputs: Schema

    def open(self, inputs: dict[str, Any], state: dict[str, Any] | None) -> Any:
        """The values for this state. Raises ProviderError."""

    def rotate(self, inputs: dict[str, Any], state: dict[str, Any] | None) -> dict[str, Any]:
        """The next state. Raises ProviderError."""
