"""PostgREST's own language: filters, columns, order and pages of a table, and how it says no.

Sources: PostgREST's documentation (Tables and Views, Errors) and Supabase's gateway, which wants the header ``apikey``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.estuary import access, seed
from sandbox.estuary.identifiers import parsed_id, spaced
from sandbox.http import ApiError, Call

Row = dict[str, Any]

MOST_ROWS = 1000
_SINGLE = "application/vnd.pgrst.object+json"
_RESERVED = ("select", "order", "limit", "offset", "on_conflict", "columns")
_LISTED = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,]+)')


class RefusedError(ApiError):
    """``{"code", "message", "details", "hint"}``: a code of PostgREST (PGRST…) or of Postgres."""

    def __init__(
        self, status: int, code: str, message: str, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(status, message, code=code, details=details, hint=hint)


def render(error: ApiError) -> Response:
    members = {"code": str(error.status), "details": None, "hint": None} | error.details
    return JSONResponse(members | {"message": error.message}, error.status)


def admit(call: Call) -> str:
    """The public ``apikey`` opens the gateway, an access token the tables; a service account's key does not."""
    seed.ensure(call.store)
    given = call.request.headers.get("apikey")
    if given is None:
        raise ApiError(401, "No API key found in request", hint="No `apikey` request header or url param was found.")
    if given != seed.PUBLIC_TOKEN:
        raise ApiError(401, "Invalid API key", hint="Double check your Supabase `anon` or `service_role` API key.")
    token = call.bearer()
    if not token or token == seed.PUBLIC_TOKEN:
        raise RefusedError(401, "42501", "permission denied for table " + call.request.url.path.rpartition("/")[2])
    if token.count(".") != 2:
        raise RefusedError(401, "PGRST301", f"Expected 3 parts in JWT; got {token.count('.') + 1}")
    try:
        return access.subject(call, token)
    except ApiError as error:
        raise RefusedError(401, "PGRST301", error.message) from error


@dataclass(frozen=True)
class Column:
    """``kind`` is text, id, bool, json, uuid or time; the writable ones may be inserted (and, in an upsert, updated)."""

    name: str
    kind: str = "text"
    writable: bool = False


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]

    def column(self, name: str, *, of: str = "filter") -> Column:
        found = next((column for column in self.columns if column.name == name), None)
        if found is None and of == "body":
            raise RefusedError(
                400, "PGRST204", f"Could not find the '{name}' column of '{self.name}' in the schema cache"
            )
        if found is None:
            raise RefusedError(400, "42703", f"column {self.name}.{name} does not exist")
        return found

    def insertable(self, sent: Any) -> list[Row]:
        """The rows of a body, with their values as we keep them; refused where a column is not there or not ours."""
        rows = sent if isinstance(sent, list) else [sent]
        if not all(isinstance(row, dict) for row in rows):
            raise RefusedError(400, "PGRST102", "Empty or invalid json")
        if len({frozenset(row) for row in rows}) > 1:
            raise RefusedError(400, "PGRST102", "All object keys must match")
        for name in rows[0] if rows else ():
            if not self.column(name, of="body").writable:
                raise RefusedError(403, "42501", f"permission denied for table {self.name}")
        return [{name: self._kept(name, value) for name, value in row.items()} for row in rows]

    def _kept(self, name: str, value: Any) -> Any:
        kind = self.column(name).kind
        if value is None or kind not in ("id", "bool"):
            return value
        if kind == "bool" and not isinstance(value, bool):
            raise RefusedError(400, "22P02", f'invalid input syntax for type boolean: "{value}"')
        return _identifier(value) if kind == "id" else value

    def shown(self, row: Row, columns: Sequence[str]) -> Row:
        kinds = {column.name: column.kind for column in self.columns}
        return {name: _written(kinds[name], row.get(name)) for name in columns}


def selected(call: Call, table: Table) -> list[str]:
    """The columns of ``select``; all of them where it is not sent, or says ``*``."""
    text = call.query("select") or "*"
    names = [name.strip() for name in text.split(",")]
    if "*" in names:
        return [column.name for column in table.columns]
    return [table.column(name).name for name in names]


def filtered(call: Call, table: Table, rows: Sequence[Row]) -> list[Row]:
    """The rows that every filter of the query lets through."""
    kept = list(rows)
    for name, text in call.request.query_params.multi_items():
        if name not in _RESERVED:
            passes = _condition(table.column(name), text)
            kept = [row for row in kept if passes(row.get(name))]
    return kept


def has_filter(call: Call) -> bool:
    return any(name not in _RESERVED for name in call.request.query_params)


