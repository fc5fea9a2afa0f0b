"""Lambda Cloud: the GPUs that the estate rents, and their way into the Kubernetes cluster."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pulumi

from components.lambda_labs import joining
from components.lambda_labs.settings import FirewallSettings, InstanceSettings, LambdaLabsSettings, RuleSettings
from components.settings import Stage, data_store_options
from providers import lambda_labs
from providers.base import dynamic

__all__ = ["LambdaLabs", "LambdaLabsSettings"]

_CENTS = 100


class LambdaLabs(pulumi.ComponentResource):
    """The stage's SSH keys, filesystems, firewall rulesets and GPU instances. In prod the filesystems are protected, and
    stay when the stack lets go of them.

    Outputs, by the key of an instance: ``instance_ids``; ``addresses``, the public ones; ``placements``, the type, region
    and price in US cents an hour that were taken.

    Not managed, on purpose: the account's global firewall ruleset and its older inbound rules (they are every stage's and
    everybody's; ``global_rules`` is compared by ``sophia health``), API keys (Lambda has no call for them), restarts (an
    operation, not a state), the contents of filesystems, one-click clusters, audit events.
    """

    instance_ids: Mapping[str, pulumi.Output[str]]
    addresses: Mapping[str, pulumi.Output[str]]
    placements: Mapping[str, pulumi.Output[Mapping[str, Any]]]

    def __init__(
        self,
        name: str,
        settings: LambdaLabsSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs`` are the values that other components hand over, by name."""
        super().__init__("sophia:platform:LambdaLabs", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._settings, self._outputs = settings, outputs

        self._keys = {
            key: lambda_labs.SshKey(
                key, self._child, name=ssh_key.name, public_key=ssh_key.public_key, adopt=ssh_key.adopt
            )
            for key, ssh_key in settings.ssh_keys.items()
        }
        store = data_store_options(stage, self._child)
        self._filesystems = {
            key: lambda_labs.Filesystem(
                key, store, name=filesystem.name, region=filesystem.region, adopt=filesystem.adopt
            )
            for key, filesystem in settings.filesystems.items()
        }
        self._rulesets = {
            key: {region: self._create_ruleset(key, region, firewall) for region in firewall.regions}
            for key, firewall in settings.firewalls.items()
        }
        instances = {key: self._create_instance(key, instance) for key, instance in settings.instances.items()}
        self.instance_ids = {key: instance.id for key, instance in instances.items()}
        self.addresses = {key: instance.ip for key, instance in instances.items()}
        self.placements = {
            key: pulumi.Output.all(
                type=instance.instance_type,
                region=instance.region,
                price_cents_per_hour=instance.price_cents_per_hour,
            )
            for key, instance in instances.items()
        }
        self.register_outputs(
            {"instance_ids": self.instance_ids, "addresses": self.addresses, "placements": self.placements}
        )

    def _create_ruleset(self, key: str, region: str, firewall: FirewallSettings) -> lambda_labs.FirewallRuleset:
        return lambda_labs.FirewallRuleset(
            f"{key}.{region}",
            self._child,
            name=firewall.name,
            region=region,
            rules=[rule_of(rule) for rule in firewall.rules],
            adopt=firewall.adopt,
        )

    def _create_instance(self, key: str, settings: InstanceSettings) -> lambda_labs.Instance:
        # The generation is in the name, so that the next one can be there, and in the cluster, before this one goes.
        node = f"{settings.name}-{settings.generation}"
        rulesets = {
            region: [self._rulesets[firewall][region].id for firewall in settings.firewalls]
            for region in settings.regions
            if settings.firewalls
        }
        return lambda_labs.Instance(
            key,
            pulumi.ResourceOptions.merge(
                self._child, pulumi.ResourceOptions(depends_on=[self._keys[settings.ssh_key]])
            ),
            name=node,
            ssh_key=self._settings.ssh_keys[settings.ssh_key].name,
            image=settings.image.model_dump(exclude_none=True) if settings.image else None,
            mounts={point: self._filesystems[name].id for point, name in settings.filesystems.items()},
            tags=settings.tags,
            types=settings.types,
            regions=settings.regions,
            prefer=settings.prefer,
            max_price_cents=math.floor(settings.max_usd_per_hour * _CENTS + 1e-6),
            firewall_rulesets=rulesets,
            adopt=settings.adopt,
            **self._joining(node, settings),
        )

    def _joining(self, node: str, settings: InstanceSettings) -> dict[str, Any]:
        """The cloud-init of an instance that joins a cluster. A new token is for the next launch, and changes nothing."""
        if settings.cluster is None:
            return {}
        cluster, place = self._settings.clusters[settings.cluster], f"lambda_labs.clusters.{settings.cluster}"
        token = cluster.token.resolve(self._outputs, f"{place}.token")
        ca_hash = cluster.ca_hash.resolve(self._outputs, f"{place}.ca_hash")
        rendered = pulumi.Output.all(token, ca_hash).apply(
            lambda secrets: joining.user_data(node, settings, cluster, secrets[0], secrets[1])
        )
        return {"user_data": rendered, "setup": joining.setup(settings.name, settings, cluster)}


def rule_of(rule: RuleSettings) -> dict[str, Any]:
    """A rule as Lambda has it."""
    members = {"protocol": rule.protocol, "source_network": rule.source, "description": rule.description}
    return {**members, **({"port_range": rule.range} if rule.range else {})}
