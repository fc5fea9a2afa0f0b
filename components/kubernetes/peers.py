"""The other sides of connections, as settings name them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from components.explain import Mistake
from components.kubernetes.network import Peer
from components.kubernetes.values import Cidr, LabelName, LabelValue, Port, cidr_contains
from components.settings import DnsLabel, Settings


class PeerSettings(Settings):
    """The other side of a connection: pods (by labels, in this or another namespace), or a network."""

    namespace: DnsLabel | None = None
    pods: dict[LabelName, LabelValue] = Field(default_factory=dict)
    cidr: Cidr | None = None
    without: tuple[Cidr, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """Pods or a network, not both."""
        inside = self.namespace is not None or bool(self.pods)
        if inside == (self.cidr is not None):
            yield Mistake((), "must give either `cidr`, or `namespace` and/or `pods`")
        for index, text in enumerate(self.without):
            if self.cidr is None or not cidr_contains(self.cidr, text):
                yield Mistake(("without", index), f"{text} is not part of the cidr")

    def peer(self, ports: tuple[int, ...] = ()) -> Peer:
        """The same for the mechanism."""
        return Peer(pods=self.pods, namespace=self.namespace, cidr=self.cidr, without=self.without, ports=ports)


class PeerGroupSettings(PeerSettings):
    """Whom MCP servers talk to. ``ports`` are its own, for the servers that call it; callers need none."""

    ports: tuple[Port, ...] = ()
