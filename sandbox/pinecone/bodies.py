"""What the control plane takes: the bodies of requests about indexes, and the models and regions that there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from sandbox.http import Body

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
POD_SIZES = ("x1", "x2", "x4", "x8")
REGIONS = {
    ("aws", "us-east-1"),
    ("aws", "us-west-2"),
    ("aws", "eu-west-1"),
    ("aws", "eu-central-1"),
    ("aws", "ap-southeast-1"),
    ("gcp", "us-central1"),
    ("gcp", "europe-west4"),
    ("azure", "eastus2"),
    ("azure", "germanywestcentral"),
}
_TAG_KEY = re.compile(r"[\w-]{1,80}", re.ASCII)
_TAG_VALUE = re.compile(r"[\w;@.+ -]{0,120}", re.ASCII)

Metric = Literal["cosine", "euclidean", "dotproduct"]
Protection = Literal["enabled", "disabled"]


@dataclass(frozen=True)
class Model:
    """An embedding model of Pinecone's: its vectors, and by which metrics they compare; the first is the default."""

    vector_type: str
    metrics: tuple[str, ...]
    dimensions: tuple[int, ...] = ()


MODELS = {
    "llama-text-embed-v2": Model("dense", ("cosine", "dotproduct"), (1024, 384, 512, 768, 2048)),
    "multilingual-e5-large": Model("dense", ("cosine", "euclidean"), (1024,)),
    "pinecone-sparse-english-v0": Model("sparse", ("dotproduct",)),
}


def check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise PydanticCustomError(
            "name",
            "Name must consist only of lower case alphanumeric characters or '-', and must start and end with an "
            "alphanumeric character.",
        )
    return name


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key):
            raise PydanticCustomError("tag", "tag keys must be 1 to 80 characters of alphanumeric, '_', or '-'")
        if not _TAG_VALUE.fullmatch(value):
            raise PydanticCustomError(
                "tag", "tag values must be up to 120 characters of alphanumeric, ';', '@', '_', '-', '.', '+', or ' '"
            )
    return tags


class Manual(Body):
    replicas: int = Field(ge=0)
    shards: int = Field(ge=1)


class Dedicated(Body):
    node_type: Literal["b1", "t1"]
    scaling: Literal["Manual"]
    manual: Manual


class ReadCapacity(Body):
    mode: Literal["OnDemand", "Dedicated"]
    dedicated: Dedicated | None = None


class FieldOfSchema(Body):
    filterable: Literal[True]


class Schema(Body):
    fields: dict[str, FieldOfSchema]


class Serverless(Body):
    cloud: str
    region: str
    read_capacity: ReadCapacity | None = None
    source_collection: str | None = None
    schema_: Schema | None = Field(None, alias="schema")


class MetadataConfig(Body):
    indexed: list[str] | None = None


class Pod(Body):
    environment: str
    pod_type: str = Field(pattern=r"^(s1|p1|p2)\.x[1248]$")
    replicas: int = Field(1, ge=1)
    shards: int = Field(1, ge=1)
    pods: int = Field(1, ge=1)
    metadata_config: MetadataConfig | None = None
    source_collection: str | None = None


class Spec(Body):
    """Exactly one of them. Pinecone's third, in the customer's own cloud, is not imitated."""

    serverless: Serverless | None = None
    pod: Pod | None = None


class _Named(Body):
    name: str = Field(min_length=1, max_length=45)
    deletion_protection: Protection = "disabled"
    tags: dict[str, str] = Field(default_factory=dict)

    _name = field_validator("name")(check_name)
    _tags = field_validator("tags")(check_tags)


class IndexCreate(_Named):
    dimension: int | None = Field(None, ge=1, le=20_000)
    metric: Metric | None = None
    vector_type: Literal["dense", "sparse"] = "dense"
    spec: Spec


class Embed(Body):
    model: str
    field_map: dict[str, Any]
    metric: Metric | None = None
    dimension: int | None = None
    read_parameters: dict[str, Any] | None = None
    write_parameters: dict[str, Any] | None = None


class IndexForModel(_Named):
    cloud: str
    region: str
    embed: Embed
    schema_: Schema | None = Field(None, alias="schema")
    read_capacity: ReadCapacity | None = None


class IndexFromBackup(_Named):
    pass


class ServerlessUpdate(Body):
    read_capacity: ReadCapacity | None = None


class PodUpdate(Body):
    replicas: int | None = Field(None, ge=1)
    pod_type: str | None = Field(None, pattern=r"^(s1|p1|p2)\.x[1248]$")


class SpecUpdate(Body):
    serverless: ServerlessUpdate | None = None
    pod: PodUpdate | None = None


class EmbedUpdate(Body):
    model: str | None = None
    field_map: dict[str, Any] | None = None
    read_parameters: dict[str, Any] | None = None
    write_parameters: dict[str, Any] | None = None


class IndexUpdate(Body):
    spec: SpecUpdate | None = None
    deletion_protection: Protection | None = None
    tags: dict[str, str] | None = None
    embed: EmbedUpdate | None = None

    _tags = field_validator("tags")(lambda tags: check_tags(tags) if tags else tags)
