"""The SQL that the three stack files make Snowflake run: it parses, and what can be executed here does what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import fakesnow
import pytest
import sqlglot
import yaml
from snowflake.connector.cursor import SnowflakeCursor
from sqlglot import exp

from components.settings import Stage
from components.snowflake import Snowflake
from components.snowflake.settings import SnowflakeSettings
from components.snowflake.sql import clone_script, copy_statement, identifier, literal, masking_body

REPOSITORY = Path(__file__).parents[2]
STAGES = tuple(Stage)
DATABASES = {Stage.DEV: "SOPHIA_AI_DEV", Stage.STAGING: "SOPHIA_AI_STAGING", Stage.PROD: "SOPHIA_AI"}

HANDED_OVER = {
    "aws.snowflake.payments": "arn:aws:iam::123456789012:role/sophia-ai-snowflake-payments",
    "aws.failures.role": "arn:aws:iam::123456789012:role/sophia-ai-snowflake-failures",
    "aws.failures.topic": "arn:aws:sns:us-west-2:123456789012:sophia-ai-snowflake-failures",
}
"""What the AWS component of the stack gives."""

Deploy = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")  # fakesnow asks for it


@pytest.fixture
def estate(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Callable[[Stage], Any]:
    """The Snowflake of a stack file, under the recording engine."""

    def run(stage: Stage) -> Any:
        config = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
        features = json.dumps(config["snowflake:previewFeaturesEnabled"])
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"snowflake:previewFeaturesEnabled": features}))
        monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "PAYREADY")
        monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "ZNB04675")
        settings = SnowflakeSettings.model_validate(config["sophia-ai:snowflake"])
        keys = dict.fromkeys(settings.users, "MIIBIjANBgkq")

        def program() -> Snowflake:
            return Snowflake("snowflake", settings, stage=stage, public_keys=keys, outputs=HANDED_OVER)

        return deploy(program, stack=stage.value, computed=COMPUTED)

    return run


def fully_qualified(_name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    names = [inputs[member] for member in ("database", "schema", "name")]
    return {"fullyQualifiedName": ".".join(f'"{name}"' for name in names)}


COMPUTED: Mapping[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}": fully_qualified
    for kind in (
        "AuthenticationPolicy", "DynamicTable", "FileFormatCsv", "MaskingPolicy", "RowAccessPolicy", "StageExternalS3",
        "StageInternal", "StreamOnTable", "Table", "Tag", "Task", "View",
    )
}  # fmt: skip


def statements(deployment: Any) -> Iterator[tuple[str, str]]:
    """All SQL of the stack, with what it is. Bodies and conditions are expressions: they are put into a SELECT."""
    for kind, member, prefix in (
        ("MaskingPolicy", "body", "SELECT "),
        ("RowAccessPolicy", "body", "SELECT "),
        ("Pipe", "copyStatement", ""),
        ("DynamicTable", "query", ""),
        ("View", "statement", ""),
        ("Task", "when", "SELECT "),
        ("Task", "sqlStatement", ""),
    ):
        for resource in deployment.of(kind):
            if member in resource.inputs and not resource.name.startswith("clone."):
                yield f"{kind} {resource.name}.{member}", prefix + resource.inputs[member]


@pytest.mark.parametrize("stage", STAGES)
def test_every_statement_of_a_stack_is_snowflakes_sql(estate: Callable[[Stage], Any], stage: Stage) -> None:
    found = dict(statements(estate(stage)))
    assert len(found) >= 10
    for what, sql in found.items():
        (parsed,) = sqlglot.parse(sql, read="snowflake")
        assert parsed is not None
        assert not list(parsed.find_all(exp.Command)), f"{what} was not understood: {sql}"
        tables = {table.catalog for table in parsed.find_all(exp.Table) if not isinstance(table.this, exp.Var)}
        assert tables <= {DATABASES[stage], ""}, f"{what} of {stage} reaches into another stage"


def result(cursor: SnowflakeCursor, sql: str) -> Any:
    row = cursor.execute(sql).fetchone()  # type: ignore[union-attr] # a cursor that runs one statement gives itself back
    assert isinstance(row, tuple)
    return row[0]


@pytest.fixture
def cursor() -> Iterator[SnowflakeCursor]:
    """Snowflake's dialect on DuckDB, with a database and its schemas as the dev stack has them."""
    with fakesnow.patch():
        import snowflake.connector

        with snowflake.connector.connect(database="SOPHIA_AI_DEV", schema="CORE") as connection:
            cursor = connection.cursor()
            for schema in ("RAW_PAYMENTS", "GOVERNANCE", "MARTS"):
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            yield cursor


