"""The life of a dynamic resource, the same for every kind: check, diff, create, read, update, delete.

What the engine offers and the SDK hides is in ``providers/base/engine.py``.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any
from urllib.parse import quote, quote_plus

import pulumi.dynamic
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pydantic import ValidationError

from providers.base import process
from providers.base.api import Json
from providers.base.auth import Environment
from providers.base.birth import Birth
from providers.base.calls import KNOWN, at
from providers.base.engine import PROVIDER_KEY, Call, secret
from providers.base.errors import MAYBE_MADE, PlatformError, ProviderError, Trouble, explain
from providers.base.inputs import Inputs, fingerprint, has_unknown, leaves, project, same_secret
from providers.base.inventory import Inventory
from providers.base.kind import Kind
from providers.base.problems import problems
from providers.base.writing import Writing

ADOPT = "adopt"

UNFINISHED = "unfinished"
"""The output that names the inputs which a create that failed half-way has not set yet."""

_ODD = (KeyError, TypeError, AttributeError, ValueError)
"""What comes of reading an answer that is not shaped as the platform promised."""

REHEARSE = "SOPHIA_REHEARSE"
"""Set by ``sophia preview --rehearse``: whatever a platform can try without doing it is tried."""

_inventory = Inventory()
_log = logging.getLogger(__name__)


class Provider(pulumi.dynamic.ResourceProvider):
    """Serves the kind that ``reference`` names (``module:Class``).

    An instance is pickled into the state of every resource: this class's place and its one argument must never change.
    """

    serialize_as_secret_always = False

    def __init__(self, reference: str) -> None:
        super().__init__()
        self.reference = reference
        process.prepare()

    def __reduce__(self) -> tuple[type[Provider], tuple[str]]:
        # Without a dict: the SDK's way of sorting dicts costs one more frame of the stack for each resource before.
        return Provider, (self.reference,)

    @cached_property
    def kind(self) -> Kind:
        module, _, name = self.reference.partition(":")
        found: Kind = getattr(import_module(module), name).kind
        return found

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Every mistake at once, each on its property. Values not known yet pass."""
        given = _own(news)
        adopt = {ADOPT: True} if given.pop(ADOPT, False) else {}
        try:
            inputs = self.kind.inputs.model_validate(given)
        except ValidationError as error:
            failures = [CheckFailure(path, reason) for path, reason in problems(error, self.kind.write_only)]
            return CheckResult({**given, **adopt}, failures)
        if refused := list(self._refused_replacements(_olds, inputs)):
            return CheckResult({**inputs.state(), **adopt}, refused)
        if os.environ.get(REHEARSE) and self.kind.calls.rehearse:
            self._rehearse(Call(), inputs)
        return CheckResult({**inputs.state(), **adopt}, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compares what is known with what is wanted; no network. The engine itself fills in the property paths."""
        changed = self._changed(_olds, _news)
        replaces = [name for name in self.kind.immutable if name in changed]
        if not changed:
            return DiffResult(changes=False)
        # One that keeps its natural key would be found, and refused or taken for its own successor, if it still existed.
        in_the_way = not self.kind.calls.revive and not changed.intersection(self.kind.place)
        first = bool(replaces) and (self.kind.delete_before_replace or in_the_way)
        # Where the inputs are those of the state, the engine would find no difference in them by itself.
        unfinished = _without(Call().inputs("old_inputs"), ADOPT) == _without(_own(_news), ADOPT)
        return DiffResult(changes=unfinished or None, replaces=replaces, delete_before_replace=first)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Looks for the object by its natural key, then takes it over or makes it. Never a second one."""
        call = Call()
        inputs = self.kind.inputs.model_validate(_without(_own(props), ADOPT))
        with self._told(call, inputs):
            birth = Birth(self.kind, inputs, call.stack, _inventory, call.urn)
            with self._maybe_made(birth, call):
                id_, document = birth.bring_about(
                    adopt=call.adopted or bool(props.get(ADOPT)), interrupted=call.interrupted
                )
            writing = Writing(self.kind, call.stack)
            lasting = _only(inputs.state(), *self.kind.place, *self.kind.immutable)
            done = {**lasting, **self._given(document, {})}
            with self._kept(call, id_, inputs, done):
                pending = writing.pending(inputs, document, taken_over=birth.taken_over, as_it_is=birth.as_it_is)
                done |= {**_without(self._outputs(inputs, document, {}), *pending), UNFINISHED: sorted(pending)}
                if pending:
                    document = {**document, **writing.apply(id_, inputs, pending)}
                    _inventory.forget(self.kind, inputs, id_)
                del done[UNFINISHED]
                done |= self._outputs(inputs, document, {})
                document = writing.wait_until_ready(id_, inputs, document)
        return CreateResult(id_, self._outputs(inputs, document, {}))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The live object, cut to what we manage, as outputs and as inputs; a proven absence is told as gone.

        What the platform has no call to show is believed to be as it was made.
        """
        call = Call()
        known = call.inputs() or _own(props)
        adopt = {ADOPT: True} if known.pop(ADOPT, False) else {}
        inputs = self.kind.inputs.from_state(known)
        hidden = {name: secret(value) for name, value in _only(known, *self.kind.write_only).items()}
        if not (self.kind.calls.read or self.kind.calls.listing):
            return ReadResult(id_, {**_own(props), **self._given({}, props)}, {**known, **hidden, **adopt})
        with self._told(call, inputs, props):
            document = self._live(id_, inputs)
            if document is None:
                return ReadResult(None, {})
            shown = self.kind.shown(document)
            live = self.kind.inputs.from_wire(project(shown, inputs.wire()) if known else shown)
            live = {**_without(live, *self.kind.carried), **_only(known, *self._never_shown(shown))}
            outputs = {**live, **self._given(document, props), **_only(props, UNFINISHED, *hidden)}
            inputs_now = {**live, **hidden, **adopt}
            self._refuse_unready(call, id_, document, outputs, inputs_now)
        return ReadResult(id_, outputs, inputs_now)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Sends what changed."""
        call = Call()
        inputs = self.kind.inputs.model_validate(_without(_own(_news), ADOPT))
        with self._told(call, inputs, _olds):
            changed = self._changed(_olds, _news)
            writing = Writing(self.kind, call.stack)
            with self._kept(call, _id, inputs, {**_own(_olds), **self._given({}, _olds)}):
                document = writing.apply(_id, inputs, changed, _own(_olds))
                document = {**document, **writing.wait_until_ready(_id, inputs, {})}
            _inventory.forget(self.kind, inputs, _id)
        return UpdateResult(self._outputs(inputs, document, _olds))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Deletes the object; one that is gone already is done, and one that another resource took over stays."""
        call = Call()
        # The outputs have fingerprints of secrets; a key that the platform is asked with is in the inputs of the state.
        hidden = _only(call.inputs("old_inputs"), *self.kind.write_only)
        inputs = self.kind.inputs.from_state({**_without(_own(_props), ADOPT), **hidden})
        if self.kind.calls.delete is None or _inventory.lives_on(self.kind, _id):
            return
        with self._told(call, inputs, _props):
            try:
                self.kind.calls.delete.send(self.kind.api, {**inputs.state(), "id": _id, KNOWN: _own(_props)})
            except PlatformError as error:
                if error.trouble is not Trouble.NOT_FOUND:
                    raise
            _inventory.forget(self.kind, inputs, _id, gone=not self.kind.calls.revive)

    def _refused_replacements(self, olds: Mapping[str, Any], inputs: Inputs) -> Iterator[CheckFailure]:
        """What would put an empty object in the place of one with data. ``olds``: the inputs as the state has them."""
        if not (self.kind.irreplaceable and _own(olds)):
            return
        known, wanted = self.kind.inputs.from_state(_without(_own(olds), ADOPT)).state(), inputs.state()
        for name in self.kind.immutable:
            was, now = known.get(name), wanted.get(name)
            if was != now and not has_unknown([was, now]):
                yield CheckFailure(name, f"cannot become {now} where it is {was}: {self.kind.irreplaceable}")

    def _rehearse(self, call: Call, inputs: Inputs) -> None:
        """Has the platform try what is wanted, without doing it. Fails the check with what it says."""
        if has_unknown(inputs.state()):
            _log.warning("%s was not rehearsed: it needs values that are known after the run only", self._what(call))
            return
        with self._told(call, inputs):
            Writing(self.kind, call.stack).rehearse(inputs)

    def _changed(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> set[str]:
        """The inputs whose known value is not the wanted one. ``olds`` are the outputs of the state."""
        changed = {name for name in olds.get(UNFINISHED) or [] if name in self.kind.inputs.model_fields}
        wanted = self.kind.inputs.from_state(_without(_own(news), ADOPT)).state()
        known = self.kind.inputs.from_state(_without(_own(olds), *self.kind.write_only)).state()
        for name in set(self.kind.inputs.model_fields) - set(self.kind.carried):
            value = wanted.get(name)
            if name in self.kind.write_only:
                different = has_unknown(value) or not (
                    olds.get(name) is None if value is None else same_secret(value, olds.get(name))
                )
            else:
                different = has_unknown(value) or value != known.get(name)
            if different:
                changed.add(name)
        return changed

    def _live(self, id_: str, inputs: Inputs) -> Json | None:
        """The object as the platform shows it now: from the run's listing where there is one, else by a call of its own."""
        calls, values, container = self.kind.calls, {**inputs.state(), "id": id_}, self.kind.container(inputs)
        if calls.listing and (container or not self.kind.within):
            try:
                listed = _inventory.get(self.kind, inputs, id_)
            except PlatformError as error:
                if container and error.trouble is Trouble.NOT_FOUND:
                    return None  # with what it was in
                raise
            if listed is not None:
                return None if self.kind.hidden(listed) else listed
        if calls.read is None:
            return None
        try:
            document = calls.read.send(self.kind.api, values)
        except PlatformError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return None
            raise
        return None if self.kind.hidden(document) else document

    def _outputs(self, inputs: Inputs, document: Json, olds: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs as given, secrets as fingerprints, and what the platform gave."""
        outputs = inputs.state()
        for name in self.kind.write_only:
            if name in outputs:
                known = olds.get(name)
                outputs[name] = known if same_secret(outputs[name], known) else fingerprint(outputs[name])
        return {**outputs, **self._given(document, olds)}

    def _given(self, document: Json, olds: Mapping[str, Any]) -> dict[str, Any]:
        given = {}
        for out in self.kind.outputs:
            value = at(document, out.renewed) if out.renewed else None
            value = value or (olds.get(out.name) if out.once else None) or at(document, out.member)
            if value is None:
                value = olds.get(out.name)
            if value is not None:
                given[out.name] = secret(value) if out.secret or out.once else value
        return given

    def _never_shown(self, shown: Json) -> list[str]:
        """The inputs of which a live object tells nothing: what only spells others, and what cannot have changed."""
        silent = [name for name in self.kind.immutable if self.kind.inputs.wire_name(name) not in shown]
        return [*(name for name in self.kind.carried if name not in self.kind.write_only), *self.kind.unseen, *silent]

    def _refuse_unready(self, call: Call, id_: str, document: Json, outputs: Json, inputs: Json) -> None:
        """An object that never became ready stays an unfinished one, also when it is only read."""
        state = self.kind.slow.state(document) if self.kind.slow else True
        if state is not True:
            reason = state or f"the {self.kind.title} is not ready yet"
            call.fail_partially(id_, outputs, inputs, [str(reason)])

    @contextmanager
    def _kept(self, call: Call, id_: str, inputs: Inputs, outputs: Json) -> Iterator[None]:
        """What fails in here fails after the platform said yes: the object stays in the state, with these outputs."""
        try:
            yield
        except PlatformError as error:
            failure = error
        except _ODD as error:
            failure = PlatformError(Trouble.INVALID, f"the answer has a form that is not known: {error!r}")
        else:
            return
        told = str(explain(failure, *self._blamed(failure, call)))
        call.fail_partially(id_, outputs, inputs.state(), [self._redacted(told, inputs, outputs)])

    @contextmanager
    def _maybe_made(self, birth: Birth, call: Call) -> Iterator[None]:
        """What fails in here may have left an object behind: the error says so, to people and to ``sophia``."""
        try:
            yield
        except PlatformError as error:
            if not birth.maybe_made:
                raise
            told = explain(error, *self._blamed(error, call))
            told.do, told.outcome_unknown = MAYBE_MADE, True
            raise told from error
        except ProviderError as error:
            error.outcome_unknown = birth.maybe_made
            raise

    @contextmanager
    def _told(self, call: Call, inputs: Inputs, outputs: Mapping[str, Any] | None = None) -> Iterator[None]:
        """Errors as people read them: no traceback, no secret."""
        try:
            yield
        except PlatformError as error:
            message = str(explain(error, *self._blamed(error, call)))
        except ProviderError as error:
            error.what = error.what or f"{self._what(call)}: the platform did not do it"
            error.setting = error.setting or self._setting(call)
            message = str(error)
        else:
            return
        call.fail(self._redacted(message, inputs, outputs or {}))

    def _blamed(self, error: PlatformError, call: Call) -> tuple[str, str]:
        """What failed, and which setting is to blame: the platform's address or credentials, or the object's own.

        The first two say the same for every object, so that a person reads them once.
        """
        api = self.kind.api
        if error.trouble is Trouble.UNREACHABLE and isinstance(api.base_url, Environment):
            return f"{api.title}: no connection", f"{api.base_url.name}, which the stack's ESC environment sets"
        variables = error.variables or (self.kind.calls.create.auth or api.auth).variables
        if error.trouble is Trouble.CREDENTIALS and variables:
            where = f"{variables} in the ESC environment credentials-{call.stack_name}"
            return f"{api.title}: the credentials were not accepted", where
        return f"{self._what(call)}: the platform did not do it", self._setting(call, error.setting)

    def _what(self, call: Call) -> str:
        return f'{self.kind.api.title} {self.kind.title} "{call.name}"'

    def _setting(self, call: Call, within: str = "") -> str:
        """The resource's own place in the stack file, or one ``within`` the platform's settings that is known better."""
        own = [self.kind.setting, *([call.name] if call.name != self.kind.setting else [])] if self.kind.setting else []
        path = [self.kind.api.name, *([within] if within else own)]
        return f"Pulumi.{call.stack_name}.yaml: sophia-ai:{'.'.join(path)}"

    def _redacted(self, message: str, inputs: Inputs, outputs: Mapping[str, Any]) -> str:
        secrets = self.kind.credentials()
        for name in self.kind.write_only:
            secrets += leaves(getattr(inputs, name, None))
        for out in self.kind.outputs:
            secrets += leaves(outputs.get(out.name)) if out.secret or out.once else ()
        forms = {form for text in secrets if len(text) > 3 for form in _spellings(text)}
        for text in sorted(forms, key=len, reverse=True):
            message = message.replace(text, "[secret]")
        return message


def _own(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if key != PROVIDER_KEY and value is not None}


def _spellings(text: str) -> set[str]:
    """A secret as it stands in plain text, in JSON, in a list that was turned into text, and in an address."""
    return {text, json.dumps(text)[1:-1], repr(text)[1:-1], quote(text, safe=""), quote_plus(text)}


def _only(props: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: props[name] for name in names if name in props}


def _without(props: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in props.items() if key not in names}
