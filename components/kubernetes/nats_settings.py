"""NATS as the stack file describes it: servers, users with their subjects, streams with their consumers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Final, Literal

from pydantic import Field

from components.explain import Mistake, Path
from components.kubernetes.nats_subjects import Subject, covers, overlap
from components.kubernetes.values import Image, LabelName, LabelValue, Quantity, Resources, amount
from components.settings import Key, Settings, matching, same_object, unknown_name, unknown_names

STORE_SHARE: Final = Decimal("0.9")
"""How much of a disk the messages may take; the rest is for the logs by which replicas agree."""

RESERVED_USERS: Final = ("streams", "system")
"""Users that every deployment has: the one that makes the streams, and the one of the system account."""

Duration = Annotated[str, matching(r"[1-9][0-9]*[smhd]", "must be a duration such as 90s, 15m, 12h or 30d")]
ObjectName = Annotated[str, matching(r"[A-Za-z0-9_-]{1,64}", "must be up to 64 letters, digits, hyphens, underscores")]
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """A ``Duration`` in seconds."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


class ConsumerSettings(Settings):
    """A durable pull consumer: where in the stream a group of programs stands.

    A message that is not acknowledged within ``ack_wait`` is delivered again, ``max_deliver`` times at the most.
    """

    name: ObjectName
    description: str = ""
    filters: tuple[Subject, ...] = ()
    deliver: Literal["all", "new"] = "all"
    acknowledge: Literal["explicit", "all", "none"] = "explicit"
    ack_wait: Duration = "30s"
    max_deliver: Annotated[int, Field(ge=1, le=1000)] = 5
    max_ack_pending: Annotated[int, Field(ge=1)] = 1000


