"""The cloud's API spells members in camel case, as protobuf's JSON does."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from sandbox.http import Body


class Wire(Body):
    model_config = ConfigDict(alias_generator=to_camel)
