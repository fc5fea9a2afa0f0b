"""What the SDK's own code does to a stack with very many resources, and to a process that is no provider host."""

from __future__ import annotations

import subprocess
import sys
import threading

from providers.base import process

SERIALIZE = """
from pulumi.dynamic.dynamic import serialize_provider
from providers.base.provider import Provider
print(len({serialize_provider(Provider("providers.airbyte:Tag")) for _ in range(3000)}))
"""


def test_three_thousand_resources_are_serialized_alike() -> None:
    """Each call leaves the SDK's patch of the pickler one layer deeper: in a process of its own."""
    done = subprocess.run([sys.executable, "-c", SERIALIZE], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_a_process_that_is_no_host_is_left_alone() -> None:
    before = threading.enumerate()
    process.prepare.cache_clear()
    process.prepare()
    assert threading.enumerate() == before
