"""What Pay Ready earns, by operator: seen by the roles that the dashboard names, and carried nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import EstatePolicy, Hidden, Policy, Resource, Situation, Violation, items

_CONFIDENTIAL: Final = (controls.SOC2_CC6_1, controls.SOC2_C1_1, controls.GLBA_ACCESS)


def _for_its_roles(resources: Sequence[Resource], _situation: Situation) -> Iterator[Violation]:
    """A schema with a page is read by those who may open the page. Names that are not known yet are not judged."""
    for page in resources:
        if page.type != kinds.SNOWFLAKE_STREAMLIT:
            continue
        prefix = f"{_name(page.get('database'))}_{_name(page.get('schema'))}"
        access = {f"{prefix}_READ", f"{prefix}_WRITE"}
        openers = {_name(one.get("accountRoleName")) for one in resources if _opens(one)}
        for grant in resources:
            if grant.type != kinds.SNOWFLAKE_ROLE_GRANT or _name(grant.get("roleName")) not in access:
                continue
            reader = _name(grant.get("parentRoleName"))
            if reader and reader not in access | openers:
                yield Violation(
                    grant,
                    f"would show revenue by operator to {reader}",
                    f"the schema of {page.title} is for the roles that may open it",
                    places.section(grant, f"snowflake.roles.{grant.name.partition('.')[0]}"),
                    "take the schema out of its `read` and `write`, or add the role to dashboard.roles",
                )


def _opens(resource: Resource) -> bool:
    return resource.type == kinds.SNOWFLAKE_GRANT and resource.get("onSchemaObject", "objectType") == "STREAMLIT"


def _name(value: Any) -> str:
    """A name without its quotes; "" where it cannot be seen."""
    return value.strip('"') if isinstance(value, str) else ""


def _only_opened(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if not _opens(resource):
        return
    passed_on = str(resource.get("withGrantOption")).lower() == "true"
    if (
        passed_on
        or resource.get("allPrivileges") is True
        or set(map(str, items(resource.get("privileges")))) - {"USAGE"}
    ):
        yield Violation(
            resource,
            "would be more than opening a page" if not passed_on else "could be passed on by those who have it",
            "who sees what Pay Ready earns is said in one place, and that is the stack file",
            places.property_of(resource, "withGrantOption" if passed_on else "privileges"),
            "grant USAGE alone, without the option",
        )


def _stays_inside(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    integrations = resource.get("externalAccessIntegrations")
    if isinstance(integrations, Hidden) or not integrations:
        return
    yield Violation(
        resource,
        "could send what it shows to the internet",
        "a page runs with the rights of the role that deploys, which sees everything",
        places.property_of(resource, "externalAccessIntegrations"),
        "leave it out; what must be fetched is loaded into a table instead",
    )


POLICIES: Final = (
    Policy(
        "pages-are-opened-only",
        "Who may open a page in Snowflake may do nothing else with it.",
        (kinds.SNOWFLAKE_GRANT,),
        _CONFIDENTIAL,
        _only_opened,
        says=_opens,
    ),
    Policy(
        "pages-stay-inside",
        "A page in Snowflake reaches nothing outside of it.",
        (kinds.SNOWFLAKE_STREAMLIT,),
        (controls.SOC2_CC6_7, *_CONFIDENTIAL),
        _stays_inside,
    ),
)

ESTATE_POLICIES: Final = (
    EstatePolicy(
        "revenue-is-for-its-roles",
        "The schema of a page is read by the roles that may open the page.",
        (kinds.SNOWFLAKE_GRANT, kinds.SNOWFLAKE_ROLE_GRANT, kinds.SNOWFLAKE_STREAMLIT),
        _CONFIDENTIAL,
        _for_its_roles,
    ),
)
