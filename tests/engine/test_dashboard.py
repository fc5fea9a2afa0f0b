"""The executive dashboard through the real engine: made over an empty warehouse, changed in one step, gone without rest."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

VIEW, PAGE, FILE, GRANT = (
    f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"
    for kind in ("View", "Streamlit", "Execute", "GrantPrivilegesToAccountRole")
)


def dev(checkout: Checkout) -> dict[str, Any]:
    """The warehouse of the dev stack without what the dashboard does not need, and the dashboard."""
    document = yaml.safe_load((checkout.directory / "Pulumi.dev.yaml").read_text())["config"]
    whole, dashboard = document["sophia-ai:snowflake"], document["sophia-ai:dashboard"]
    tables = ("payments", "collections", "operator-fees", "operator-units", "marketing-spend", "won-deals")
    snowflake = {name: whole[name] for name in ("account", "database", "warehouses")}
    snowflake["schemas"] = {
        key: {"name": whole["schemas"][key]["name"]} for key in ("core", "executive", "raw-hubspot")
    }
    snowflake["roles"] = {"executive": whole["roles"]["executive"]}
    snowflake["tables"] = {key: whole["tables"][key] for key in tables}
    return {"snowflake": snowflake, "dashboard": dashboard}


def test_the_page_follows_its_files_and_goes_with_its_setting(checkout: Checkout) -> None:
    (checkout.directory / "components").unlink()
    (checkout.directory / "dashboard").unlink()
    source = checkout.directory / "providers"
    for name in ("components", "dashboard"):
        shutil.copytree(source.resolve().parent / name, checkout.directory / name)
    settings = dev(checkout)
    checkout.configure(**settings)
    stack = checkout.stack()
    stack.up()
    (page,) = checkout.objects("snowflake", PAGE).values()
    folder = page["properties"]["directoryLocation"]
    files = {one["properties"]["revert"].rpartition("/")[2] for one in checkout.objects("snowflake", FILE).values()}
    assert files == {"streamlit_app.py", "environment.yml"}
    assert len(checkout.objects("snowflake", VIEW)) == 7
    assert not stack.up(skip_preview=True).has_changes
    assert not stack.drift()
    (check,) = json.loads(checkout.run("health", "dev", "--platform", "dashboard", "--json").stdout)["health"][0][
        "checks"
    ]
    assert check["verdict"] == "well"
    assert "views and how new they are" in check["checked"]

    file = checkout.directory / "dashboard" / "environment.yml"
    file.write_text(file.read_text() + "# another day\n")
    stack.up(skip_preview=True)
    (page,) = checkout.objects("snowflake", PAGE).values()
    assert page["properties"]["directoryLocation"] != folder
    left = [one["properties"]["revert"] for one in checkout.objects("snowflake", FILE).values()]
    assert len(left) == 2
    assert not [path for path in left if folder in path], "the old files are taken away"

    checkout.configure(snowflake=settings["snowflake"])
    stack.up(skip_preview=True)
    for kind in (VIEW, PAGE, FILE):
        assert not checkout.objects("snowflake", kind)
    assert len(checkout.objects("snowflake", "snowflake:index/table:Table")) == 6, "what the tables hold is not its own"
