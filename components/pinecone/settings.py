"""What the stack file says about Pinecone (``sophia-ai:pinecone``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name

IndexName = Annotated[
    str,
    matching(
        r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?",
        "must be up to 45 lower-case letters, digits and hyphens, and neither begin nor end with a hyphen",
    ),
]
Dimension = Annotated[int, Field(ge=1, le=20_000)]
Metric = Literal["cosine", "dotproduct", "euclidean"]
PodType = Annotated[str, matching(r"(s1|p1|p2)\.x[1248]", "must be s1, p1 or p2 and a size, such as p1.x1")]

_OWNER_TAG = "managed_by"
_TAG = re.compile(r"[\w-]{1,80}", re.ASCII)
_TAG_VALUE = re.compile(r"[\w;@.+ -]{1,120}", re.ASCII)


class ProjectSettings(Adoptable):
    """The stage's project. PINECONE_API_KEY is a key of it, so that it exists before the first run: ``adopt: true``.

    ``max_pods`` is for pod indexes. ``customer_managed_encryption`` can be switched on, and never off again.
    """

    name: Annotated[str, Field(min_length=1, max_length=512)]
    max_pods: Annotated[int | None, Field(ge=0)] = None
    customer_managed_encryption: Literal[True] | None = None


class ScheduleSettings(Adoptable):
    """Backups that Pinecone makes by itself. Each is deleted after ``retention_days``."""

    name: Annotated[str, Field(min_length=1)] = "scheduled"
    frequency: Literal["daily", "weekly", "monthly"]
    retention_days: Annotated[int, Field(ge=1)]
    enabled: bool = True


class EmbeddingSettings(Settings):
    """A model of Pinecone's that makes the vectors, of the text in the field that ``field_map`` maps ``text`` to."""

    model: str
    field_map: Annotated[dict[str, str], Field(min_length=1)]
    read_parameters: dict[str, Any] | None = None
    write_parameters: dict[str, Any] | None = None


class ReadCapacitySettings(Settings):
    """Read nodes of our own, by the hour. ``replicas: 0`` switches the index off; a shard has 250 GB."""

    node_type: Literal["b1", "t1"]
    replicas: Annotated[int, Field(ge=0)]
    shards: Annotated[int, Field(ge=1)]


class StoreSettings(Adoptable):
    """What both kinds of indexes have. Name, vectors, place and ``filterable`` are for good.

    ``filterable``: the metadata fields that filters may use; without it all are indexed.
    """

    name: IndexName
    dimension: Dimension | None = None
    metric: Metric | None = None
    filterable: Annotated[list[str] | None, Field(min_length=1)] = None
    deletion_protection: bool = True
    tags: dict[str, str] = Field(default_factory=dict)

    def check_tags(self) -> Iterator[Mistake]:
        """Pinecone takes few characters in tags, and one tag is ours."""
        for tag, value in self.tags.items():
            if tag == _OWNER_TAG:
                yield Mistake(("tags", tag), "is kept for the stack that manages the index")
            elif not _TAG.fullmatch(tag):
                yield Mistake(("tags", tag), "must have a name of up to 80 letters, digits, '_' and '-'")
            elif not _TAG_VALUE.fullmatch(value):
                yield Mistake(("tags", tag), "must be 1 to 120 letters, digits, spaces and ; @ _ - . +")


class IndexSettings(StoreSettings):
    """A serverless index. ``embedding`` makes it one of text; otherwise its writers bring vectors.

    ``backups`` is its schedule.
    """

    cloud: Literal["aws", "azure", "gcp"]
    region: str
    vectors: Literal["dense", "sparse"] = "dense"
    embedding: EmbeddingSettings | None = None
    read_capacity: ReadCapacitySettings | None = None
    backups: ScheduleSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Vectors are described once: by the model, or by kind, dimension and metric."""
        yield from self.check_tags()
        if self.embedding:
            if self.vectors == "sparse":
                yield Mistake(("vectors",), "is left out with `embedding`: the model says what its vectors are")
        elif self.vectors == "sparse":
            if self.dimension is not None:
                yield Mistake(("dimension",), "is left out of an index of sparse vectors")
            if self.metric != "dotproduct":
                yield Mistake(("metric",), "must be dotproduct for sparse vectors")
        else:
            yield from _both_given(self)


class PodIndexSettings(StoreSettings):
    """An index on pods. ``pod_type`` may grow in size (``p1.x1`` to ``p1.x2``), ``replicas`` may change."""

    environment: str
    pod_type: PodType = "p1.x1"
    replicas: Annotated[int, Field(ge=1)] = 1
    shards: Annotated[int, Field(ge=1)] = 1
    source_collection: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Dense vectors, fully described."""
        yield from self.check_tags()
        yield from _both_given(self)


class BackupSettings(Adoptable):
    """One backup of the index with the key ``index``, made when it is declared, kept as long as it is declared."""

    index: str
    name: Annotated[str, Field(min_length=1)]
    description: str = ""


class KeySettings(Settings):
    """A key of the project. It never expires: ``sophia credentials`` tells its age."""

    name: Annotated[str, Field(min_length=1, max_length=45)]
    roles: Annotated[
        list[
            Literal[
                "ProjectEditor",
                "ProjectViewer",
                "ControlPlaneEditor",
                "ControlPlaneViewer",
                "DataPlaneEditor",
                "DataPlaneViewer",
            ]
        ],
        Field(min_length=1),
    ]


class PineconeSettings(Settings):
    """``sophia-ai:pinecone``. PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET are a service account's, which administers
    projects and keys; PINECONE_API_KEY is a key of the project, by which its indexes are managed.
    """

    project: ProjectSettings
    indexes: dict[Key, IndexSettings] = Field(default_factory=dict)
    pod_indexes: dict[Key, PodIndexSettings] = Field(default_factory=dict)
    backups: dict[Key, BackupSettings] = Field(default_factory=dict)
    keys: dict[Key, KeySettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Names are an index's own in the whole project; pods need room; backups are of serverless indexes."""
        yield from same_object(("indexes",), self.indexes, "name")
        yield from same_object(("pod_indexes",), self.pod_indexes, "name")
        yield from same_object(("backups",), self.backups, "index", "name")
        yield from same_object(("keys",), self.keys, "name")
        yield from _taken_by(self.indexes, self.pod_indexes)
        for key, backup in self.backups.items():
            yield from unknown_name(("backups", key, "index"), backup.index, self.indexes, "serverless index")
        pods = sum(index.replicas * index.shards for index in self.pod_indexes.values())
        if pods > (self.project.max_pods or 0):
            yield Mistake(("project", "max_pods"), f"must be at least {pods}, for the pods of `pod_indexes`")


def _both_given(index: StoreSettings) -> Iterator[Mistake]:
    for member in ("dimension", "metric"):
        if getattr(index, member) is None:
            yield Mistake((member,), "is missing: an index of dense vectors has it for good")


def _taken_by(indexes: Mapping[str, IndexSettings], pods: Mapping[str, PodIndexSettings]) -> Iterator[Mistake]:
    names = {index.name: key for key, index in indexes.items()}
    for key, index in pods.items():
        if key in indexes:
            yield Mistake(("pod_indexes", key), f"has the key of indexes.{key}: each needs its own")
        if index.name in names:
            yield Mistake(("pod_indexes", key, "name"), f"is that of indexes.{names[index.name]}: each needs its own")