class StreamSettings(Settings):
    """A stream: the messages of ``subjects``, kept for ``max_age`` and up to ``max_bytes`` on each of its replicas.

    ``retention``: ``limits`` keeps all messages until a limit, ``interest`` until all consumers have acknowledged them,
    ``workqueue`` until one has. Storage, and retention to or from a work queue, can never be changed.
    """

    name: ObjectName
    description: str = ""
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    retention: Literal["limits", "interest", "workqueue"] = "limits"
    max_age: Duration
    max_bytes: Quantity
    max_message_size: Quantity = "1Mi"
    replicas: Annotated[int, Field(ge=1, le=5)] = 3
    storage: Literal["file", "memory"] = "file"
    discard: Literal["old", "new"] = "old"
    duplicate_window: Duration = "2m"
    compression: Literal["none", "s2"] = "s2"
    consumers: dict[Key, ConsumerSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What the server would refuse when the streams are made, or accept and deliver nothing."""
        if seconds(self.duplicate_window) > seconds(self.max_age):
            yield Mistake(("duplicate_window",), f"must not be longer than max_age ({self.max_age})")
        for one, other in combinations(range(len(self.subjects)), 2):
            if overlap(self.subjects[one], self.subjects[other]):
                yield Mistake(("subjects", other), f"overlaps {self.subjects[one]}: a message would be stored twice")
        yield from same_object(("consumers",), self.consumers, "name")
        for key, consumer in self.consumers.items():
            for index, subject in enumerate(consumer.filters):
                if not any(covers(whole, subject) for whole in self.subjects):
                    message = f"{subject} is not in the stream, whose subjects are {', '.join(self.subjects)}"
                    yield Mistake(("consumers", key, "filters", index), message)
        if self.retention == "workqueue":
            yield from self._check_work_queue()

    def _check_work_queue(self) -> Iterator[Mistake]:
        for key, consumer in self.consumers.items():
            if consumer.acknowledge != "explicit":
                message = "must be explicit: in a work queue an acknowledgement deletes the message"
                yield Mistake(("consumers", key, "acknowledge"), message)
            if consumer.deliver != "all":
                yield Mistake(("consumers", key, "deliver"), "must be all: each message of a work queue is work")
        for (_, one), (key, other) in combinations(self.consumers.items(), 2):
            wanted, also = one.filters or self.subjects, other.filters or self.subjects
            if any(overlap(first, second) for first in wanted for second in also):
                message = f"overlaps {one.name}: a message of a work queue belongs to one consumer only"
                yield Mistake(("consumers", key, "filters"), message)


class UserSettings(Settings):
    """A group of programs: the subjects it may publish and subscribe to, the consumers (by stream) that it reads.

    Its pods are told by labels: no others can connect. ``answers`` lets it reply to who asks it something. A higher
    ``key_generation`` mints another key; the one before stays valid until the next.
    """

    pods: Annotated[dict[LabelName, LabelValue], Field(min_length=1)]
    publish: tuple[Subject, ...] = ()
    subscribe: tuple[Subject, ...] = ()
    consume: dict[Key, tuple[Key, ...]] = Field(default_factory=dict)
    answers: bool = False
    key_generation: Annotated[int, Field(ge=1)] = 1


class StorageSettings(Settings):
    """The disk of each server; without a class it is of the cluster's default one."""

    size: Quantity
    storage_class: str | None = None


class TlsSettings(Settings):
    """Generations of what is minted: higher ones replace the servers' certificate, or the authority that signs it."""

    certificate_generation: Annotated[int, Field(ge=1)] = 1
    authority_generation: Annotated[int, Field(ge=1)] = 1


class NatsSettings(Settings):
    """``nats`` of ``sophia-ai:kubernetes``."""

    image: Image
    exporter_image: Image
    tools_image: Image
    servers: Literal[1, 3, 5] = 3
    resources: Resources
    storage: StorageSettings
    memory_store: Quantity = "128Mi"
    max_payload: Quantity = "1Mi"
    max_connections: Annotated[int, Field(ge=1)] = 1000
    priority: Key | None = None
    tls: TlsSettings = TlsSettings()
    users: Annotated[dict[Key, UserSettings], Field(min_length=1)]
    streams: dict[Key, StreamSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Streams that fit the servers and do not share subjects; users of consumers that exist."""
        yield from same_object(("streams",), self.streams, "name")
        yield from self._check_subjects()
        yield from self._check_streams()
        yield from self._check_users()

    @property
    def file_store(self) -> int:
        """Bytes of each server's disk that messages may take."""
        return int(amount(self.storage.size) * STORE_SHARE)

    def _check_subjects(self) -> Iterator[Mistake]:
        for (first, one), (key, other) in combinations(self.streams.items(), 2):
            for index, subject in enumerate(other.subjects):
                for taken in one.subjects:
                    if overlap(taken, subject):
                        message = f"{subject} overlaps {taken} of streams.{first}: a message belongs to one stream only"
                        yield Mistake(("streams", key, "subjects", index), message)

    def _check_streams(self) -> Iterator[Mistake]:
        for key, stream in self.streams.items():
            if stream.replicas > self.servers:
                message = f"must not be more than the servers, of which there are {self.servers}"
                yield Mistake(("streams", key, "replicas"), message)
            if amount(stream.max_message_size) > amount(self.max_payload):
                message = f"must not be more than max_payload ({self.max_payload})"
                yield Mistake(("streams", key, "max_message_size"), message)
        for storage, room, setting in (
            ("file", Decimal(self.file_store), "storage"),
            ("memory", amount(self.memory_store), "memory_store"),
        ):
            streams = [stream for stream in self.streams.values() if stream.storage == storage]
            needed = sum((amount(s.max_bytes) * s.replicas for s in streams), Decimal(0)) / self.servers
            if needed > room:
                message = f"must hold what the streams may keep: {needed / 2**30:.2f}Gi, and has {room / 2**30:.2f}Gi"
                yield Mistake((setting,), message)

    def _check_users(self) -> Iterator[Mistake]:
        for key, user in self.users.items():
            if key in RESERVED_USERS:
                yield Mistake(("users", key), "is a user that every deployment has: choose another name")
            for stream, consumers in user.consume.items():
                path: Path = ("users", key, "consume", stream)
                yield from unknown_name(path, stream, self.streams, "stream")
                known: Mapping[str, object] = self.streams[stream].consumers if stream in self.streams else {}
                if stream in self.streams:
                    yield from unknown_names(path, consumers, list(known), "consumer")
