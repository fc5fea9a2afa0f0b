"""What the consumers of an environment make of its types: the engine's configuration, variables, files.

Source of the facts: the engine's own reading of an opened environment (pkg/workspace/config.go and
sdk/go/common/esc/environment.go of pulumi/pulumi): in ``pulumiConfig`` only a string keeps its mark as a secret; of
``environmentVariables`` and ``files`` only scalars are used, as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from esc.language import Evaluation, Number
from esc.language.diagnostics import join_key
from esc.language.terms import Literal
from esc.language.values import Value, scalar_text
from sophia.esc.evaluation import Evaluated, StackFile, part
from sophia.esc.findings import Finding, Severity, Spot, finding
from sophia.esc.leaves import written

CONFIGURATION = "pulumiConfig"
VARIABLES, FILES = "environmentVariables", "files"
_CONSUMED = (CONFIGURATION, VARIABLES, FILES, "policyConfig")


def lost_types(evaluated: Evaluated) -> Iterator[Finding]:
    """One finding a place."""
    told = set[tuple[str, int, str]]()
    for evaluation, stack in evaluated.pairs():
        for found in _Consumer(evaluated, stack).findings(evaluation):
            if (found.file, found.line, found.what) not in told:
                told.add((found.file, found.line, found.what))
                yield found


class _Consumer:
    def __init__(self, evaluated: Evaluated, stack: StackFile | None) -> None:
        self.evaluated = evaluated
        self.stack = stack

    def findings(self, evaluation: Evaluation) -> Iterator[Finding]:
        if evaluation.environment is None:
            return
        for name in evaluation.environment.value.keys:
            yield from self._misspelt(name, evaluation.environment.value.member(name))
        for name in (VARIABLES, FILES, CONFIGURATION):
            value = part(evaluation, name)
            if value is None:
                continue
            if not value.may_be_object:
                yield from self._found(value, name, f"{name} is no mapping", "it is ignored", "write NAME: value pairs")
            elif name == CONFIGURATION:
                yield from self._configuration(value, name)
            else:
                for key in value.keys:
                    member = value.member(key)
                    if member is not None:
                        yield from self._variable(name, key, member)

    def _misspelt(self, name: str, value: Value | None) -> Iterator[Finding]:
        near = get_close_matches(name, _CONSUMED, n=1, cutoff=0.8)
        if value is not None and near and name not in _CONSUMED:
            said = "nothing reads it: it is neither a variable nor a file nor configuration"
            yield from self._found(
                value, name, f"{name} is read by nobody", said, f"did you mean {near[0]}?", "warning"
            )

    def _variable(self, kind: str, name: str, value: Value) -> Iterator[Finding]:
        path, what = f"{kind}.{name}", f"{name} is no text"
        if isinstance(value.content, dict | list) or (value.unknown and value.schema.type in ("object", "array")):
            said = f"a mapping or a list under {kind} is left out without a word: the program does not see it"
            yield from self._found(value, path, what, said, "make a text of it with fn::toJSON")
        elif value.unknown or isinstance(value.content, str):
            return
        elif isinstance(value.content, Number) and (text := self._written(value)) not in (None, value.content.text):
            said = f"{text} is a number here, and arrives as {value.content}"
            yield from self._found(value, path, what, said, "put it in quotes")
        else:
            said = f'it arrives as the text "{scalar_text(value.content)}"'
            yield from self._found(value, path, what, said, "put it in quotes, so that it is what it says", "warning")

    def _written(self, value: Value) -> str | None:
        """The number as it stands in the file, where it was written as one."""
        term, place = value.definition.term, value.definition.place.range
        if not isinstance(term, Literal) or place is None:
            return None
        definition = self.evaluated.environments.definitions.get(place.environment.partition("@")[0])
        leaves = written(definition) if definition else ()
        return next((leaf.text for leaf in leaves if leaf.path == value.definition.place.path), None)

    def _configuration(self, value: Value, path: str) -> Iterator[Finding]:
        """The outermost secrets in it of which anything is no string."""
        if value.secret and _loses(value):
            said = "only strings stay secret in the engine's configuration: this arrives, and is stored, in plain text"
            do = "make a text of it, with fn::toJSON or fn::toString"
            yield from self._found(value, path, f"{path} loses its secrecy", said, do)
            return
        if value.secret and value.unknown and value.schema.always:
            said = "what comes of it is unknown here; a number, a boolean or a list would arrive in plain text"
            do = "make a text of it, and parse that in the program"
            yield from self._found(value, path, f"{path} may lose its secrecy", said, do, "warning")
        for member, inner in _members(value, path):
            yield from self._configuration(member, inner)

    def _found(
        self, value: Value, path: str, what: str, said: str, do: str, severity: Severity = "error"
    ) -> Iterator[Finding]:
        spot: Spot | None = self.evaluated.spot_of(value, f"values.{path}", self.stack)
        if spot is not None:
            yield finding("type", spot, what, said=said, do=do, severity=severity)


def _members(value: Value, path: str) -> Iterator[tuple[Value, str]]:
    if isinstance(value.content, list):
        for index, item in enumerate(value.content):
            yield item, f"{path}[{index}]"
    elif isinstance(value.content, dict):
        for key in value.keys:
            member = value.member(key)
            if member is not None:
                yield member, join_key(path, key)


def _loses(value: Value) -> bool:
    """Whether something in a secret value has no mark of its own that the engine keeps."""
    if value.unknown:
        return value.schema.type not in ("string", "")
    if isinstance(value.content, dict | list):
        members = [member for member, _ in _members(value, "")]
        # A mark on the whole is lost where nothing in it carries one, as after fn::split.
        marked = any(member.contains_secrets for member in members)
        return not marked or any(member.secret and _loses(member) for member in members)
    return not isinstance(value.content, str)
