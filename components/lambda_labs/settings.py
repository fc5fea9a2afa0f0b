"""What the stack file says about Lambda Cloud (``sophia-ai:lambda_labs``)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from components.explain import Mistake, Path
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
    unknown_names,
)
from providers.lambda_labs import Region

Name = Annotated[
    str,
    matching(
        r"[a-z]([a-z0-9-]{0,48}[a-z0-9])?",
        "must be up to 50 lower-case letters, digits and hyphens, and begin with a letter",
    ),
]
"""Of an instance: with the generation behind it, it is a host name, and the name of the Kubernetes node."""

_TAG = re.compile(r"[a-z][a-z0-9:-]{1,54}")
_OWN_TAGS = ("managed-by", "setup")
_LABEL = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_GUARDED = re.compile(r"(.+\.)?(kubernetes|k8s)\.io")
_ALLOWED = re.compile(r"(.+\.)?node\.kubernetes\.io")
_ENDPOINT = r"[A-Za-z0-9.-]+:\d{2,5}"


def _public_key(text: str) -> str:
    if "PRIVATE KEY" in text:
        raise PydanticCustomError(
            "private_key",
            "is a private key, which must never stand in a file: give the public half, and replace the pair",
        )
    return text.strip()


def _network(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError:
        raise PydanticCustomError(
            "network", "must be IPv4 addresses, such as 203.0.113.7 or 203.0.113.0/24, without bits behind the mask"
        ) from None


class SshKeySettings(Adoptable):
    """A public key. The pair is made by whoever holds the private half: Lambda shows one that it makes only once."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    public_key: Annotated[
        str,
        AfterValidator(_public_key),
        matching(
            r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/=]+( .*)?",
            "must be one line as OpenSSH writes it, such as: ssh-ed25519 AAAA…",
        ),
    ]


class FilesystemSettings(Adoptable):
    """Storage that the instances of one region share. Name and region are for good."""

    name: Annotated[
        str, matching(r"[a-zA-Z]+[0-9a-zA-Z-]{0,59}", "must be up to 60 letters, digits, hyphens; a letter comes first")
    ]
    region: Region


class RuleSettings(Settings):
    """Inbound traffic that is let in. ``ports`` is one or a range (``30000-32767``); ICMP has none."""

    protocol: Literal["tcp", "udp", "icmp", "all"]
    ports: Annotated[str | int | None, AfterValidator(lambda ports: None if ports is None else str(ports))] = None
    source: Annotated[str, AfterValidator(_network)]
    description: Annotated[str, Field(max_length=128)] = ""

    def check(self) -> Iterator[Mistake]:
        """Ports where the protocol has them."""
        if self.protocol == "icmp":
            if self.ports is not None:
                yield Mistake(("ports",), "is left out: ICMP has no ports")
        elif self.range is None:
            yield Mistake(("ports",), "must be a port or a range such as 30000-32767, from 1 to 65535")

    @property
    def range(self) -> list[int] | None:
        """First and last port; None for ICMP, and for what is no range."""
        words = str(self.ports or "").split("-")
        if not all(word.isdecimal() for word in words) or len(words) > 2:
            return None
        first, last = int(words[0]), int(words[-1])
        return [first, last] if 1 <= first <= last <= 65_535 else None


class FirewallSettings(Adoptable):
    """Rules for instances. Lambda has rulesets by region: one is made in each of ``regions``, with the same rules."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    regions: Annotated[list[Region], Field(min_length=1)]
    rules: list[RuleSettings]

    def check(self) -> Iterator[Mistake]:
        """Each region once."""
        for index, region in enumerate(self.regions):
            if region in self.regions[:index]:
                yield Mistake(("regions", index), "stands there already")


class ImageSettings(Settings):
    """The latest of a ``family``, or exactly one image by its ``id``, which is of one region."""

    family: str | None = None
    id: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Exactly one of the two."""
        if (self.family is None) == (self.id is None):
            yield Mistake((), "must give either `family` or `id`")


class ClusterSettings(Settings):
    """A Kubernetes cluster that instances join with ``kubeadm join``.

    ``version`` is the cluster's, as 1.33: the kubelet's packages are of the same. The token (``abcdef.0123456789abcdef``)
    is one of ``kubeadm token create``; ``ca_hash`` is what that prints as ``--discovery-token-ca-cert-hash``.
    """

    endpoint: Annotated[str, matching(_ENDPOINT, "must be the API server's host:port, such as k8s.example.com:6443")]
    version: Annotated[str, matching(r"1\.\d{2}", "must be the cluster's minor version, such as 1.33")]
    token: SecretSource
    ca_hash: SecretSource


