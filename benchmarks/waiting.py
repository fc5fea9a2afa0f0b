"""The program that growth is measured against: RESOURCES objects of one platform that is nothing but latency."""

from __future__ import annotations

import os

import pulumi

from benchmarks.trivial import Trivial

host = pulumi.ProviderResource("pulumi-python", "waiting", {})
for number in range(int(os.environ["RESOURCES"])):
    Trivial(f"object-{number}", number, pulumi.ResourceOptions(provider=host))
