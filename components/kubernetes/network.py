"""Who may talk to whom: connections as workloads and settings declare them, as network policies of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pulumi_kubernetes.networking import v1 as networking

NAME: Final = "app.kubernetes.io/name"
"""The label by which the pods of one workload are told from all others."""

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""Every namespace carries its own name as this label, so nobody has to label it."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The other side of a connection: pods by labels (of this or another namespace), a namespace, or a network.

    ``ports`` are numbers: of the peer where it is called, of the workload itself where the peer calls (all of the
    workload's ports, without any).
    """

    pods: Mapping[str, str] = field(default_factory=dict)
    namespace: str | None = None
    cidr: str | None = None
    without: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    protocol: str = "TCP"

    @property
    def is_here(self) -> bool:
        """Whether these are pods of the same namespace, whose own policies can let the connection through as well."""
        return self.cidr is None and self.namespace is None

    @property
    def slug(self) -> str:
        """The peer in a word that fits into names of objects."""
        return "-".join(value.lower().replace("_", "-").replace(".", "-") for value in self.pods.values()) or "all"


def workload(name: str, *ports: int) -> Peer:
    """The pods of another workload of the same namespace."""
    return Peer(pods={NAME: name}, ports=ports)


@dataclass(frozen=True, kw_only=True)
class Allow:
    """The connections of a workload beyond names (DNS), which all pods may look up; it has no others.

    A connection between two workloads of the namespace is declared by one of them, on either side.
    """

    from_: tuple[Peer, ...] = ()
    to: tuple[Peer, ...] = ()


def policies(
    name: str, ports: Sequence[int], allow: Allow
) -> Iterator[tuple[str, str, networking.NetworkPolicySpecArgsDict]]:
    """The network policies that ``allow`` means for the workload ``name``, each with a suffix of its logical name and
    its own name: one for the workload itself, and one for each peer in the namespace, for its side of the connection.

    Raises ValueError for a destination without ports.
    """
    if any(not peer.ports for peer in allow.to):
        raise ValueError(f"the workload {name} is to call a peer without saying at which port")
    own: networking.NetworkPolicySpecArgsDict = {
        "pod_selector": {"match_labels": {NAME: name}},
        "policy_types": ["Ingress", "Egress"],
    }
    if allow.from_:
        own["ingress"] = [{"from_": [peer_of(peer)], "ports": _ports(peer, ports)} for peer in allow.from_]
    if allow.to:
        own["egress"] = [{"to": [peer_of(peer)], "ports": _ports(peer)} for peer in allow.to]
    yield "connections", name, own
    this = Peer(pods={NAME: name})
    for slug, peers in _by_slug(allow.from_).items():
        yield (
            f"from.{slug}",
            f"{name}-from-{slug}",
            {
                "pod_selector": {"match_labels": peers[0].pods},
                "policy_types": ["Egress"],
                "egress": [{"to": [peer_of(this)], "ports": _ports(peer, ports)} for peer in peers],
            },
        )
    for slug, peers in _by_slug(allow.to).items():
        yield (
            f"to.{slug}",
            f"{name}-to-{slug}",
            {
                "pod_selector": {"match_labels": peers[0].pods},
                "policy_types": ["Ingress"],
                "ingress": [{"from_": [peer_of(this)], "ports": _ports(peer)} for peer in peers],
            },
        )


def _by_slug(peers: Sequence[Peer]) -> Mapping[str, list[Peer]]:
    """The peers of this namespace, those of the same labels together."""
    found: dict[str, list[Peer]] = {}
    for peer in peers:
        if peer.is_here:
            found.setdefault(peer.slug, []).append(peer)
    return found


def peer_of(peer: Peer) -> networking.NetworkPolicyPeerArgsDict:
    """``peer`` as a network policy writes it."""
    if peer.cidr is not None:
        block: networking.IPBlockArgsDict = {"cidr": peer.cidr}
        if peer.without:
            block["except_"] = list(peer.without)
        return {"ip_block": block}
    selected: networking.NetworkPolicyPeerArgsDict = {}
    if peer.namespace is not None:
        selected["namespace_selector"] = {"match_labels": {NAMESPACE_NAME: peer.namespace}}
    if peer.pods or peer.namespace is None:
        selected["pod_selector"] = {"match_labels": peer.pods} if peer.pods else {}
    return selected


def _ports(peer: Peer, own: Sequence[int] = ()) -> list[networking.NetworkPolicyPortArgsDict]:
    return [{"protocol": peer.protocol, "port": port} for port in sorted(peer.ports or own)]
