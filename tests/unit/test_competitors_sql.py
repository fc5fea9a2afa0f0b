"""The SQL of competitive intelligence, as Snowflake gets it, parsed and executed on pages that are made up here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import fakesnow
import pytest
import sqlglot
from snowflake.connector.cursor import SnowflakeCursor
from sqlglot import exp

from components.competitors import FILES
from components.n8n.workflow_files import read
from components.settings import Stage
from tests.unit import competitors_estate as its

Deploy = Callable[..., Any]
MONDAY = "2026-11-23"
"""When the weekly tasks run here: the last whole week is from the 16th to the 22nd of November."""

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")  # fakesnow asks for it

WATCHED: dict[str, Any] = {
    "elise-ai": {
        "name": "EliseAI",
        "trackers": ["EliseAI"],
        "pages": {
            "pricing": {"url": "https://elise.test.example/pricing", "kind": "pricing", "every": "daily"},
            "careers": {
                "url": "https://elise.test.example/careers", "kind": "careers", "every": "daily", "links": "/Careers/",
            },
        },
    },
    "hunter-warfield": {
        "name": "Hunter Warfield",
        "trackers": ["Hunter Warfield"],
        "pages": {"services": {"url": "https://hunter.test.example/", "kind": "product", "every": "daily"}},
    },
}  # fmt: skip
VISITS = {"daily": {"cron": "15 6 * * *", "overdue_hours": 50}}


class Warehouse:
    """fakesnow with the module's tables and views, as the recorded engine was given them."""

    def __init__(self, deployment: Any, cursor: SnowflakeCursor) -> None:
        self.deployment, self.cursor = deployment, cursor
        self.count = 0
        for schema in ("RAW_COMPETITORS", "COMPETITORS", "RAW_GONG"):
            self.run(f"CREATE SCHEMA {schema}")
        for table in deployment.of("Table"):
            columns = ", ".join(f"{column['name']} {column['type']}" for column in table.inputs["columns"])
            self.run(f"CREATE TABLE {table.inputs['schema']}.{table.inputs['name']} ({columns})")
        self.stream_since("1970-01-01")
        # In the order in which they were registered: those that are read come first.
        for view in deployment.of("View"):
            self.run(f"CREATE VIEW {view.inputs['schema']}.{view.inputs['name']} AS {view.inputs['statement']}")

    def run(self, sql: str) -> list[dict[str, Any]]:
        self.cursor.execute(sql)
        names = [column[0] for column in self.cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def stream_since(self, moment: str) -> None:
        """fakesnow has no streams: what a stream would show are the rows since it was last used."""
        stream = self.deployment.one("StreamOnTable", "new-visits").inputs
        rows = f"SELECT * FROM RAW_COMPETITORS.PAGE_VISITS WHERE VISITED_AT > '{moment}'::TIMESTAMP_TZ"
        self.run(f"CREATE OR REPLACE VIEW {stream['schema']}.{stream['name']} AS {rows}")

    def visit(self, page: str, day: str, *lines: str, links: dict[str, str] | None = None, **more: Any) -> None:
        """Lands what a visit has read; ``page`` is ``competitor.page``, ``links`` are texts by address."""
        self.count += 1
        competitor, name = page.split(".")
        row = {
            "VISIT_ID": f"v{self.count}",
            "COMPETITOR": competitor,
            "PAGE": name,
            "URL": WATCHED[competitor]["pages"][name]["url"],
            "VISITED_AT": f"{day}T06:15:00.000Z",
            "OUTCOME": "READ",
            "STATUS": 200,
            "CONTENT": "\n".join(lines),
            "LINKS": json.dumps([{"url": url, "text": text} for url, text in (links or {}).items()]),
        } | more
        places = ", ".join(["%s"] * len(row))
        self.cursor.execute(
            f"INSERT INTO RAW_COMPETITORS.PAGE_VISITS ({', '.join(row)}) VALUES ({places})", list(row.values())
        )

    def task(self, name: str, now: str = f"{MONDAY}T12:00:00") -> None:
        """Runs a task at a moment."""
        moment = exp.cast(exp.Literal.string(f"{now}+00:00"), "TIMESTAMPTZ")
        statement = sqlglot.parse_one(self.deployment.one("Task", name).inputs["sqlStatement"], read="snowflake")
        fixed = statement.transform(lambda node: moment.copy() if isinstance(node, exp.CurrentTimestamp) else node)
        self.run(fixed.sql("snowflake"))

    def changes(self, day: str = "1970-01-01") -> list[tuple[str, str | None, str | None]]:
        """What the visits since ``day`` have changed, found by the task."""
        self.stream_since(day)
        before = {row["CHANGE_ID"] for row in self.run("SELECT CHANGE_ID FROM COMPETITORS.CHANGES")}
        self.task("find-changes")
        rows = self.run("SELECT * FROM COMPETITORS.CHANGES ORDER BY KIND, AFTER_TEXT")
        return [(r["KIND"], r["BEFORE_TEXT"], r["AFTER_TEXT"]) for r in rows if r["CHANGE_ID"] not in before]


@pytest.fixture
def deployment(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Any:
    its.surroundings(monkeypatch)
    return its.deployed(deploy, its.settings(watched=WATCHED, visits=VISITS))


@pytest.fixture
def warehouse(deployment: Any) -> Iterator[Warehouse]:
    with fakesnow.patch():
        import snowflake.connector

        with snowflake.connector.connect(database="SOPHIA_AI_DEV", schema="PUBLIC") as connection:
            yield Warehouse(deployment, connection.cursor())


@pytest.mark.parametrize("stage", list(Stage))
def test_every_statement_is_snowflakes_sql_in_its_own_stage(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    its.surroundings(monkeypatch)
    deployment = its.deployed(deploy, its.settings(stage.value), stage)
    found = {f"view {one.name}": one.inputs["statement"] for one in deployment.of("View")}
    found |= {f"task {one.name}": one.inputs["sqlStatement"] for one in deployment.of("Task")}
    for workflow in deployment.of("Workflow"):
        for node in workflow.inputs["nodes"]:
            if "query" in node["parameters"]:
                query = re.sub(r"\{\{.*?\}\}", "1", node["parameters"]["query"])
                found[f"{workflow.name}: {node['name']}"] = query
    assert len(found) >= 17
    database = deployment.one("Database").inputs["name"]
    for what, sql in found.items():
        (parsed,) = sqlglot.parse(sql, read="snowflake")
        assert parsed is not None
        assert not list(parsed.find_all(exp.Command)), f"{what} was not understood: {sql}"
        assert not re.search(r"\{[a-z]", sql), what
        tables = {table.catalog for table in parsed.find_all(exp.Table) if not isinstance(table.this, exp.Var)}
        assert tables <= {database, ""}, f"{what} reaches into another stage"


def test_the_columns_of_the_views_are_those_that_are_declared(warehouse: Warehouse) -> None:
    for view in warehouse.deployment.of("View"):
        warehouse.cursor.execute(f"SELECT * FROM {view.inputs['schema']}.{view.inputs['name']} LIMIT 0")
        declared = [column["columnName"] for column in view.inputs["columns"]]
        assert [column[0] for column in warehouse.cursor.description] == declared, view.name


BEFORE = ("Simple prices", "Growth", "$1.20 per unit and month", "Enterprise", "$2.00 per unit and month")


def test_a_first_visit_is_no_change(warehouse: Warehouse) -> None:
    warehouse.visit("elise-ai.pricing", "2026-11-16", *BEFORE)
    warehouse.visit("elise-ai.careers", "2026-11-16", links={"https://elise.test.example/careers/1": "Engineer"})
    assert warehouse.changes() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Simple   prices ", "Simple\tprices"),
        ("Updated November 16, 2026 at 6:15 AM EST", "Updated November 17, 2026 at 7:02 PM EST"),
        ("As of 2026-11-16T06:15:00Z", "As of 2026-11-17T06:16:12Z"),
        ("Seen by 3 people, 5 minutes ago", "Seen by 3 people, an hour ago"),
        (
            "© 2025 EliseAI, all rights reserved in all countries",
            "© 2026 EliseAI, all rights reserved in all countries",
        ),
        ("More than 1,250,000 units trust us", "More than 1,300,000 units trust us"),
        (
            "SIMPLE PRICES FOR EVERYBODY WHO RENTS OUT APARTMENTS",
            "Simple prices for everybody who rents out apartments",
        ),
        ("Try it", "Try it now"),
        ("", "\n\n"),
    ],
)
def test_white_space_dates_and_little_things_are_no_change(warehouse: Warehouse, old: str, new: str) -> None:
    warehouse.visit("elise-ai.pricing", "2026-11-16", *BEFORE, old)
    warehouse.visit("elise-ai.pricing", "2026-11-17", *BEFORE, new)
    assert warehouse.changes() == []


def test_a_price_that_changed_is_told_with_its_plan_and_once(warehouse: Warehouse) -> None:
    warehouse.visit("elise-ai.pricing", "2026-11-16", *BEFORE)
    after = [line.replace("$2.00", "$2.40") for line in BEFORE]
    warehouse.visit("elise-ai.pricing", "2026-11-17", *after)
    price = "per unit and month"
    assert warehouse.changes("2026-11-17") == [
        ("PRICE", f"Enterprise · $2.00 {price}", f"Enterprise · $2.40 {price}")
    ], "the other plan's price, and the text around it, are as they were"
    assert warehouse.changes("2026-11-17") == [], "a task that runs again finds nothing"
    warehouse.visit("elise-ai.pricing", "2026-11-18", *after)
    assert warehouse.changes("2026-11-18") == []
    warehouse.visit("elise-ai.pricing", "2026-11-19", *BEFORE)
    assert warehouse.changes("2026-11-19") == [], "an experiment of theirs goes back and forth, and was told"
    warehouse.visit("elise-ai.pricing", "2027-01-19", *after)
    assert len(warehouse.changes("2027-01-19")) == 1, "after so long it is news again"


NEW_TEXT = "New: voice agents that take maintenance calls, in every plan"


def test_text_that_is_new_or_gone_is_one_change_of_the_visit(warehouse: Warehouse) -> None:
    old_text = "Our agents answer leasing questions by text and mail, day and night"
    warehouse.visit("hunter-warfield.services", "2026-11-16", "Services", old_text)
    warehouse.visit("hunter-warfield.services", "2026-11-17", "Services", old_text)
    warehouse.visit("hunter-warfield.services", "2026-11-18", "Services", NEW_TEXT)
    assert warehouse.changes() == [("TEXT", old_text, NEW_TEXT)]


def test_what_comes_and_goes_is_told_when_it_comes_first(warehouse: Warehouse) -> None:
    praise = [f"“The best that has happened to our collections”, says operator {letter}" for letter in "ABC"]
    for day, said in enumerate([*praise, *praise], 10):
        warehouse.visit("hunter-warfield.services", f"2026-11-{day}", "Services", said)
    found = warehouse.changes()
    assert [after for _, _, after in found] == praise[1:], "the second round is known"


def test_new_jobs_are_the_links_that_count_each_by_itself(warehouse: Warehouse) -> None:
    at = "https://elise.test.example"
    first = {f"{at}/careers/1": "Engineer", f"{at}/about": "About us"}
    warehouse.visit("elise-ai.careers", "2026-11-16", "Jobs", links=first)
    more = {f"{at}/careers/1/?utm_source=x#top": "Engineer", f"{at}/careers/2": "Head of  Collections"}
    more |= {f"{at}/blog": "Blog", f"{at}/careers/3": "Recruiter"}
    warehouse.visit("elise-ai.careers", "2026-11-17", "Jobs", "x" * 500, links=more)
    assert warehouse.changes() == [
        ("JOB", None, f"Head of Collections {at}/careers/2"),
        ("JOB", None, f"Recruiter {at}/careers/3"),
    ], "the text around the links of such a page is not told"


def test_what_was_not_read_says_nothing_and_a_page_that_is_not_watched_any_more_neither(warehouse: Warehouse) -> None:
    warehouse.visit("elise-ai.pricing", "2026-11-16", *BEFORE)
    gone = {"CONTENT": None, "LINKS": None}
    warehouse.visit("elise-ai.pricing", "2026-11-17", OUTCOME="FAILED", STATUS=503, **gone)
    warehouse.visit("elise-ai.pricing", "2026-11-18", OUTCOME="UNCHANGED", STATUS=304, **gone)
    warehouse.visit("elise-ai.pricing", "2026-11-19", *BEFORE, NEW_TEXT)
    warehouse.visit("elise-ai.pricing", "2026-11-18", "Old page", NEW_TEXT, PAGE="old")
    warehouse.visit("elise-ai.pricing", "2026-11-19", "Old page, of which nothing is left but these words", PAGE="old")
    assert warehouse.changes() == [("TEXT", None, NEW_TEXT)], "compared with the last visit that read it"


def test_a_page_s_state_has_what_the_next_request_sends(warehouse: Warehouse) -> None:
    warehouse.visit("elise-ai.pricing", "2026-11-16", *BEFORE, ETAG='"a"', LAST_MODIFIED="Mon")
    warehouse.visit("elise-ai.pricing", "2026-11-17", OUTCOME="FAILED", STATUS=500, REASON="the site answers 500")
    warehouse.visit("hunter-warfield.services", "2026-11-16", "x", ETAG='"b"', URL="https://hunter.test.example/old")
    (query,) = workflow_queries("pages", "Pages")
    asked = query.replace("@@page-state@@", "COMPETITORS.PAGE_STATE").replace("@@schedule@@", "daily")
    rows = {f"{row['COMPETITOR']}.{row['PAGE']}": row for row in warehouse.run(asked)}
    assert rows.keys() == {"elise-ai.pricing", "elise-ai.careers", "hunter-warfield.services"}
    assert (rows["elise-ai.pricing"]["ETAG"], rows["elise-ai.pricing"]["LAST_MODIFIED"]) == ('"a"', "Mon")
    assert rows["hunter-warfield.services"]["ETAG"] is None, "an ETag is of one address"
    assert rows["elise-ai.careers"]["ETAG"] is None


def workflow_queries(key: str, *names: str) -> list[str]:
    nodes = {node["name"]: node["parameters"] for node in read(FILES[key][1]).nodes}
    return [str(nodes[name]["query"]) for name in names]


def filled(query: str, execution: int, visit: str = "") -> str:
    """A query of a workflow as n8n would send it in one execution."""
    places = {"changes": "COMPETITORS.CHANGES", "reports": "COMPETITORS.REPORTS", "stack": "sophia-ai/dev"}
    for place, value in places.items():
        query = query.replace(f"@@{place}@@", value)
    return query.replace("{{ $execution.id }}", str(execution)).replace("?", f"'{visit}'")


def test_each_change_is_told_by_one_execution_and_what_slack_refused_by_the_next(warehouse: Warehouse) -> None:
    warehouse.visit("elise-ai.pricing", "2026-11-16", *BEFORE)
    warehouse.visit("elise-ai.pricing", "2026-11-17", *BEFORE, NEW_TEXT)
    warehouse.visit("hunter-warfield.services", "2026-11-16", "Services")
    warehouse.visit("hunter-warfield.services", "2026-11-17", "Services", NEW_TEXT)
    assert len(warehouse.changes()) == 2
    claim, claimed, told, back = workflow_queries("changes", "Claim", "Claimed", "Told", "Given back")

    def take(execution: int) -> list[str]:
        warehouse.run(filled(claim, execution))
        return [row["VISIT_ID"] for row in warehouse.run(filled(claimed, execution))]

    first, second = take(1)
    assert take(2) == [], "what one execution has taken no other tells"
    warehouse.run(filled(told, 1, first))
    warehouse.run(filled(back, 1, second))
    assert take(3) == [second]
    assert take(1) == [], "an execution that is repeated tells nothing again"
    state = {row["SLACK"] for row in warehouse.run("SELECT SLACK FROM COMPETITORS.OPEN_FINDINGS")}
    assert state == {"TOLD", "UNTOLD"}
    earlier = "CLAIMED_AT = DATEADD(HOUR, -2, CURRENT_TIMESTAMP())"
    warehouse.run(f"UPDATE COMPETITORS.CHANGES SET {earlier} WHERE TOLD_AT IS NULL")
    assert warehouse.run("SELECT UNCONFIRMED FROM COMPETITORS.WATCH_HEALTH") == [{"UNCONFIRMED": 1}]
    warehouse.run("UPDATE COMPETITORS.CHANGES SET CLOSED_AT = CURRENT_TIMESTAMP(), CLOSED_BY = 'ada@payready.com'")
    assert warehouse.run("SELECT * FROM COMPETITORS.OPEN_FINDINGS") == []


CALLS = [
    ("1", "2026-11-17T10:00:00Z", {"EliseAI": 3, "Pricing": 2}),
    ("2", "2026-11-22T23:30:00-05:00", {"EliseAI": 9}),  # in New York still Sunday, and Monday in UTC
    ("3", "2026-11-22T20:00:00Z", {"eliseai": 1, "Hunter Warfield": 0}),
    ("4", "2026-11-12T10:00:00Z", {"EliseAI": 1}),
    ("5", "2026-10-01T10:00:00Z", {"Hunter Warfield": 4}),
]


def land_calls(warehouse: Warehouse) -> None:
    columns = "ID VARCHAR, METADATA VARIANT, CONTENT VARIANT, _AIRBYTE_EXTRACTED_AT TIMESTAMP_TZ"
    warehouse.run(f"CREATE TABLE RAW_GONG.GONG_EXTENSIVECALLS ({columns})")
    for hour in (5, 6):  # Airbyte may have landed a call twice
        for id_, started, trackers in CALLS:
            listed = [{"name": name, "count": count if hour == 6 else 50} for name, count in trackers.items()]
            warehouse.cursor.execute(
                "INSERT INTO RAW_GONG.GONG_EXTENSIVECALLS SELECT %s, PARSE_JSON(%s), PARSE_JSON(%s), %s",
                (
                    id_,
                    json.dumps({"started": started}),
                    json.dumps({"trackers": listed}),
                    f"{MONDAY} 0{hour}:00:00+00:00",
                ),
            )


def figures(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    rows = warehouse.run("SELECT * FROM COMPETITORS.REPORTS ORDER BY WEEK")
    return {row["COMPETITOR"]: row for row in rows}


def test_the_figures_of_a_week_are_those_that_one_counts_by_hand(warehouse: Warehouse) -> None:
    land_calls(warehouse)
    at = "https://elise.test.example/careers"
    warehouse.visit("elise-ai.pricing", "2026-11-14", *BEFORE)
    warehouse.visit("elise-ai.pricing", "2026-11-16", *(line.replace("$2.00", "$2.40") for line in BEFORE))
    warehouse.visit("elise-ai.pricing", "2026-11-22", *(line.replace("$2.00", "$2.50") for line in BEFORE), NEW_TEXT)
    warehouse.visit("elise-ai.pricing", "2026-11-23", *(line.replace("$2.00", "$2.60") for line in BEFORE), NEW_TEXT)
    warehouse.visit("elise-ai.careers", "2026-11-15", "Jobs")
    warehouse.visit("elise-ai.careers", "2026-11-18", "Jobs", links={f"{at}/1": "Engineer", f"{at}/2": "Recruiter"})
    warehouse.visit("hunter-warfield.services", "2026-11-18", OUTCOME="REFUSED", REASON="its robots.txt forbids it")
    warehouse.changes()
    warehouse.task("count-mentions")
    for _ in range(2):
        warehouse.task("write-report")
    assert len(warehouse.run("SELECT * FROM COMPETITORS.REPORTS")) == 2, "a week is written once"
    elise, hunter = figures(warehouse)["elise-ai"], figures(warehouse)["hunter-warfield"]
    assert str(elise["WEEK"]) == "2026-11-16"
    assert (elise["PRICES"], elise["JOBS"], elise["TEXTS"], elise["NEWS"], elise["NEW_PAGES"]) == (2, 2, 1, 0, 0)
    assert (elise["PAGES"], elise["PAGES_READ"]) == (2, 2)
    assert (elise["CALLS"], elise["MENTIONS"], elise["CALLS_BEFORE"]) == (2, 4, 1)
    assert (hunter["PRICES"], hunter["JOBS"], hunter["TEXTS"]) == (0, 0, 0)
    assert (hunter["PAGES"], hunter["PAGES_READ"]) == (1, 0)
    assert (hunter["CALLS"], hunter["MENTIONS"], hunter["CALLS_BEFORE"]) == (0, 0, 0)


def test_a_report_without_gong_says_that_nobody_counted(warehouse: Warehouse) -> None:
    warehouse.task("write-report")
    assert {row["CALLS"] for row in figures(warehouse).values()} == {None}


def test_health_sees_what_is_late(warehouse: Warehouse) -> None:
    (empty,) = warehouse.run("SELECT * FROM COMPETITORS.WATCH_HEALTH")
    assert (empty["PAGES"], empty["NEVER_VISITED"], empty["OVERDUE"], empty["REPORTS"]) == (3, 3, 0, 0)
    assert empty["REPORT_LATE"] is False
    today = datetime.now().astimezone().date().isoformat()
    warehouse.visit("elise-ai.pricing", today, *BEFORE)
    warehouse.visit("elise-ai.careers", "2026-01-05", "Jobs")
    warehouse.visit("hunter-warfield.services", today, OUTCOME="FAILED", REASON="the site answers 500")
    warehouse.task("write-report", "2026-01-05T12:00:00")
    (late,) = warehouse.run("SELECT * FROM COMPETITORS.WATCH_HEALTH")
    assert (late["NEVER_VISITED"], late["OVERDUE"], late["FAILING"]) == (0, 2, 1)
    assert late["WHICH"] == "elise-ai.careers, hunter-warfield.services"
    assert late["REPORT_LATE"] is True, "one was written, and none was told for weeks"
