"""The program's side of a dynamic resource: named inputs in, typed outputs out."""

from __future__ import annotations

from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any, ClassVar

import pulumi
import pulumi.dynamic

from providers.base.kind import Kind
from providers.base.provider import Provider


class Resource(pulumi.dynamic.Resource):
    """A resource of a kind. Subclasses declare ``kind`` and annotate the outputs which the program uses.

    ``adopt=True`` takes over an object that exists already with the same natural key, instead of refusing to touch it.
    Secrets are secret in whatever way they were given. The module and the name of a subclass are part of every stack's
    state and must never change.
    """

    kind: ClassVar[Kind]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(module=cls.__module__.rpartition(".")[2], name=cls.__name__, **kwargs)

    def __init__(
        self, resource_name: str, opts: pulumi.ResourceOptions | None = None, /, *, adopt: bool = False, **inputs: Any
    ) -> None:
        known = self.kind.inputs.model_fields
        for key in inputs:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{type(self).__name__} has no input {key!r}{hint}")
        properties: dict[str, Any] = dict.fromkeys([*known, *(out.name for out in self.kind.outputs)])
        properties |= {key: value for key, value in inputs.items() if value is not None}
        for key in self.kind.write_only:
            if properties[key] is not None:
                properties[key] = pulumi.Output.secret(properties[key])
        if adopt:
            properties["adopt"] = True
        super().__init__(
            Provider(f"{type(self).__module__}:{type(self).__qualname__}"), resource_name, properties, opts
        )


_provider: ContextVar[pulumi.ProviderResource | None] = ContextVar("provider", default=None)


def dynamic(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """``opts`` for dynamic resources: on the one explicit provider that makes all of the program's.

    It is a process, in which each platform has a client and a limiter of its own. A process for each platform would be
    safe as well, and take a stack of them all two thirds more time and twice the memory (benchmarks/README.md). The default
    dynamic provider is never used: it would put the whole stack configuration into the state.
    """
    provider = _provider.get()
    if provider is None:
        provider = pulumi.ProviderResource("pulumi-python", "dynamic", {})
        _provider.set(provider)
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=provider))
