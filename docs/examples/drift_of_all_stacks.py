"""Looks for drift in every stack at the same time, from an asyncio program.

    python docs/examples/drift_of_all_stacks.py

Exits with 2 if a platform differs from what was last deployed.
"""

from __future__ import annotations

import asyncio
import sys

import click

from sophia import Drift, Stack

STACKS = ("dev", "staging", "prod")


async def look() -> list[Drift]:
    return await asyncio.gather(*(asyncio.to_thread(Stack(name).drift) for name in STACKS))


def main() -> None:
    found = asyncio.run(look())
    for drift in found:
        click.echo(f"{drift.stack}: {drift.describe()}")
    sys.exit(2 if any(found) else 0)


if __name__ == "__main__":
    main()
