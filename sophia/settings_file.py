"""Adds to a platform's settings in ``Pulumi.<stack>.yaml``, which people write too: their comments and order stay.

The text is worked on with ruamel.yaml's round trip and read again before it is written: whatever would come out
otherwise than it was meant is refused, and the file stays as it was.
"""

from __future__ import annotations

import difflib
import io
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark, MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from sophia.errors import SettingsError

_PROJECT = "sophia-ai"
_CONFIG = "config"
_LINE = 110
"""The longest line, in characters, in which a small mapping or list is written as ``{…}`` or ``[…]``."""


def write(path: Path, platform: str, settings: Mapping[str, Any]) -> str:
    """Puts ``settings`` (plain data) into the platform's settings in the file; a unified diff, "" if nothing changes.

    Mappings are merged, so that what only the file has stays; every other value becomes what ``settings`` say.
    Raises SettingsError for a file that cannot be read, with the line, and for one that cannot be written.
    """
    return read(path).write(platform, settings)


def diff(path: Path, platform: str, settings: Mapping[str, Any]) -> str:
    """What ``write`` would change; nothing is written."""
    return read(path).diff(platform, settings)


def read(path: Path) -> SettingsFile:
    """The file as it is now. Raises SettingsError for one that is not there or is no valid stack file."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read", said=str(error), setting=path.name) from None
    file = SettingsFile(path, content, text.replace("\r\n", "\n"), "\r\n" if "\r\n" in text else "\n")
    file.document()
    return file


@dataclass(frozen=True)
class SettingsFile:
    """A stack file as it was read."""

    path: Path
    content: bytes
    text: str
    newline: str

    def settings(self, platform: str) -> dict[str, Any] | None:
        """The platform's settings as plain data; None if the file has none."""
        config = _plain(self.document().get(_CONFIG)) or {}
        found: dict[str, Any] | None = config.get(_key(platform))
        return found

    def document(self) -> CommentedMap:
        """The file, parsed anew. Raises SettingsError with the line of what is wrong."""
        try:
            document = _yaml(self.text).load(self.text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else None
            self._refuse(str(error.problem or error.context or "it is no YAML"), line)
        except YAMLError as error:
            self._refuse(str(error))
        if document is None:
            return CommentedMap()
        if not isinstance(document, CommentedMap):
            self._refuse("it is not a mapping", 1)
        config = document.get(_CONFIG)
        if config is not None and not isinstance(config, CommentedMap):
            self._refuse(f"{_CONFIG} is not a mapping", document.lc.key(_CONFIG)[0] + 1)
        return document

    def render(self, platform: str, settings: Mapping[str, Any]) -> str:
        """The text with these settings of the platform, and everything else as it is."""
        document, wanted = self.document(), {_CONFIG: {_key(platform): _plain(settings)}}
        if _merged(_plain(document), wanted) == _plain(document):
            return self.text
        meant = _merged(self._as_others_read(self.text), wanted)
        _put(document, platform, settings)
        stream = io.StringIO()
        _yaml(self.text).dump(document, stream)
        text = stream.getvalue()
        if self._as_others_read(text) != meant:
            raise SettingsError(
                f"{self.path.name} cannot be written without a loss",
                said="what was read again is not what was meant; anchors and aliases can be the cause",
                setting=f"{self.path.name}: {_key(platform)}",
                do="write out what the aliases stand for, then run the same command again",
            )
        return text

    def diff(self, platform: str, settings: Mapping[str, Any]) -> str:
        """What ``write`` would change, as a unified diff."""
        after = self.render(platform, settings).splitlines(keepends=True)
        before, name = self.text.splitlines(keepends=True), self.path.name
        return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))

    def write(self, platform: str, settings: Mapping[str, Any]) -> str:
        """Writes the file at once or not at all, and returns the diff. Raises SettingsError if it has changed since."""
        changes = self.diff(platform, settings)
        if changes:
            text = self.render(platform, settings).replace("\n", self.newline)
            try:
                self._replace(text.encode("utf-8"))
            except OSError as error:
                raise SettingsError(
                    f"{self.path.name} cannot be written", said=str(error), setting=self.path.name
                ) from None
        return changes

    def _replace(self, content: bytes) -> None:
        """A file beside it takes its place: whoever reads meanwhile, or after a crash, finds the one or the other."""
        target = self.path.resolve()
        mode = target.stat().st_mode & 0o7777
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if target.read_bytes() != self.content:
                raise SettingsError(
                    f"{self.path.name} has changed since it was read",
                    said="somebody else wrote it meanwhile; nothing was written",
                    setting=self.path.name,
                    do="run the same command again",
                )
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    def _as_others_read(self, text: str) -> Any:
        """By a parser that has nothing in common with the one that writes, and speaks YAML 1.1, where "yes" is true."""
        try:
            return yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            self._refuse(str(error))

    def _refuse(self, said: str, line: int | None = None) -> NoReturn:
        where = f"{self.path.name}:{line}" if line else self.path.name
        raise SettingsError(
            f"{self.path.name} is no valid stack file",
            said=said,
            setting=where,
            do=f"correct {where}; nothing was written",
        )


class _Representer(RoundTripRepresenter):
    """Writes nothing as ``null``, rather than as nothing."""

    def represent_none(self, data: None) -> ScalarNode:  # noqa: ARG002 - the base class's signature
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_Representer.add_representer(type(None), _Representer.represent_none)


