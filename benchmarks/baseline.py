"""The program that a no-change up is measured against: RESOURCES trivial dynamic resources, the same SDKs imported."""

from __future__ import annotations

import os

import pulumi
import pulumi_github
import pulumi_kubernetes.core.v1
import pulumi_kubernetes.networking.v1
import pulumi_snowflake
import pulumiverse_vercel

from benchmarks.trivial import Trivial

# As many explicit providers, each a process of its own, as the estate has: rsa, airbyte, openrouter, slack.
PROVIDERS = 4

imported = (pulumi_github, pulumi_kubernetes, pulumi_snowflake, pulumiverse_vercel)
providers = [pulumi.ProviderResource("pulumi-python", f"provider-{number}", {}) for number in range(PROVIDERS)]
for number in range(int(os.environ["RESOURCES"])):
    Trivial(f"trivial-{number}", number, pulumi.ResourceOptions(provider=providers[number % PROVIDERS]))
pulumi.export("sdks", [module.__name__ for module in imported])
