"""The SQL that the program writes: bodies of policies, COPY statements, the script of a recovery clone.

Arguments that are names come quoted and qualified (``"SOPHIA_AI"."CORE"``); texts become literals here. Bodies are one
line each, because the provider folds white space before it compares.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from components.snowflake.settings_privacy import MaskingMethod

MASKED: Final = "VAL"
"""The name of a masking policy's argument: the value of the column."""

ROW: Final = "ROW_VALUE"
"""The name of a row access policy's argument. No column of a mapping may have it: in the policy it would win."""

_MASKS: Final[dict[MaskingMethod, str]] = {
    # Thirteen digits are the shortest card number; of anything shorter nothing is shown.
    "card-number": "CASE WHEN LENGTH(VAL) < 13 THEN REPEAT('*', LENGTH(VAL)) "
    "ELSE CONCAT(LEFT(VAL, 6), REPEAT('*', LENGTH(VAL) - 10), RIGHT(VAL, 4)) END",
    "email": "REGEXP_REPLACE(VAL, '^[^@]*', '***')",
    "phone": "CASE WHEN LENGTH(VAL) < 8 THEN '***' ELSE CONCAT('***', RIGHT(VAL, 4)) END",
    "redact": "CASE WHEN VAL IS NULL THEN NULL ELSE '***' END",
    "year": "DATE_TRUNC('YEAR', VAL)",
}


def identifier(name: str) -> str:
    """A quoted name; ``"`` in it is doubled."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """A quoted text; Snowflake reads a backslash in it as an escape."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def masking_body(method: MaskingMethod, clear_to: Collection[str]) -> str:
    """What a column shows: the value to sessions with one of the roles ``clear_to``, to all others what is left of it.

    A role counts with all that inherit it, so that a person's own role sees what it was granted to see.
    """
    if not clear_to:
        return _MASKS[method]
    return f"CASE WHEN {_has_one_of(clear_to)} THEN {MASKED} ELSE {_MASKS[method]} END"


def row_access_body(mapping: str, role_column: str, value_column: str, all_rows_to: Collection[str]) -> str:
    """Whether a row is shown: to ``all_rows_to``, and to the current role if ``mapping`` has it with the row's value."""
    belongs = f"MAPPING.{identifier(value_column)} = {ROW}"
    allowed = f"MAPPING.{identifier(role_column)} = CURRENT_ROLE()"
    mapped = f"EXISTS ({_select('1', mapping)} AS MAPPING WHERE {belongs} AND {allowed})"
    return f"{_has_one_of(all_rows_to)} OR {mapped}" if all_rows_to else mapped


def _has_one_of(roles: Collection[str]) -> str:
    return " OR ".join(f"IS_ROLE_IN_SESSION({literal(role)})" for role in roles)


def copy_statement(
    table: str,
    stage: str,
    file_format: str,
    *,
    folder: str = "",
    pattern: str | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> str:
    """COPY INTO of a pipe. Columns are found by name; ``metadata`` are pairs of a column and a METADATA$ column.

    A file with a mistake is skipped whole: half a settlement file is worse than none.
    """
    parts = [f"COPY INTO {table} FROM @{stage}{'/' + folder if folder else ''}"]
    parts.append(f"FILE_FORMAT = (FORMAT_NAME = {literal(file_format)})")
    parts.append("MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
    if metadata:
        pairs = ", ".join(f"{identifier(column)} = {source}" for column, source in metadata)
        parts.append(f"INCLUDE_METADATA = ({pairs})")
    if pattern:
        parts.append(f"PATTERN = {literal(pattern)}")
    parts.append("ON_ERROR = SKIP_FILE")
    return " ".join(parts)


def stream_has_data(stream: str) -> str:
    """The condition of a task that has nothing to do while ``stream`` is empty."""
    return f"SYSTEM$STREAM_HAS_DATA({literal(stream)})"


def expired_clones(kind: str, database: str, prefix: str, keep_days: int) -> str:
    """The clones whose date, the end of their name, is more than ``keep_days`` ago. Nothing else has such a name."""
    view, name = ("DATABASES", "DATABASE_NAME") if kind == "DATABASE" else ("SCHEMATA", "SCHEMA_NAME")
    ours = f"STARTSWITH({name}, {literal(prefix)}) AND LENGTH({name}) = {len(prefix) + 8}"
    old = f"TRY_TO_DATE(RIGHT({name}, 8), 'YYYYMMDD') < DATEADD(DAY, -{keep_days}, CURRENT_DATE())"
    return f"{_select(f'{name} AS NAME', f'{database}.INFORMATION_SCHEMA.{view}')} WHERE {ours} AND {old}"


def _select(columns: str, table: str) -> str:
    return " ".join(("SELECT", columns, "FROM", table))


def clone_script(
    kind: str, database: str, source: str, prefix: str, keep_days: int, mail: tuple[str, str, str] | None
) -> str:
    """A Snowflake Scripting block that makes today's clone, and only then drops the expired ones.

    A second run on one day keeps the clone of the first. ``kind`` is DATABASE or SCHEMA, ``prefix`` what the date follows.
    ``mail`` is an e-mail integration, its recipients joined by commas, and a subject: a failure is told and raised again.
    """
    within = "" if kind == "DATABASE" else f"{database}."
    lines = [
        "DECLARE",
        f"  expired CURSOR FOR {expired_clones(kind, database, prefix, keep_days)};",
        "  clone_name VARCHAR;",
        "  statement VARCHAR;",
        "BEGIN",
        f"""  clone_name := {literal(f'{within}"{prefix}')} || TO_VARCHAR(CURRENT_DATE(), 'YYYYMMDD') || '"';""",
        f"  statement := 'CREATE {kind} IF NOT EXISTS ' || clone_name || {literal(f' CLONE {source}')};",
        "  EXECUTE IMMEDIATE :statement;",
        "  FOR clone IN expired DO",
        f"""    statement := {literal(f'DROP {kind} IF EXISTS {within}"')} || clone.NAME || '"';""",
        "    EXECUTE IMMEDIATE :statement;",
        "  END FOR;",
    ]
    if mail:
        integration, recipients, subject = map(literal, mail)
        lines += [
            "EXCEPTION WHEN OTHER THEN",
            f"  CALL SYSTEM$SEND_EMAIL({integration}, {recipients}, {subject}, :SQLERRM);",
            "  RAISE;",
        ]
    return "\n".join([*lines, "END"])