def _key(platform: str) -> str:
    return f"{_PROJECT}:{platform}"


def _yaml(text: str) -> YAML:
    """A parser that writes as the text is written: lists indented under their keys, or not."""
    parser = YAML(typ="rt")
    parser.preserve_quotes = True
    parser.width = 4096
    parser.Representer = _Representer
    step = re.search(rf"^{_CONFIG}:.*\n(?:\s*(?:#.*)?\n)*( +)\S", text, re.MULTILINE)
    mapping = len(step.group(1)) if step else 2
    item = re.search(r"^( *)[^\s#-].*:[ ]*(?:#.*)?\n(?:\s*(?:#.*)?\n)*\1( *)- ", text, re.MULTILINE)
    offset = len(item.group(2)) if item else 2
    parser.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    return parser


def _put(document: CommentedMap, platform: str, settings: Mapping[str, Any]) -> None:
    """Sets the settings in place, so that what is said about them stays with them."""
    key = _key(platform)
    alone = not (document.get(_CONFIG) or {}).keys() - {key}
    new = key not in (document.get(_CONFIG) or {})
    _update(document, {_CONFIG: {key: settings}})
    if new and not alone:
        document[_CONFIG].yaml_set_comment_before_after_key(key, before="\n")


def _merged(known: Any, wanted: Any) -> Any:
    if isinstance(known, Mapping) and isinstance(wanted, Mapping):
        return {**known, **{key: _merged(known.get(key), value) for key, value in wanted.items()}}
    return wanted


def _update(known: CommentedMap, wanted: Mapping[str, Any]) -> None:
    tail = _take_tail(known)
    for key, value in wanted.items():
        present = known.get(key)
        if isinstance(present, CommentedMap) and present and isinstance(value, Mapping):
            _update(present, value)
        elif isinstance(present, CommentedSeq) and _starts_with(value, present):
            present.extend(_styled(item, in_list=True) for item in value[len(present) :])
        elif key not in known or _plain(present) != _plain(value):
            known[key] = _styled(value)
    _give_tail(known, tail)


def _starts_with(value: Any, known: CommentedSeq) -> bool:
    return isinstance(value, list) and 0 < len(known) <= len(value) and _plain(value[: len(known)]) == _plain(known)


def _take_tail(block: CommentedMap) -> str:
    """Takes the blank lines and comments behind a block, which are about what follows, from its last value.

    ruamel keeps them there, together with the comment on the value's own line, which stays.
    """
    token = _last_comment(block)
    if token is None or "\n" not in token.value:
        return ""
    own, _, tail = token.value.partition("\n")
    token.value = own + "\n"
    return str(tail)


def _give_tail(block: CommentedMap, tail: str) -> None:
    if not tail:
        return
    token = _last_comment(block)
    if token is not None:
        token.value += tail
        return
    node, last = _last_value(block)
    token = CommentToken("\n" + tail, CommentMark(0), None)
    node.ca.items[last] = [None, None, token, None] if isinstance(node, CommentedMap) else [token, None, None, None]


def _last_value(block: CommentedMap | CommentedSeq) -> tuple[CommentedMap | CommentedSeq, Any]:
    """The innermost mapping or list that a block ends with, as far as they are written on lines of their own, and the
    last key or index in it.
    """
    last = list(block)[-1] if isinstance(block, CommentedMap) else len(block) - 1
    value = block[last]
    if isinstance(value, (CommentedMap, CommentedSeq)) and value and not value.fa.flow_style():
        return _last_value(value)
    return block, last


def _last_comment(block: CommentedMap) -> Any:
    """ruamel's token behind the last value of a block; None if there is none."""
    if not block:
        return None
    node, last = _last_value(block)
    tokens = node.ca.items.get(last) or [None] * 4
    return tokens[2 if isinstance(node, CommentedMap) else 0]


def _styled(value: Any, *, in_list: bool = False) -> Any:
    """Data as a person would write it: what is small on one line, text in quotes that would be taken for something else."""
    if isinstance(value, Mapping):
        mapping = CommentedMap((key, _styled(item)) for key, item in value.items())
        if not value or ((in_list or len(value) == 1) and _is_small(value)):
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, (list, tuple)):
        sequence = CommentedSeq(_styled(item, in_list=True) for item in value)
        if _is_small(value):
            sequence.fa.set_flow_style()
        return sequence
    if isinstance(value, str) and yaml.safe_load(_as_document(value)) != value:
        return DoubleQuotedScalarString(value)
    return value


def _as_document(text: str) -> str:
    """A text that is safe to parse, to see whether YAML 1.1 (Pulumi's) takes the plain text for something else."""
    return text if re.fullmatch(r"[\w.:+/-]+", text, re.ASCII) else f"'{text.replace(chr(39), chr(39) * 2)}'"


def _is_small(value: Mapping[str, Any] | list[Any] | tuple[Any, ...]) -> bool:
    """Whether it fits on one line, without mappings and lists inside, except for lists of words."""
    items = list(value.values()) if isinstance(value, Mapping) else list(value)
    nested = any(isinstance(item, (Mapping, list, tuple)) for item in items)
    return not nested and len(str(value)) < _LINE and not any(isinstance(i, str) and "\n" in i for i in items)


def _plain(value: Any) -> Any:
    """Data without ruamel's types, for comparison; texts that are styled are texts."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for type_ in (str, int, float):
        if isinstance(value, type_):
            return type_(value)
    return value