class InstanceSettings(Adoptable):
    """One GPU instance.

    ``types`` and ``regions`` are tried in this order, types first, or the cheapest first (``prefer: price``); what costs
    more than ``max_usd_per_hour`` is not taken. They are looked at when an instance is launched, and a change of them
    waits for the next ``generation``. Another generation launches another instance, then terminates this one.

    ``filesystems`` maps mount points to keys of ``filesystems``; ``firewalls`` are keys of ``firewalls``.
    """

    name: Name
    generation: Annotated[int, Field(ge=1, le=9999)] = 1
    types: Annotated[list[str], Field(min_length=1)]
    regions: Annotated[list[Region], Field(min_length=1)]
    prefer: Literal["order", "price"] = "order"
    max_usd_per_hour: Annotated[float, Field(gt=0, le=1000)]
    ssh_key: str
    image: ImageSettings | None = None
    filesystems: dict[
        Annotated[
            str, matching(r"(/home|/lambda/nfs|/data)[/a-zA-Z0-9-]*", "must be under /home, /lambda/nfs or /data")
        ],
        str,
    ] = Field(default_factory=dict)
    firewalls: list[str] = Field(default_factory=list)
    cluster: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    taints: list[
        Annotated[
            str,
            matching(
                r"[A-Za-z0-9][\w./-]*(=[\w.-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)",
                "must be key=value:NoSchedule, PreferNoSchedule or NoExecute, such as nvidia.com/gpu=present:NoSchedule",
            ),
        ]
    ] = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Labels and taints belong to a node; Lambda takes few characters in tags."""
        if self.cluster is None and (self.labels or self.taints):
            yield Mistake(("cluster",), "is missing: labels and taints are those of a node in a cluster")
        for label, value in self.labels.items():
            domain = label.rpartition("/")[0]
            if not _LABEL.fullmatch(label) or not _LABEL_VALUE.fullmatch(value):
                yield Mistake(
                    ("labels", label), "is no label of Kubernetes: letters, digits and . _ -, at most 63 of them"
                )
            elif _GUARDED.fullmatch(domain) and not _ALLOWED.fullmatch(domain):
                yield Mistake(
                    ("labels", label), "is refused by the API server: a node may not give itself such a label"
                )
        for tag, value in self.tags.items():
            if tag in _OWN_TAGS:
                yield Mistake(("tags", tag), "is kept for what manages the instance")
            elif not _TAG.fullmatch(tag) or len(value) > 128:
                yield Mistake(
                    ("tags", tag), "must be 2 to 55 of a-z 0-9 : -, a letter first, and its value at most 128"
                )


class LambdaLabsSettings(Settings):
    """``sophia-ai:lambda_labs``. LAMBDA_API_KEY is a key of the account, made in Lambda's console.

    ``global_rules`` are what the account's global ruleset is expected to have. It is every stage's and everybody's, so
    it is compared (``sophia health``) and never written. ``monthly_usd`` is what the instances may come to in a month.
    """

    monthly_usd: Annotated[float, Field(gt=0)]
    ssh_keys: dict[Key, SshKeySettings] = Field(default_factory=dict)
    filesystems: dict[Key, FilesystemSettings] = Field(default_factory=dict)
    firewalls: dict[Key, FirewallSettings] = Field(default_factory=dict)
    global_rules: list[RuleSettings] | None = None
    clusters: dict[Key, ClusterSettings] = Field(default_factory=dict)
    instances: dict[Key, InstanceSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What an instance names is declared, and in its regions; names are one object's."""
        yield from same_object(("ssh_keys",), self.ssh_keys, "name")
        yield from same_object(("filesystems",), self.filesystems, "name", "region")
        yield from same_object(("firewalls",), self.firewalls, "name")
        yield from same_object(("instances",), self.instances, "name")
        for key, instance in self.instances.items():
            yield from self._references(("instances", key), instance)
        worst = sum(instance.max_usd_per_hour for instance in self.instances.values()) * 730
        if worst > self.monthly_usd:
            said = f"is less than the {worst:,.2f} that the instances may come to in 730 hours at max_usd_per_hour"
            yield Mistake(("monthly_usd",), said)

    def _references(self, path: Path, instance: InstanceSettings) -> Iterator[Mistake]:
        yield from unknown_name((*path, "ssh_key"), instance.ssh_key, self.ssh_keys, "SSH key")
        yield from unknown_names((*path, "firewalls"), instance.firewalls, self.firewalls, "firewall")
        if instance.cluster is not None:
            yield from unknown_name((*path, "cluster"), instance.cluster, self.clusters, "cluster")
        for point, name in instance.filesystems.items():
            yield from unknown_name((*path, "filesystems", point), name, self.filesystems, "filesystem")
            filesystem = self.filesystems.get(name)
            elsewhere = [region for region in instance.regions if filesystem and region != filesystem.region]
            if filesystem and elsewhere:
                said = f"is in {filesystem.region}, and cannot be mounted in {', '.join(elsewhere)}"
                yield Mistake((*path, "filesystems", point), said)
        for index, name in enumerate(instance.firewalls):
            firewall = self.firewalls.get(name)
            open_in = [region for region in instance.regions if firewall and region not in firewall.regions]
            if open_in:
                said = f"is not in {', '.join(open_in)}, where the instance may be launched: add them to its regions"
                yield Mistake((*path, "firewalls", index), said)
