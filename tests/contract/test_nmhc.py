"""The way of the NMHC scores back to HubSpot, run by Node; and Apollo's source against Apollo's own description."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.n8n.workflow_files import PLACE, read
from components.nmhc import FILES
from components.nmhc.references import FIELDS

REPOSITORY = Path(__file__).parents[2]
NODE = shutil.which("node")
NAMES = {"NMHC_RANK": "nmhc_rank", "SCORE": "sophia_opportunity_score", "TIER": "tier", "AREAS": "areas"}

_RUN = """
const { code, items, earlier } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const of = (found) => ({ all: () => found, first: () => found[0] });
try {
  const made = new Function('$input', '$', code)(of(items), (name) => of(earlier[name]));
  console.log(JSON.stringify({ made }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
"""


def run(node: str, items: list[Any], **earlier: list[Any]) -> Any:
    """What a Code node of the workflow makes of its items, or the text of its error."""
    if NODE is None:
        pytest.skip("there is no Node: the workflow's code is not run")
    ((_, path),) = FILES.values()
    code = next(one["parameters"]["jsCode"] for one in read(path).nodes if one["name"] == node)
    code = PLACE.sub(lambda place: {"properties": json.dumps(NAMES)}[place[1]], code)
    wrapped = {name.replace("_", " "): [{"json": one} for one in found] for name, found in earlier.items()}
    given = {"code": code, "items": [{"json": one} for one in items], "earlier": wrapped}
    done = subprocess.run([NODE, "-e", _RUN], input=json.dumps(given), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["error"] if "error" in answer else [one["json"] for one in answer["made"]]


def wanted(id_: str, rank: str = "1", score: str = "71.4", tier: str = "A", areas: str | None = "operations") -> Any:
    return {"COMPANY_ID": id_, "NMHC_RANK": rank, "SCORE": score, "TIER": tier, "AREAS": areas}


def company(id_: str, **properties: str | None) -> dict[str, Any]:
    return {"id": id_, "properties": {"hs_object_id": id_, **properties}}


def test_a_hundred_companies_are_asked_for_at_a_time() -> None:
    batches = run("Batches of 100", [wanted(str(number)) for number in range(101)])
    assert [len(batch["companies"]) for batch in batches] == [100, 1]
    assert batches[0]["properties"] == list(NAMES.values())
    assert batches[1]["companies"][0]["properties"] == {
        "nmhc_rank": "1",
        "sophia_opportunity_score": "71.4",
        "tier": "A",
        "areas": "operations",
    }


def test_only_what_differs_is_written() -> None:
    rows = [wanted("1"), wanted("2"), wanted("3", "", "", "", None), wanted("4", "", "", "", ""), wanted("5")]
    batches = run("Batches of 100", rows)
    same = {"nmhc_rank": "1", "sophia_opportunity_score": "71.40", "tier": "A", "areas": "operations"}
    has = [
        company("1", **same),  # 71.40 is 71.4
        company("2", **{**same, "tier": "B", "nmhc_rank": None}),
        company("3", **same),  # no longer on the list
        company("4", nmhc_rank=None, sophia_opportunity_score="", tier=None, areas=None),
    ]  # 5 was deleted in HubSpot
    missing = {"category": "OBJECT_NOT_FOUND", "context": {"ids": ["5"]}}
    read_ = {"statusCode": 207, "body": {"results": has, "errors": [missing]}}
    ((sent),) = run("What differs", [read_], Batches_of_100=batches)
    assert sent == {
        "inputs": [
            {"id": "2", "properties": {"nmhc_rank": "1", "tier": "A"}},
            {"id": "3", "properties": dict.fromkeys(NAMES.values(), "")},
        ]
    }


def test_where_nothing_differs_hubspot_is_asked_for_no_change() -> None:
    batches = run("Batches of 100", [wanted("1")])
    same = company("1", nmhc_rank="1.0", sophia_opportunity_score="71.4", tier="A", areas="operations")
    assert run("What differs", [{"statusCode": 200, "body": {"results": [same]}}], Batches_of_100=batches) == []


def test_what_hubspot_refuses_fails_the_run() -> None:
    batches = run("Batches of 100", [wanted("1")])
    refused = {"statusCode": 403, "body": {"message": "missing scopes", "category": "MISSING_SCOPES"}}
    assert "HubSpot answered 403" in run("What differs", [refused], Batches_of_100=batches)
    odd = {"statusCode": 207, "body": {"results": [], "errors": [{"category": "VALIDATION_ERROR"}]}}
    assert "VALIDATION_ERROR" in run("What differs", [odd], Batches_of_100=batches)
    unknown = {"statusCode": 400, "body": {"errors": [{"code": "PROPERTY_DOESNT_EXIST"}]}}
    assert "PROPERTY_DOESNT_EXIST" in run("All of it was taken", [unknown])
    assert run("All of it was taken", [{"statusCode": 200, "body": {"results": [1, 2]}}]) == [{"changed": 2}]


@pytest.mark.parametrize("stream", ["accounts", "contacts"])
def test_apollos_source_asks_and_reads_what_apollo_describes(stream: str, spec: Callable[[str], Any]) -> None:
    document = spec("apollo/apollo_rest_api_openapi.json").document
    declared = yaml.safe_load((REPOSITORY / "connectors" / "apollo.yaml").read_text())["definitions"]
    ours = declared["streams"][stream]
    requester = ours["retriever"]["requester"]
    operation = document["paths"]["/" + requester["path"]]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    paging = {declared["pages"][name]["field_name"] for name in ("page_token_option", "page_size_option")}
    assert requester["request_body_json"].keys() | paging <= body.keys()
    answered = operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    (extracted,) = ours["retriever"]["record_selector"]["extractor"]["field_path"]
    described = answered[extracted]["items"]["properties"]
    columns = ours["schema_loader"]["schema"]["properties"]
    assert columns.keys() <= described.keys()
    assert {*FIELDS["apollo", stream]} <= columns.keys(), "what the score reads is landed"
