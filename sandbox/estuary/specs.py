"""The shape of catalog specifications: the members that they have, and the ones that they must have.

After estuary/flow, crates/models. Estuary reads a specification member by member and stops at the first that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

_DURATION = r"^\d+(s|m|h|d)$"
_NAME = re.compile(r"(?:[^\W_]|[-_.])+(?:/(?:[^\W_]|[-_.])+)*")
_TOKEN = re.compile(r"(?:[^\W_]|[-_.])+")
_FIELD = re.compile(r"([^/~]|(~[01]))+(/([^/~]|(~[01]))+)*")
_POINTER = re.compile(r"(/([^/~]|(~[01]))+)*")


def _matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text} is not a valid {what}")
        return text

    return AfterValidator(check)


def _inline(text: str) -> str:
    if " " not in text:
        raise ValueError(f"{text} is a relative location, which cannot be resolved here: give the text itself")
    return text


Name = Annotated[str, _matching(_NAME, "catalog name")]
FieldName = Annotated[str, _matching(_FIELD, "field")]
Pointer = Annotated[str, _matching(_POINTER, "JSON pointer")]
Text = Annotated[str, AfterValidator(_inline)]
Duration = Annotated[str, Field(pattern=_DURATION)]
Count = Annotated[int, Field(ge=0)]
Schema = dict[str, Any] | bool
Depth = bool | Count
Incompatible = Literal["abort", "backfill", "disableBinding", "disableTask"]


_MAY_BE_NULL = {
    *("interval", "maxTxnDuration", "minTxnDuration", "readDelay", "timeout", "flushInterval", "retention"),
    *("notAfter", "notBefore", "targetNaming", "triggers", "resource", "lambda", "documents"),
}


class _Spec(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _left_out_rather_than_null(cls, value: Any) -> Any:
        null = [name for name, member in value.items() if member is None] if isinstance(value, dict) else []
        for name in null:
            if name not in _MAY_BE_NULL:
                raise ValueError(f"invalid type: null, for `{name}`")
        return value


class _Open(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)


class Shards(_Spec):
    disable: bool = False
    flags: dict[Annotated[str, _matching(_TOKEN, "flag")], str] = Field(default_factory=dict)
    hot_standbys: Count = 0
    log_level: str = ""
    max_txn_duration: Duration | None = None
    min_txn_duration: Duration | None = None
    read_channel_size: Count = 0
    ring_buffer_size: Count = 0


class ConnectorConfig(_Open):
    image: str
    config: Any = Field(...)


class Endpoint(_Spec):
    """Estuary's own kinds of endpoints are connectors; what runs on a developer's machine cannot be published."""

    connector: ConnectorConfig


class CaptureBinding(_Spec):
    backfill: Count = 0
    disable: bool = False
    resource: Any = Field(...)
    target: Name


class AutoDiscover(_Spec):
    add_new_bindings: bool = False
    evolve_incompatible_collections: bool = False


class _Model(_Spec):
    delete: bool = False
    expect_pub_id: str = ""


class Capture(_Model):
    auto_discover: AutoDiscover | None = None
    bindings: list[CaptureBinding]
    endpoint: Endpoint
    interval: Duration | None = None
    redact_salt: str = ""
    reset: bool = False
    shards: Shards = Shards()


class Partitions(_Spec):
    include: dict[str, list[Any]] = Field(default_factory=dict)
    exclude: dict[str, list[Any]] = Field(default_factory=dict)


class FullSource(_Spec):
    name: Name
    not_after: str | None = None
    not_before: str | None = None
    partitions: Partitions = Partitions()


Source = FullSource | Name


class Fields(_Spec):
    recommended: Depth
    exclude: list[FieldName] = Field(default_factory=list)
    group_by: list[FieldName] = Field(default_factory=list)
    require: dict[FieldName, Any] = Field(default_factory=dict)


class MaterializationBinding(_Spec):
    backfill: Count = 0
    disable: bool = False
    fields_: Fields | None = Field(None, alias="fields")
    on_incompatible_schema_change: Incompatible = "backfill"
    priority: Count = 0
    resource: Any = Field(...)
    source: Source


class SourceDef(_Spec):
    capture: Name
    delta_updates: bool = False
    fields_recommended: Depth = True
    target_naming: Literal["noSchema", "withSchema", "prefixSchema", "prefixNonDefaultSchema"] = "noSchema"


class TargetNaming(_Open):
    strategy: Literal["matchSourceStructure", "singleSchema", "prefixTableNames"]
    schema_: str | None = Field(None, alias="schema")
    schema_template: str | None = None
    table_template: str | None = None
    skip_common_defaults: bool = False

    @model_validator(mode="after")
    def _schema_where_it_is_needed(self) -> TargetNaming:
        if self.strategy != "matchSourceStructure" and self.schema_ is None:
            raise ValueError("missing field `schema`")
        return self


class Trigger(_Spec):
    url: str
    payload_template: str
    headers: dict[str, str] = Field(default_factory=dict)
    max_attempts: Count = 3
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    timeout: Duration | None = None


class Triggers(_Spec):
    config: list[Trigger]


class Materialization(_Model):
    bindings: list[MaterializationBinding]
    endpoint: Endpoint
    on_incompatible_schema_change: Incompatible = "backfill"
    reset: bool = False
    shards: Shards = Shards()
    source: SourceDef | Name | None = None
    target_naming: TargetNaming | None = None
    triggers: Triggers | None = None


class Projection(_Spec):
    location: Pointer
    partition: bool = False


class Fragments(_Spec):
    compression_codec: Literal["NONE", "GZIP", "ZSTANDARD", "SNAPPY", "GZIP_OFFLOAD_DECOMPRESSION"] = "NONE"
    flush_interval: Duration | None = None
    length: Annotated[int, Field(ge=32, le=4096)] = 512
    retention: Duration | None = None


class Journals(_Spec):
    fragments: Fragments


class Sqlite(_Spec):
    migrations: list[Text] = Field(default_factory=list)


class Typescript(_Spec):
    module: Text


class Python(_Spec):
    module: Text
    dependencies: dict[str, str] = Field(default_factory=dict)


class Using(_Spec):
    sqlite: Sqlite | None = None
    typescript: Typescript | None = None
    python: Python | None = None
    connector: ConnectorConfig | None = None

    @model_validator(mode="after")
    def _one(self) -> Using:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected exactly one of `connector`, `sqlite`, `typescript`, `python`")
        return self


class ShuffleKey(_Spec):
    key: list[Pointer]


class ShuffleLambda(_Spec):
    lambda_: Any = Field(..., alias="lambda")


class Transform(_Spec):
    name: Annotated[str, _matching(_TOKEN, "transform name")]
    source: Source
    shuffle: Literal["any"] | ShuffleKey | ShuffleLambda
    lambda_: Any = Field(None, alias="lambda")
    backfill: Count = 0
    disable: bool = False
    priority: Count = 0
    read_delay: Duration | None = None


class Derivation(_Spec):
    using: Using
    transforms: list[Transform]
    redact_salt: str = ""
    shards: Shards = Shards()
    shuffle_key_types: list[Literal["boolean", "integer", "string"]] = Field(default_factory=list)


class Collection(_Model):
    key: list[str]
    derive: Derivation | None = None
    journals: Journals | None = None
    projections: dict[FieldName, Pointer | Projection] = Field(default_factory=dict)
    read_schema: Schema | None = None
    reset: bool = False
    schema_: Schema | None = Field(None, alias="schema")
    write_schema: Schema | None = None


class Step(_Spec):
    class Ingest(_Spec):
        collection: Name
        documents: Any = Field(...)

    class Verify(_Spec):
        collection: Source
        documents: Any = Field(...)

    ingest: Ingest | None = None
    verify: Verify | None = None

    @model_validator(mode="after")
    def _one(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected exactly one of `ingest` or `verify`")
        return self


class Test(_Model):
    steps: list[Step]


Spec = Capture | Collection | Materialization | Test
MODELS: Mapping[str, type[Spec]] = {
    "capture": Capture,
    "collection": Collection,
    "materialization": Materialization,
    "test": Test,
}


def parsed(kind: str, document: Any) -> Spec | str:
    """The specification, or the first thing that is wrong with it."""
    try:
        return MODELS[kind].model_validate(document)
    except ValidationError as error:
        return _said(kind, error)


def source_name(source: Source) -> str:
    return source if isinstance(source, str) else source.name


def reads(spec: Spec) -> Iterator[tuple[str, str, bool]]:
    """What a specification reads: where in it that is said, which collection, and whether it is switched off."""
    if isinstance(spec, Materialization):
        for index, binding in enumerate(spec.bindings):
            yield f"/bindings/{index}", source_name(binding.source), binding.disable
    elif isinstance(spec, Collection) and spec.derive is not None:
        for index, transform in enumerate(spec.derive.transforms):
            yield f"/derive/transforms/{index}", source_name(transform.source), transform.disable
    elif isinstance(spec, Test):
        for index, step in enumerate(spec.steps):
            if step.verify is not None:
                yield f"/steps/{index}/verify", source_name(step.verify.collection), False


def writes(spec: Spec) -> Iterator[tuple[str, str, bool]]:
    """What a specification writes, in the same way."""
    if isinstance(spec, Capture):
        for index, binding in enumerate(spec.bindings):
            yield f"/bindings/{index}", binding.target, binding.disable
    elif isinstance(spec, Test):
        for index, step in enumerate(spec.steps):
            if step.ingest is not None:
                yield f"/steps/{index}/ingest", step.ingest.collection, False


def image_of(spec: Spec) -> str | None:
    """The connector's image, with its tag."""
    if isinstance(spec, Capture | Materialization):
        return spec.endpoint.connector.image
    if isinstance(spec, Collection) and spec.derive is not None and spec.derive.using.connector is not None:
        return spec.derive.using.connector.image
    return None


def is_disabled(document: Mapping[str, Any] | None) -> bool:
    """Whether a live specification's shards are switched off."""
    document = document or {}
    shards = document.get("shards") or (document.get("derive") or {}).get("shards") or {}
    return bool(shards.get("disable"))


def _said(kind: str, error: ValidationError) -> str:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    name = f"`{first['loc'][-1]}`" if first["loc"] else kind
    words = {
        "extra_forbidden": f"unknown field {name}",
        "missing": f"missing field {name}",
        "value_error": first["msg"].removeprefix("Value error, "),
    }
    return f"parsing {kind} spec: {path}: {words.get(first['type'], first['msg'])}"