def as_session(sql: str, *, roles: set[str], role: str = "NOBODY") -> str:
    """``sql`` with what it asks of the session answered: a masking or row access policy is evaluated for somebody."""

    def answer(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Anonymous) and node.name.upper() == "IS_ROLE_IN_SESSION":
            return exp.true() if node.expressions[0].this in roles else exp.false()
        if isinstance(node, exp.CurrentRole):
            return exp.Literal.string(role)
        return node

    return sqlglot.parse_one(sql, read="snowflake").transform(answer).sql("snowflake")


MASKS = [
    ("card-number", "4111111111111111", "411111******1111"),
    ("card-number", "378282246310005", "378282*****0005"),
    ("card-number", "12345", "*****"),
    ("email", "jane.doe@example.com", "***@example.com"),
    ("email", "no address", "***"),
    ("personal-text", "Jane Doe", "***"),
]


@pytest.mark.parametrize(("policy", "value", "masked"), MASKS)
def test_a_masked_column_is_clear_only_for_those_who_may_see_it(
    estate: Callable[[Stage], Any], cursor: SnowflakeCursor, policy: str, value: str, masked: str
) -> None:
    body = estate(Stage.DEV).one("MaskingPolicy", policy).inputs["body"]
    shown = f"SELECT {body} FROM (SELECT {literal(value)} AS VAL)"
    assert result(cursor, as_session(shown, roles={"SOPHIA_AI_DEV_READER", "SYSADMIN"})) == masked
    assert result(cursor, as_session(shown, roles={"SOPHIA_AI_DEV_PRIVATE_DATA"})) == value


def test_a_date_shows_its_year_and_nothing_stays_nothing(
    estate: Callable[[Stage], Any], cursor: SnowflakeCursor
) -> None:
    deployment = estate(Stage.DEV)
    date = deployment.one("MaskingPolicy", "personal-date").inputs["body"]
    shown = as_session(f"SELECT {date} FROM (SELECT DATE '1987-06-05' AS VAL)", roles=set())
    assert str(result(cursor, shown))[:10] == "1987-01-01"
    for policy in ("card-number", "email", "personal-text"):
        body = deployment.one("MaskingPolicy", policy).inputs["body"]
        assert result(cursor, as_session(f"SELECT {body} FROM (SELECT NULL::VARCHAR AS VAL)", roles=set())) is None


@pytest.mark.parametrize(
    ("value", "masked"), [("+1 415 555 0100", "***0100"), ("5550100", "***"), ("", "***"), (None, None)]
)
def test_a_phone_number_shows_its_last_four_digits(
    cursor: SnowflakeCursor, value: str | None, masked: str | None
) -> None:
    given = "NULL::VARCHAR" if value is None else literal(value)
    assert result(cursor, f"SELECT {masking_body('phone', ())} FROM (SELECT {given} AS VAL)") == masked


def test_an_operators_role_sees_its_own_rows(estate: Callable[[Stage], Any], cursor: SnowflakeCursor) -> None:
    body = estate(Stage.DEV).one("RowAccessPolicy", "by-operator").inputs["body"]
    cursor.execute("CREATE TABLE GOVERNANCE.OPERATOR_ACCESS (ROLE_NAME VARCHAR, OPERATOR_ID VARCHAR)")
    cursor.execute("INSERT INTO GOVERNANCE.OPERATOR_ACCESS VALUES ('MAPLE', 'op-1'), ('OAK', 'op-2'), ('OAK', 'op-3')")
    rows = "(SELECT column1 AS ROW_VALUE FROM VALUES ('op-1'), ('op-2'), ('op-3'), (NULL))"

    def seen(role: str, roles: set[str]) -> int:
        return int(result(cursor, as_session(f"SELECT COUNT(*) FROM {rows} WHERE {body}", roles=roles, role=role)))

    assert seen("MAPLE", {"MAPLE"}) == 1
    assert seen("OAK", {"OAK"}) == 2
    assert seen("NOBODY", {"NOBODY"}) == 0
    assert seen("DBT", {"DBT", "SOPHIA_AI_DEV_TRANSFORMER"}) == 4


