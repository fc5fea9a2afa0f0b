"""What the workflows of competitive intelligence do in their Code nodes, run by Node.js as n8n would run them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from components.competitors import FILES
from components.competitors.objects import VISIT_COLUMNS
from components.n8n.workflow_files import PLACE, read

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node.js: the Code nodes are not run")

VALUES = {"stack": "sophia-ai/dev", "agent": "PayReadyPageWatch", "contact": "us@payready.com"}
SITE = "https://elise.test.example"

HARNESS = """
const { code, each, input, nodes } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const items = (list) => list.map((json) => ({ json }));
const moment = { toUTC: () => ({ toISO: () => '2026-11-22T06:15:00.000Z' }) };
const run = new Function('$input', '$json', '$', '$execution', '$now', code);
const call = (json, index) => run(
  { all: () => items(input), first: () => items(input)[0] },
  json,
  (name) => ({ all: () => items(nodes[name]), first: () => items(nodes[name])[0], item: items(nodes[name])[index] }),
  { id: '7' },
  moment,
);
const result = each ? input.map((json, index) => call(json, index)) : call(input[0], 0);
process.stdout.write(JSON.stringify(result.map(({ json }) => json)));
"""


def run(
    workflow: str,
    node: str,
    given: Sequence[Mapping[str, Any]],
    nodes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> list[dict[str, Any]]:
    """What a Code node makes of its items; ``nodes`` are those that it looks back at. RuntimeError if it throws."""
    (found,) = [one for one in read(FILES[workflow][1]).nodes if one["name"] == node]
    parameters = found["parameters"]
    code = PLACE.sub(lambda place: VALUES[place[1]], parameters["jsCode"])
    sent = {"code": code, "each": parameters["mode"] == "runOnceForEachItem", "input": given, "nodes": nodes or {}}
    done = subprocess.run(
        [str(NODE), "-e", HARNESS], input=json.dumps(sent), capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


def allowed(robots: Mapping[str, Any], *paths: str) -> list[bool]:
    """Whether the pages at ``paths`` may be read after such an answer for robots.txt."""
    pages = [{"COMPETITOR": "elise-ai", "PAGE": f"p{n}", "URL": SITE + path} for n, path in enumerate(paths)]
    assert run("pages", "Sites", pages) == [{"origin": SITE}], "a site's rules are asked for once"
    decided = run("pages", "Allowed", [robots], {"Sites": [{"origin": SITE}], "Pages": pages})
    assert all(one["allowed"] or one["reason"] for one in decided)
    return [one["allowed"] for one in decided]


def rules(text: str) -> dict[str, Any]:
    return {"statusCode": 200, "data": text}


@pytest.mark.parametrize(
    ("robots", "expected"),
    [
        (rules("User-agent: *\nDisallow: /"), [False, False]),
        (rules("User-agent: *\nDisallow:"), [True, True]),
        (rules("User-agent: *\nDisallow: /pri"), [False, True]),
        (rules("User-agent: *\nDisallow: /\n\nUser-agent: payreadypagewatch\nDisallow: /careers"), [True, False]),
        (rules("User-agent: GoogleBot\nUser-agent: PayReadyPageWatch\nDisallow: /pricing # no\n"), [False, True]),
        (rules("User-agent: *\r\nDisallow: /\r\nAllow: /careers$\r\n"), [False, True]),
        (rules("User-agent: *\nDisallow: /*ing\nAllow: /p"), [False, True]),
        (rules("User-agent: *\nDisallow: /pricing\nAllow: /pricing"), [True, True]),
        (rules("Sitemap: https://x/\n"), [True, True]),
        ({"statusCode": 404, "data": "no such page"}, [True, True]),
        ({"statusCode": 503, "data": ""}, [False, False]),
        ({"error": {"message": "getaddrinfo ENOTFOUND"}}, [False, False]),
    ],
)
def test_a_page_is_asked_for_where_the_site_allows_it(robots: dict[str, Any], expected: list[bool]) -> None:
    assert allowed(robots, "/pricing", "/careers") == expected


HTML = f"""<!doctype html><html><head><title>Prices</title><script>var t = "14:03";</script></head><body>
<!-- built 2026-11-22 --><nav><a href="/">Home</a> <a href='#top'>Top</a></nav>
<style>.x {{}}</style><h2>Growth</h2><p>$<b>1</b>.20&nbsp;per   unit &amp; month</p>
<noscript>Enable it</noscript><p>{"What we do for operators of apartments. " * 6}</p>
<ul><li><a class="job" href="../careers/2?x=1">Head of <i>Collections</i></a></li>
<li><a href="mailto:a@b.example">Mail</a></li><li><a href="//jobs.example/3">Recruiter</a></li></ul>&#233;&#xe9;
</body></html>"""
PAGE = {"COMPETITOR": "elise-ai", "PAGE": "pricing", "URL": f"{SITE}/plans/pricing", "allowed": True, "reason": None}


def visited(response: Mapping[str, Any], **page: Any) -> dict[str, Any]:
    (row,) = run("pages", "As rows", [response], {"Allowed": [{**PAGE, **page}]})
    assert list(row) == list(VISIT_COLUMNS)
    return row


def test_a_page_becomes_the_lines_that_a_person_reads_and_its_links() -> None:
    headers = {"content-type": "text/html; charset=utf-8", "etag": '"a"', "last-modified": "Sun"}
    row = visited({"statusCode": 200, "headers": headers, "data": HTML})
    assert (row["OUTCOME"], row["STATUS"], row["ETAG"], row["LAST_MODIFIED"]) == ("READ", 200, '"a"', "Sun")
    assert (row["VISIT_ID"], row["VISITED_AT"]) == ("sophia-ai/dev/7/elise-ai.pricing", "2026-11-22T06:15:00.000Z")
    lines = row["CONTENT"].split("\n")
    assert lines[:3] == ["Home Top", "Growth", "$1.20 per unit & month"]
    assert lines[-4:] == ["Head of Collections", "Mail", "Recruiter", "éé"]
    assert not {"14:03", "built", "Enable"} & set(row["CONTENT"].split())
    assert json.loads(row["LINKS"]) == [
        {"url": f"{SITE}/", "text": "Home"},
        {"url": f"{SITE}/careers/2?x=1", "text": "Head of Collections"},
        {"url": "https://jobs.example/3", "text": "Recruiter"},
    ]


@pytest.mark.parametrize(
    ("response", "page", "outcome", "reason"),
    [
        ({"statusCode": 304, "headers": {}}, {}, "UNCHANGED", None),
        ({"statusCode": 500, "headers": {}}, {}, "FAILED", "the site answers 500"),
        ({"statusCode": 403, "headers": {}}, {}, "REFUSED", "the site answers 403"),
        ({"statusCode": 429, "headers": {}}, {}, "REFUSED", "the site answers 429"),
        ({"error": {"message": "timeout of 30000ms exceeded"}}, {}, "FAILED", "timeout of 30000ms exceeded"),
        (
            {"URL": SITE},
            {"allowed": False, "reason": "its robots.txt forbids it"},
            "REFUSED",
            "its robots.txt forbids it",
        ),
        (
            {"statusCode": 200, "headers": {"content-type": "text/html"}, "data": "<div id=app></div>"},
            {},
            "FAILED",
            "it has 0 characters of text without its scripts",
        ),
        (
            {"statusCode": 200, "headers": {"content-type": "application/pdf"}, "data": "%PDF"},
            {},
            "FAILED",
            "it is no page, but application/pdf",
        ),
    ],
)
def test_what_was_not_read_is_landed_with_its_reason(
    response: dict[str, Any], page: dict[str, Any], outcome: str, reason: str | None
) -> None:
    row = visited(response, **page)
    assert (row["OUTCOME"], row["REASON"], row["CONTENT"], row["LINKS"]) == (outcome, reason, None, None)


def change(kind: str, before: str | None, after: str | None, visit: str = "v1") -> dict[str, Any]:
    return {
        "VISIT_ID": visit,
        "NAME": "Elise & AI",
        "PAGE": "pricing",
        "URL": SITE,
        "KIND": kind,
        "BEFORE_TEXT": before,
        "AFTER_TEXT": after,
    }


def test_what_a_visit_found_is_one_message_and_nothing_in_it_is_slacks_markup() -> None:
    changes = [
        change("PRICE", "Growth · $1", "Growth · $2"),
        change("TEXT", "old <!channel>", "new\nlines"),
        change("JOB", None, f"Head of A|B {SITE}/careers/2", "v2"),
    ]
    first, second = run("changes", "Messages", changes)
    assert first["visit"] == "v1"
    assert first["text"].split("\n") == [
        f":mag: *Elise &amp; AI* · <{SITE}|pricing> · sophia-ai/dev",
        "*Price*",
        "> ~Growth · $1~",
        "> *Growth · $2*",
        "*Text*",
        "> new",
        "> lines",
        "gone:",
        "> old &lt;!channel&gt;",
    ]
    assert second["text"].endswith(f"*New job* <{SITE}/careers/2|Head of A/B>")
    many = [change("NEWS", None, f"Article {n} {SITE}/{n}") for n in range(300)]
    (long,) = run("changes", "Messages", many)
    assert long["text"].endswith("and 290 more")


FIGURES = {
    "WEEK": "2026-11-16", "NAME": "EliseAI", "PAGES": 3, "PAGES_READ": 2, "PRICES": 1, "JOBS": 2, "NEW_PAGES": 0,
    "NEWS": 0, "TEXTS": 0, "CALLS": 1, "CALLS_BEFORE": 4, "TOLD_AT": None, "IS_OURS": True,
}  # fmt: skip


def test_the_report_says_the_figures_and_what_they_are_about() -> None:
    quiet = {**FIGURES, "NAME": "Hunter Warfield", "PRICES": 0, "JOBS": 0, "PAGES": 2, "CALLS": None}
    written = run("report", "Written", [FIGURES, quiet])
    found = [{**change("PRICE", "Growth · $1", "Growth · $2"), "NAME": "EliseAI"}]
    (report,) = run("report", "Report", found, {"Written": written})
    assert report["text"].split("\n") == [
        ":bar_chart: *Competitors, week of 2026-11-16* · sophia-ai/dev",
        "",
        "*EliseAI*: new: 1 price, 2 jobs; named in 1 call (the week before: 4)",
        "• ~Growth · $1~ → *Growth · $2*",
        ":warning: 1 of 3 pages could not be read all week",
        "",
        "*Hunter Warfield*: nothing new; calls: not counted",
    ]
    (without,) = run("report", "Report", [{}], {"Written": written})
    assert "$1" not in without["text"]


def test_a_report_is_told_once_and_one_that_is_not_written_is_an_error() -> None:
    assert run("report", "Written", [{**FIGURES, "IS_OURS": False}, {**FIGURES, "TOLD_AT": "x"}]) == []
    with pytest.raises(RuntimeError, match="Snowflake has not written the report"):
        run("report", "Written", [{}])
