"""What the stack file says about personal and card data in Snowflake: tags, masking and row access policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Settings, matching
from components.snowflake.names import ColumnType, Identifier, repeated

MaskingMethod = Literal["card-number", "email", "phone", "redact", "year"]

MASKED_TYPES: Final[dict[MaskingMethod, str]] = {
    "card-number": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "redact": "VARCHAR",
    "year": "DATE",
}
"""A masking policy is for columns of one type, and gives back the same type."""

TagValue = Annotated[str, matching(r"[A-Z][A-Z0-9_]{0,255}", "must be upper-case letters, digits and underscores")]


class MaskingPolicySettings(Settings):
    """What others than ``clear_to`` (keys of ``roles``) see of a column.

    ``card-number``: the first six and last four digits, the most that PCI DSS 3.4.1 lets people see without a need.
    ``email``: the domain. ``phone``: the last four digits. ``redact``: three asterisks. ``year``: the date's first of
    January, so that ages can be computed (GDPR article 5(1)(c): no more than is needed).
    """

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    method: MaskingMethod
    clear_to: tuple[str, ...] = ()
    comment: str = ""


class TagSettings(Settings):
    """A classification. ``masks`` are keys of ``masking_policies``: a tagged column is masked, whoever made the table.

    ``assigned_by`` are keys of the roles that may put the tag on what they make, such as dbt's. ``propagate`` carries
    it along to what is made from a tagged column.
    """

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    values: Annotated[tuple[TagValue, ...], Field(min_length=1, max_length=300)]
    masks: tuple[str, ...] = ()
    assigned_by: tuple[str, ...] = ()
    propagate: Literal["NONE", "ON_DEPENDENCY", "ON_DATA_MOVEMENT", "ON_DEPENDENCY_AND_DATA_MOVEMENT"] = "NONE"
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """No value twice, no policy twice."""
        yield from repeated(("values",), self.values)
        yield from repeated(("masks",), self.masks)


class MappingSettings(Settings):
    """A table (a key of ``tables``) that says which role sees which rows: a row of it has the two together."""

    table: str
    role_column: Identifier
    value_column: Identifier


class RowAccessPolicySettings(Settings):
    """Who sees which rows of a view: those whose value the mapping has for the current role; ``all_rows_to`` all.

    A collections agency or an operator sees its own accounts only (FDCPA 1692c(b), GLBA 314.4(c)(1)).
    """

    name: Identifier
    schema_key: Annotated[str, Field(alias="schema")]
    type: ColumnType = "VARCHAR"
    mapping: MappingSettings
    all_rows_to: tuple[str, ...] = ()
    comment: str = ""