def test_a_settled_payment_reaches_the_mart_once(estate: Callable[[Stage], Any], cursor: SnowflakeCursor) -> None:
    deployment = estate(Stage.DEV)
    for name in ("settlements", "payments"):
        table = deployment.one("Table", name).inputs
        columns = ", ".join(f"{column['name']} {column['type']}" for column in table["columns"])
        cursor.execute(f"CREATE TABLE {table['schema']}.{table['name']} ({columns})")
    stream = deployment.one("StreamOnTable", "new-settlements").inputs["name"]
    cursor.execute(f"CREATE VIEW RAW_PAYMENTS.{stream} AS SELECT * FROM RAW_PAYMENTS.SETTLEMENTS")
    fields = "PAYMENT_ID, OPERATOR_ID, PROPERTY_ID, METHOD, CARD_NUMBER, AMOUNT, CURRENCY, STATUS, PAID_AT, LOADED_AT"
    day, card = "'2026-03-02 09:00:00+00:00'", "'4111111111111111'"
    for values in (
        f"'p1', 'op-1', 'oak', 'CARD', {card}, 1200.50, 'USD', 'PENDING', {day}, '2026-03-02 10:00:00'",
        f"'p1', 'op-1', 'oak', 'CARD', {card}, 1200.50, 'USD', 'SETTLED', {day}, '2026-03-02 11:00:00'",
        f"'p2', 'op-1', 'oak', 'CARD', {card}, 99.50, 'USD', 'SETTLED', {day}, '2026-03-02 11:00:00'",
        f"'p3', 'op-1', 'oak', 'CARD', {card}, 75.00, 'USD', 'FAILED', {day}, '2026-03-02 11:00:00'",
    ):
        cursor.execute(f"INSERT INTO RAW_PAYMENTS.SETTLEMENTS ({fields}) VALUES ({values})")
    merge = deployment.one("Task", "post-payments").inputs["sqlStatement"]
    for _ in range(2):
        cursor.execute(merge)
    assert result(cursor, "SELECT COUNT(*) FROM CORE.PAYMENTS") == 3
    posted = {column["name"] for column in deployment.one("Table", "payments").inputs["columns"]}
    assert not posted & {"CARD_NUMBER", "PAYER_NAME", "PAYER_EMAIL"}, "CORE does not say who paid"

    daily = deployment.one("DynamicTable", "daily-payments").inputs
    cursor.execute(f"CREATE TABLE MARTS.{daily['name']} AS {daily['query']}")
    operators = deployment.one("View", "operator-payments").inputs["statement"]
    row = cursor.execute(operators).fetchone()  # type: ignore[union-attr] # as above
    assert isinstance(row, tuple)
    assert (row[0], str(row[2])[:10], int(row[3]), float(row[4])) == ("op-1", "2026-03-02", 2, 1300.0)
    declared = [column["columnName"] for column in deployment.one("View", "operator-payments").inputs["columns"]]
    assert [column[0] for column in cursor.description] == declared


def test_files_are_copied_by_the_names_of_their_columns(estate: Callable[[Stage], Any]) -> None:
    statement = estate(Stage.PROD).one("Pipe", "settlements").inputs["copyStatement"]
    copy = sqlglot.parse_one(statement, read="snowflake")
    assert isinstance(copy, exp.Copy)
    options = {p.this.name.upper(): p.expression.name if p.expression else "" for p in copy.args["params"] if p.this}
    assert options["MATCH_BY_COLUMN_NAME"] == "CASE_INSENSITIVE"
    assert options["ON_ERROR"] == "SKIP_FILE", "half a settlement file is worse than none"
    assert '"FILE_NAME" = METADATA$FILENAME' in statement


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    assert identifier('A"B') == '"A""B"'
    assert literal("it's\\") == "'it''s\\\\'"
    body = masking_body("email", ["X') OR TRUE --"])
    (parsed,) = sqlglot.parse(f"SELECT {body}", read="snowflake")
    assert parsed is not None
    (asked,) = [node for node in parsed.find_all(exp.Anonymous) if node.name == "IS_ROLE_IN_SESSION"]
    assert asked.expressions[0].this == "X') OR TRUE --"
    copied = copy_statement('"D"."S"."T"', '"D"."S"."G"', '"D"."S"."F"', pattern=".*'; DROP TABLE x --")
    assert len(sqlglot.parse(copied, read="snowflake")) == 1


