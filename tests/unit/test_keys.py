"""Key pairs of Snowflake's service users: a new one beside the present one, never instead of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.keys import Keys

Deploy = Callable[..., Any]


def slots(deploy: Deploy, generation: int) -> tuple[dict[str, int], set[str]]:
    """The generations of the pairs, and the slots that have one."""
    made = deploy(lambda: Keys("keys", {"dbt": generation}))
    filled = {"first" if made.result.public_keys else "", "second" if made.result.second_public_keys else ""}
    return {pair.name: pair.inputs["generation"] for pair in made.of("KeyPair")}, filled - {""}


def test_the_first_generation_is_in_the_first_slot(deploy: Deploy) -> None:
    assert slots(deploy, 1) == ({"dbt": 1}, {"first"})


@pytest.mark.parametrize(
    ("generation", "pairs"),
    [(2, {"dbt": 1, "dbt.second": 2}), (3, {"dbt": 3, "dbt.second": 2}), (4, {"dbt": 3, "dbt.second": 4})],
)
def test_a_new_generation_leaves_the_present_pair_alone(deploy: Deploy, generation: int, pairs: dict[str, int]) -> None:
    assert slots(deploy, generation) == (pairs, {"first", "second"})


@pytest.mark.parametrize(("generation", "slot"), [(1, "dbt"), (2, "dbt.second"), (3, "dbt")])
def test_what_logs_in_gets_the_newest_private_key(deploy: Deploy, generation: int, slot: str) -> None:
    token = "pulumi-python:dynamic/rsa:KeyPair"
    found: list[str] = []

    def program() -> Keys:
        keys = Keys("keys", {"dbt": generation})
        keys.private_keys["dbt"].apply(found.append)
        return keys

    deploy(program, computed={token: lambda name, _inputs: {"private_key": f"pem of {name}"}})
    assert found == [f"pem of {slot}"]
