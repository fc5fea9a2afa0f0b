"""Where the three meet: Airbyte and Estuary load as users, with roles and into schemas, that the warehouse made for them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Checkout, NewCheckout

PREFIX = "sophia-ai/dev/"


@pytest.fixture(scope="module")
def deployed(new_checkout: NewCheckout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The data side of stack dev, from source to mart."""
    directory: Path = tmp_path_factory.mktemp("loading") / "checkout"
    with new_checkout(directory) as made:
        settings = made.settings()
        made.configure(**{name: settings[name] for name in ("snowflake", "airbyte", "estuary")})
        made.stack().up(skip_preview=True)
        yield made


@pytest.fixture
def settings(deployed: Checkout) -> Iterator[dict[str, Any]]:
    """As the stack file has them; a test changes its own copy."""
    file = deployed.directory / "Pulumi.dev.yaml"
    text = file.read_text()
    yield deepcopy(deployed.settings())
    file.write_text(text)


def without_gong(settings: dict[str, Any]) -> dict[str, Any]:
    """All that the stack file says of one source of Airbyte's."""
    del settings["airbyte"]["sources"]["gong"]
    del settings["airbyte"]["connections"]["gong-to-raw"]
    return without_schema(settings, "raw-gong")


def without_schema(settings: dict[str, Any], schema: str) -> dict[str, Any]:
    del settings["snowflake"]["schemas"][schema]
    for role in settings["snowflake"]["roles"].values():
        for right in ("read", "write"):
            role[right] = [key for key in role.get(right, []) if key != schema]
        role.get("create", {}).pop(schema, None)
    return settings


def deleted(checkout: Checkout, since: int) -> list[str]:
    """The kinds of what was deleted, in its order: ``airbyte connections``, ``snowflake GrantAccountRole``."""
    entries = checkout.running.journal(methods=["DELETE"], since=since).entries
    return [f"{e.platform} {e.path.split('/')[-2].rpartition(':')[2]}" for e in entries]


def test_each_loads_as_a_user_of_its_own_into_schemas_of_its_own(deployed: Checkout) -> None:
    (destination,) = deployed.objects("airbyte", "destination").values()
    assert destination["configuration"]["username"] == "SOPHIA_AI_DEV_AIRBYTE"
    connections = {c["name"]: c for c in deployed.objects("airbyte", "connection").values()}
    assert {c["namespaceFormat"] for c in connections.values()} == {
        "RAW_GONG",
        "RAW_HUBSPOT",
        "RAW_LINEAR",
        "RAW_APOLLO",
        "RAW_ENTRATA",
    }
    spec = deployed.objects("estuary", "live_spec")[f"{PREFIX}snowflake-raw"]["spec"]
    config = spec["endpoint"]["connector"]["config"]
    assert (config["credentials"]["user"], config["schema"]) == ("SOPHIA_AI_DEV_ESTUARY", "RAW_POSTGRES")
    assert config["role"] != destination["configuration"]["role"]


def test_a_source_goes_with_its_pipe_then_its_grants_then_its_schema(
    deployed: Checkout, settings: dict[str, Any]
) -> None:
    since = deployed.running.mark()
    deployed.configure(**without_gong(settings))
    result = deployed.stack().up(skip_preview=True)
    order = deleted(deployed, since)
    assert order.index("airbyte connections") < order.index("snowflake GrantAccountRole")
    assert order.index("airbyte connections") < order.index("snowflake GrantPrivilegesToAccountRole")
    after = order[order.index("snowflake Schema") :]
    assert not [what for what in after if what.startswith("snowflake Grant")], "nobody has a right in it any more"
    touched = {f"{c.resource.kind} {c.resource.name}" for c in result.changes if c.operation != "delete"}
    assert touched == {"tag association sensitivity.PERSONAL.schema"}, (
        "Snowflake's list of what bears the tag, and no more"
    )
    assert not deployed.stack().up(skip_preview=True).has_changes


def test_a_schema_that_a_pipe_still_uses_is_not_taken_away(deployed: Checkout, settings: dict[str, Any]) -> None:
    deployed.configure(**without_schema(settings, "raw-hubspot"))
    refused = deployed.run("up", "dev", "--yes", code=3)
    assert "airbyte.connections.hubspot-to-raw.schema" in refused.stderr
    assert 'no value "raw-hubspot"' in refused.stderr
    assert any(o["properties"]["name"] == "RAW_HUBSPOT" for o in schemas(deployed))


def schemas(checkout: Checkout) -> list[dict[str, Any]]:
    return list(checkout.objects("snowflake", "snowflake:index/schema:Schema").values())


def test_a_new_key_pair_reaches_the_loader_and_the_old_one_stays_valid(
    deployed: Checkout, settings: dict[str, Any]
) -> None:
    deployed.configure(**settings)
    deployed.stack().up(skip_preview=True)
    before = user(deployed, "SOPHIA_AI_DEV_ESTUARY")
    published = deployed.objects("estuary", "live_spec")[f"{PREFIX}snowflake-raw"]["last_pub_id"]
    settings["snowflake"]["users"]["estuary"]["key_generation"] = 2
    deployed.configure(**settings)
    deployed.stack().up(skip_preview=True)
    after = user(deployed, "SOPHIA_AI_DEV_ESTUARY")
    assert after["rsaPublicKey"] == before["rsaPublicKey"]
    assert after["rsaPublicKey2"] not in (None, before["rsaPublicKey"])
    live = deployed.objects("estuary", "live_spec")
    assert live[f"{PREFIX}snowflake-raw"]["last_pub_id"] > published
    assert live[f"{PREFIX}sophia-postgres-cdc"]["last_pub_id"] <= published, "the capture knows nothing of it"


def user(checkout: Checkout, name: str) -> dict[str, Any]:
    users = checkout.objects("snowflake", "snowflake:index/serviceUser:ServiceUser").values()
    found: dict[str, Any] = next(u["properties"] for u in users if u["properties"]["name"] == name)
    return found
