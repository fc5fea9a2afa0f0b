"""Nothing is open to everybody: repositories, networks, previews of the web app."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from policies import controls, kinds, places
from policies.model import Hidden, Policy, Resource, Situation, Violation, items
from policies.strictness import OWN_DOMAINS

WIDEST_PREFIX: Final = 8
"""A network of more addresses than a /8 is open, also where it is written as two halves of the internet."""

_INTERNAL: Final = ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""Private networks, and the link-local one where clouds answer with credentials (169.254.169.254)."""

_OPEN_SOURCE: Final = "open-source"
"""The topic of a repository that is public on purpose."""

_BOUNDARY = (
    controls.SOC2_CC6_6,
    controls.GDPR_32_1_B,
    controls.HIPAA_ACCESS,
    controls.PCI_1_3_1,
    controls.GLBA_ACCESS,
)


def _public_repository(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    visibility = resource.get("visibility")
    if isinstance(visibility, Hidden) or visibility in ("private", "internal"):
        return
    if visibility is None and resource.get("private") is True:  # the older spelling
        return
    if _OPEN_SOURCE in items(resource.get("topics")):  # the component gives it to what a public archetype makes
        return
    yield Violation(
        resource,
        "would be public",
        "everybody on the internet could read and copy it, its history included",
        places.setting(resource, "visibility"),
        "set it to private or internal; what is meant for the public has an archetype that says so",
    )


def is_open(network: Any) -> bool:
    """Whether a network is so wide that it is no restriction; a text that is no network is not judged."""
    if not isinstance(network, str):
        return False
    try:
        return ipaddress.ip_network(network.strip(), strict=False).prefixlen < WIDEST_PREFIX
    except ValueError:
        return False


def _open_network(resource: Resource, situation: Situation) -> Iterator[Violation]:
    match resource.type:
        case kinds.SNOWFLAKE_NETWORK_RULE if resource.get("mode") != "EGRESS":
            yield from _open(resource, resource.get("valueLists"), "allowed", "log in to Snowflake")
        case kinds.SNOWFLAKE_NETWORK_POLICY:
            yield from _open(resource, resource.get("allowedIpLists"), "allowed", "log in to Snowflake")
        case kinds.KUBERNETES_NETWORK_POLICY:
            yield from _open_ingress(resource)
            yield from _open_egress(resource)
        case kinds.KUBERNETES_SERVICE:
            yield from _open_service(resource, situation)
        case kinds.LAMBDA_LABS_FIREWALL:
            rules = [rule for rule in items(resource.get("rules")) if isinstance(rule, Mapping)]
            networks = [rule.get("source_network") for rule in rules if rule.get("protocol") != "icmp"]
            yield from _open(resource, networks, "rules", "reach the machines that hold residents' data")


def _open(resource: Resource, networks: Any, member: str, could: str) -> Iterator[Violation]:
    for network in items(networks):
        if is_open(network):
            yield Violation(
                resource,
                f"would let in {network}",
                f"so many addresses are no restriction: anybody could {could}",
                places.setting(resource, member),
                "name the networks that need it, such as the egress of Pay Ready and of Airbyte",
            )


def _open_ingress(resource: Resource) -> Iterator[Violation]:
    for index, rule in enumerate(items(resource.get("spec", "ingress"))):
        peers = rule.get("from") if isinstance(rule, Mapping) else Hidden.UNKNOWN
        if isinstance(peers, Hidden):
            continue
        wide = [network for peer in items(peers) if is_open(network := _cidr(peer))]
        if not peers or wide:
            yield Violation(
                resource,
                f"would let in {wide[0] if wide else 'everybody'}",
                "an ingress rule names the pods or the networks that may connect",
                places.setting(resource, "from"),
                f"name them (rule {index + 1} of the policy)",
            )


def _open_egress(resource: Resource) -> Iterator[Violation]:
    for rule in items(resource.get("spec", "egress")):
        if not isinstance(rule, Mapping):
            continue
        for peer in items(rule.get("to")):
            if is_open(network := _cidr(peer)) and (missing := _not_excepted(peer)):
                yield Violation(
                    resource,
                    f"would let out to {network}, {missing[0]} included",
                    "the internet is one thing, other tenants and the cloud's metadata service are another",
                    places.setting(resource, "to"),
                    f"add to `without`: {', '.join(missing)}",
                )
        if not rule.get("to"):
            yield Violation(
                resource,
                "would let out to everything",
                "an egress rule names where pods may connect to",
                places.setting(resource, "to"),
                "name the pods or the networks",
            )


def _not_excepted(peer: Mapping[str, Any]) -> list[str]:
    excepted = [str(text) for text in items(peer["ipBlock"].get("except"))]
    return [network for network in _INTERNAL if network not in excepted] if "." in peer["ipBlock"]["cidr"] else []


def _cidr(peer: Any) -> Any:
    block = peer.get("ipBlock") if isinstance(peer, Mapping) else None
    return block.get("cidr") if isinstance(block, Mapping) else None


def _open_service(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    kind, ranges = resource.get("spec", "type"), resource.get("spec", "loadBalancerSourceRanges")
    if kind == "NodePort" or (kind == "LoadBalancer" and not ranges):
        yield Violation(
            resource,
            f"would be reachable from outside the cluster ({kind})",
            "what is reached from outside goes through the ingress controller",
            places.property_of(resource, "spec.type"),
            "make it ClusterIP, or give a LoadBalancer its loadBalancerSourceRanges",
        )
    yield from _open(resource, ranges, "loadBalancerSourceRanges", "reach it")


def _known_networks(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if not resource.get("networkPolicy"):
        yield Violation(
            resource,
            "could log in from anywhere",
            f"in {situation.stack} a service user's key works from known networks only",
            places.setting(resource, "network_policy"),
            "name one of snowflake.network_policies, with the networks from which it logs in",
        )


def _private_previews(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.get("gitForkProtection") is False:
        yield Violation(
            resource,
            "would build pull requests of forks unasked",
            "a stranger's pull request would see the project's environment variables",
            places.property_of(resource, "gitForkProtection"),
            "leave it at true",
        )
    authentication = resource.get("vercelAuthentication")
    kind = authentication.get("deploymentType") if isinstance(authentication, Mapping) else authentication
    if kind == "none":
        yield Violation(
            resource,
            "would show its previews to everybody",
            "previews run unreviewed code with the project's environment variables",
            places.setting(resource, "protection.authentication"),
            "leave it at standard_protection_new",
        )


_SENT_TO: Final[Mapping[str, str]] = {
    kinds.VERCEL_DOMAIN: "domain",
    kinds.VERCEL_DRAIN: "endpoint",
    kinds.VERCEL_WEBHOOK: "url",
}
"""The property that says where pages are shown, and where events and logs go."""


def _own_domains(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    member = _SENT_TO[resource.type]
    value = resource.get(member)
    if not isinstance(value, str):
        return
    host = (urlsplit(value).hostname or "") if "://" in value else value.lower()
    if any(host == domain or host.endswith(f".{domain}") for domain in OWN_DOMAINS):
        return
    shows = resource.type == kinds.VERCEL_DOMAIN
    yield Violation(
        resource,
        f"would {'show our pages under' if shows else 'send to'} {host}",
        "residents trust what is under our own names" if shows else "logs and events name residents and accounts",
        places.setting(resource, "" if shows else member),
        f"use a name below {', '.join(OWN_DOMAINS)} (policies/strictness.py)",
    )


def _granted_to_public(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for member in ("accountRoleName", "parentRoleName"):
        if str(resource.get(member)).strip('"').upper() == "PUBLIC":
            yield Violation(
                resource,
                "would be granted to PUBLIC",
                "every user and every role of the account has that role, those of other stages and people included",
                places.property_of(resource, member),
                "grant it to the role that needs it",
            )


POLICIES: Final = (
    Policy(
        "no-public-repository",
        "No repository is public unless its archetype is.",
        (kinds.GITHUB_REPOSITORY,),
        (controls.SOC2_CC6_1, controls.SOC2_C1_1, controls.GDPR_25_2, controls.PCI_7_2_1, controls.GLBA_ACCESS),
        _public_repository,
    ),
    Policy(
        "no-open-network",
        "No network policy lets everybody in, or pods out to internal networks.",
        (
            kinds.KUBERNETES_NETWORK_POLICY,
            kinds.KUBERNETES_SERVICE,
            kinds.LAMBDA_LABS_FIREWALL,
            kinds.SNOWFLAKE_NETWORK_POLICY,
            kinds.SNOWFLAKE_NETWORK_RULE,
        ),
        (*_BOUNDARY, controls.PCI_1_3_2),
        _open_network,
    ),
    Policy(
        "no-grant-to-public",
        "Nothing in Snowflake is granted to everybody.",
        (kinds.SNOWFLAKE_GRANT, kinds.SNOWFLAKE_ROLE_GRANT),
        (
            controls.SOC2_CC6_1,
            controls.GDPR_25_2,
            controls.HIPAA_ACCESS,
            controls.PCI_7_2_1,
            controls.GLBA_ACCESS,
            controls.FDCPA_THIRD_PARTIES,
        ),
        _granted_to_public,
    ),
    Policy(
        "known-networks",
        "Service users of Snowflake log in from known networks only.",
        (kinds.SNOWFLAKE_LEGACY_SERVICE_USER, kinds.SNOWFLAKE_SERVICE_USER),
        (*_BOUNDARY, controls.HIPAA_AUTHENTICATION),
        _known_networks,
        asked_of=lambda limits: limits.known_networks,
    ),
    Policy(
        "private-previews",
        "Previews of the web app are for the team, and forks build when a member says so.",
        (kinds.VERCEL_PROJECT,),
        (controls.SOC2_CC6_1, controls.SOC2_CC6_6, controls.GDPR_25_2),
        _private_previews,
    ),
    Policy(
        "own-domains",
        "Vercel shows pages under Pay Ready's domains only, and sends events and logs there.",
        (kinds.VERCEL_DOMAIN, kinds.VERCEL_DRAIN, kinds.VERCEL_WEBHOOK),
        (controls.SOC2_CC6_6, controls.GDPR_25_2, controls.GLBA_ACCESS),
        _own_domains,
    ),
)
