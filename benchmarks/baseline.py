"""What a run of the estate is measured against: RESOURCES trivial dynamic resources, the same SDKs imported.

They are on PROVIDERS explicit providers, each a process of its own, which are as many as the estate has.
"""

from __future__ import annotations

import os

import pulumi
import pulumi_aws.iam
import pulumi_aws.kms
import pulumi_aws.s3
import pulumi_aws.sns
import pulumi_github
import pulumi_kubernetes.apps.v1
import pulumi_kubernetes.core.v1
import pulumi_kubernetes.networking.v1
import pulumi_snowflake
import pulumiverse_vercel

from benchmarks.trivial import Trivial

PROVIDERS = int(os.environ["PROVIDERS"])

imported = (pulumi_aws, pulumi_github, pulumi_kubernetes, pulumi_snowflake, pulumiverse_vercel)
providers = [pulumi.ProviderResource("pulumi-python", f"provider-{number}", {}) for number in range(PROVIDERS)]
for number in range(int(os.environ["RESOURCES"])):
    Trivial(f"trivial-{number}", number, pulumi.ResourceOptions(provider=providers[number % PROVIDERS]))
pulumi.export("sdks", [module.__name__ for module in imported])
