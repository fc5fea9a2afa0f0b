"""UserGems through the real engine: a secret that n8n compares and a person enters, and nothing that anybody is asked."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout


def compared(checkout: Checkout) -> dict[str, Any]:
    """n8n's credential, as far as it shows it."""
    (one,) = [one for one in checkout.objects("n8n", "credential").values() if one["name"].startswith("UserGems")]
    return one


def test_the_secret_is_minted_compared_recorded_and_renewed(checkout: Checkout) -> None:
    settings = copy.deepcopy({name: checkout.settings()[name] for name in ("n8n", "usergems")})
    keep = {"usergems-webhook"}
    settings["n8n"] = {
        "tokens": {},
        "tags": settings["n8n"]["tags"],
        "credentials": {key: one for key, one in settings["n8n"]["credentials"].items() if key in keep | {"slack"}},
        "workflows": {"usergems-job-change": settings["n8n"]["workflows"]["usergems-job-change"]},
    }
    workflow = settings["n8n"]["workflows"]["usergems-job-change"]
    del workflow["error_workflow"]
    workflow["values"] = {"channel": "C0123456789"}
    checkout.configure(**settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    shown = checkout.run("outputs", "dev", "--show-secrets").stdout
    (secret,) = re.findall(r"\b[0-9a-f]{64}\b", shown)
    assert secret not in checkout.run("outputs", "dev", "--json").stdout
    assert "ciphertext" in json.dumps(
        next(r for name, r in checkout.resources().items() if "passwords:Password" in name)["outputs"]["password"]
    )
    mark, before = checkout.running.mark(), compared(checkout)
    assert not dev.up(skip_preview=True).has_changes

    (report,) = json.loads(checkout.run("health", "dev", "--json", "--platform", "usergems").stdout)["health"]
    (check,) = report["checks"]
    assert (check["verdict"], check["problems"], check["checked"]) == ("unasked", [], [])
    assert "nobody can ask" in check["unasked"]
    assert "unasked" in checkout.run("health", "dev", "--platform", "usergems").stdout
    told = checkout.run("credentials", "dev", "--json").stdout
    records = {one["name"]: one for one in json.loads(told)["credentials"] if one["platform"] == "usergems"}
    assert records.keys() == {"USERGEMS_API_KEY", "webhook's shared secret job-changes"}
    assert {one["authenticates"] for one in records.values()} == {None}
    assert secret not in told

    settings["usergems"]["webhooks"]["job-changes"]["generation"] = 2
    checkout.configure(**settings)
    dev.up(skip_preview=True)
    renewed = checkout.run("outputs", "dev", "--show-secrets").stdout
    assert secret not in renewed
    assert compared(checkout)["id"] == before["id"]
    assert [e.path for e in checkout.running.journal(since=mark).entries if e.method == "PATCH"], "n8n got it as well"
    assert "usergems" not in {entry.platform for entry in checkout.running.journal().entries}