def clone_statements(cursor: SnowflakeCursor, script: str, **variables: str) -> list[str]:
    """What the script executes. sqlglot knows no Snowflake Scripting, so its parts are looked at one by one."""
    found = []
    for line in script.splitlines():
        if line.strip().startswith("statement := "):
            expression = line.split(":= ")[1].rstrip(";")
            for name, value in variables.items():
                expression = expression.replace(name, literal(value))
            found.append(str(result(cursor, f"SELECT {expression}")))
    return found


@pytest.mark.parametrize(
    ("kind", "source", "clone", "expired"),
    [
        ("DATABASE", '"D"', '"R_20260302"', "R_20260101"),
        ("SCHEMA", '"D"."CORE"', '"D"."R_20260302"', "R_20260101"),
    ],
)
def test_a_clone_is_named_by_its_day(cursor: SnowflakeCursor, kind: str, source: str, clone: str, expired: str) -> None:
    script = clone_script(kind, '"D"', source, "R_", 14, ("MAIL", "a@b.example", "Recovery clone R failed"))
    (name,) = [line.split(":= ")[1].rstrip(";") for line in script.splitlines() if "clone_name := " in line]
    named = name.replace("TO_VARCHAR(CURRENT_DATE(), 'YYYYMMDD')", "'20260302'")
    assert result(cursor, f"SELECT {named}") == clone
    create, drop = clone_statements(cursor, script, **{"clone.NAME": expired, "clone_name": clone})
    parsed = sqlglot.parse_one(create, read="snowflake")
    assert isinstance(parsed, exp.Create)
    assert (parsed.kind, parsed.args["exists"], parsed.args["clone"].this.sql("snowflake")) == (kind, True, source)
    assert parsed.this.sql("snowflake") == clone
    assert isinstance(sqlglot.parse_one(drop, read="snowflake"), exp.Drop)
    assert drop == f"DROP {kind} IF EXISTS {clone.replace('R_20260302', expired)}"
    assert script.index("CREATE") < script.index("FOR clone IN"), "nothing old goes before something new is there"


def test_only_clones_of_ours_that_are_old_are_dropped() -> None:
    script = clone_script("DATABASE", '"D"', '"D"', "R_", 14, None)
    query = next(line for line in script.splitlines() if "CURSOR FOR" in line).split("CURSOR FOR ")[1].rstrip(";")
    parsed = sqlglot.parse_one(query, read="snowflake")
    connection = duckdb.connect()
    days = {"R_20260101": True, "R_20260301": False, "R_2026": False, "RX_20260101": False, "R_notadate": False}
    values = ", ".join(f"('{name}')" for name in days)
    today = parsed.transform(
        lambda n: exp.cast(exp.Literal.string("2026-03-02"), "date") if isinstance(n, exp.CurrentDate) else n
    )
    where = today.args["where"].sql("duckdb")
    rows = connection.execute(f"SELECT DATABASE_NAME FROM (VALUES {values}) AS t(DATABASE_NAME) {where}").fetchall()
    assert {row[0] for row in rows} == {name for name, old in days.items() if old}


def test_production_is_cloned_every_day(estate: Callable[[Stage], Any]) -> None:
    clones = [task for task in estate(Stage.PROD).of("Task") if task.name.startswith("clone.")]
    assert [task.inputs["schedule"] for task in clones] == [{"usingCron": "30 2 * * * America/Los_Angeles"}]
    assert 'CLONE "SOPHIA_AI"' in clones[0].inputs["sqlStatement"]
    assert "SYSTEM$SEND_EMAIL('SOPHIA_AI_EMAIL'" in clones[0].inputs["sqlStatement"]
    assert not [task for task in estate(Stage.DEV).of("Task") if task.name.startswith("clone.")]