def paged(call: Call, table: Table, rows: Sequence[Row]) -> list[Row]:
    """Ordered and cut; never more than a thousand rows, as Supabase has it."""
    ordered = list(rows)
    for term in reversed((call.query("order") or "").split(",")):
        if term:
            name, *modifiers = term.split(".")
            table.column(name)
            ordered.sort(key=lambda row, n=name: (row.get(n) is None, row.get(n) or ""), reverse="desc" in modifiers)  # type: ignore[misc] # the default binds the name of this turn
    offset = _whole(call, "offset") or 0
    limit = _whole(call, "limit")
    return ordered[offset : offset + min(MOST_ROWS, MOST_ROWS if limit is None else limit)]


def answered(call: Call, table: Table, rows: Sequence[Row], *, status: int, wrote: bool) -> Response:
    """Rows, where the request wants to see them: after a write only with ``Prefer: return=representation``."""
    if wrote and "return=representation" not in call.request.headers.get("prefer", ""):
        return Response(status_code=204 if status == 200 else status)
    columns = selected(call, table)
    shown = [table.shown(row, columns) for row in rows]
    if _SINGLE in call.request.headers.get("accept", ""):
        if len(shown) != 1:
            text = f"The result contains {len(shown)} rows"
            raise RefusedError(406, "PGRST116", "JSON object requested, multiple (or no) rows returned", text)
        return JSONResponse(shown[0], status, media_type=_SINGLE)
    last = f"0-{len(shown) - 1}" if shown else "*"
    return JSONResponse(shown, status, {"Content-Range": f"{last}/*"})


def prefers(call: Call, preference: str) -> bool:
    return preference in call.request.headers.get("prefer", "")


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_PATTERNS = {"like": re.NOFLAG, "ilike": re.IGNORECASE}
_CONSTANTS = {"null": None, "true": True, "false": False}


def _condition(column: Column, text: str) -> Callable[[Any], bool]:
    """What a filter such as ``not.eq.5`` lets through. As in SQL, a comparison with nothing is neither true nor false."""
    negated = text.startswith("not.")
    name, _, value = text.removeprefix("not.").partition(".")
    if name == "is" and value in _CONSTANTS:
        return lambda kept: (kept is _CONSTANTS[value]) != negated
    passes = _comparison(column, name, value)
    if passes is None:
        message = f'"failed to parse filter ({text})" (line 1, column 1)'
        raise RefusedError(400, "PGRST100", message, f"unexpected {text[:1]!r}")
    return lambda kept: kept is not None and passes(_text(column, kept)) != negated


def _comparison(column: Column, name: str, value: str) -> Callable[[str], bool] | None:
    if name in _COMPARISONS:
        wanted = _read(column, value)
        return lambda kept: _COMPARISONS[name](kept, wanted)
    if name in _PATTERNS:
        pattern = _pattern(value, _PATTERNS[name])
        return lambda kept: pattern.fullmatch(kept) is not None
    return _among(column, value) if name == "in" else None


def _among(column: Column, text: str) -> Callable[[str], bool]:
    if not (text.startswith("(") and text.endswith(")")):
        raise RefusedError(400, "PGRST100", f'"failed to parse filter (in.{text})" (line 1, column 4)')
    found = (re.sub(r"\\(.)", r"\1", m[1]) if m[1] is not None else m[2] for m in _LISTED.finditer(text[1:-1]))
    wanted = {_read(column, item) for item in found}
    return lambda kept: kept in wanted


def _pattern(text: str, flags: re.RegexFlag) -> re.Pattern[str]:
    """``*`` stands for ``%`` in an address."""
    places = {"%": ".*", "*": ".*", "_": "."}
    return re.compile("".join(places.get(character, re.escape(character)) for character in text), flags | re.DOTALL)


def _read(column: Column, text: str) -> str:
    return _identifier(text) if column.kind == "id" else text


def _text(column: Column, kept: Any) -> str:
    return str(kept).lower() if column.kind == "bool" else str(kept)


def _identifier(value: Any) -> str:
    identifier = parsed_id(value)
    if identifier is None:
        raise RefusedError(400, "22P02", f'invalid input syntax for type macaddr8: "{value}"')
    return identifier


def _written(kind: str, value: Any) -> Any:
    return spaced(value) if kind == "id" and value is not None else value


def _whole(call: Call, name: str) -> int | None:
    text = call.query(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise RefusedError(400, "PGRST100", f'"failed to parse {name} parameter ({text})" (line 1, column 1)')
    return int(text)
