"""Personal and card data: masked where the program declares columns, encrypted on its way, not kept by model vendors.

What cannot be looked at from here is told in the controls: the tables are the loader's and dbt's, so that only those which
the program itself declares have columns that a policy sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import (
    EstatePolicy,
    Hidden,
    Level,
    Policy,
    Resource,
    Situation,
    Violation,
    items,
    texts,
)

_PERSONAL: Final = re.compile(
    r"(^|_)(ssn|social_security(_number)?|tax_id|date_of_birth|dob|birth_?date|email(_address)?|phone(_number)?|mobile"
    r"|(first|last|full)_name|street(_address)?|home_address|passport(_number)?|driver_?s?_licen[cs]e(_number)?"
    r"|card_?(number|no|holder)|pan|cvv2?|cvc2?|iban|account_number|routing_number|diagnosis|transcript)($|_)",
    re.IGNORECASE,
)
"""Names of columns that hold data of a person, or of a card."""

_SECRET_NAME: Final = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSPHRASE|PRIVATE_KEY|API_?KEY|ACCESS_KEY|CREDENTIALS?)$", re.IGNORECASE
)
_LOOPBACK: Final = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", re.IGNORECASE)
_CLEAR_MODES: Final = frozenset({"disable", "disabled", "allow", "prefer", "preferred", "unencrypted"})
"""Values of a connector's SSL mode in which it talks in clear, or may."""

_ENCRYPTION = (
    controls.SOC2_CC6_7,
    controls.GDPR_32_1_A,
    controls.HIPAA_TRANSMISSION,
    controls.PCI_4_2_1,
    controls.GLBA_ENCRYPTION,
)


def _masked(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for column in items(resource.get("columns")):
        if not isinstance(column, Mapping) or column.get("maskingPolicy"):
            continue
        name = column.get("name") or column.get("columnName")  # a table's, a view's
        if isinstance(name, str) and _PERSONAL.search(name):
            yield Violation(
                resource,
                f"would show the column {name} to whoever may read it",
                "personal and card data is masked for all but the roles that need it",
                places.property_of(resource, f"columns[{name}].maskingPolicy"),
                "name a masking policy, or leave the column out",
            )


def _managed_access(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    managed = resource.get("withManagedAccess")
    if isinstance(managed, Hidden) or str(managed).lower() == "true":
        return
    yield Violation(
        resource,
        "would let the owners of tables grant access to them",
        "who may read residents' data is said in one place, and that is the stack file",
        places.setting(resource, "managed_access"),
        "set it to true, which is the default",
    )


def _encrypted(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for place, configuration in _configurations(resource):
        for path, text in texts(configuration):
            leaf = path.rpartition(".")[2].lower()
            clear_mode = ("ssl" in path.lower() or "encryption" in leaf) and text.lower() in _CLEAR_MODES
            clear_address = text.lower().startswith("http://") and not _LOOPBACK.match(text)
            if clear_mode or clear_address:
                yield _in_clear(resource, f"{place}.{path}")
        for key in ("ssl", "tls", "use_ssl"):
            if isinstance(configuration, Mapping) and configuration.get(key) is False:
                yield _in_clear(resource, f"{place}.{key}")


def _configurations(resource: Resource) -> Iterator[tuple[str, Any]]:
    """The configurations of a resource's connectors, with the setting of each under the resource's own."""
    if resource.type != kinds.ESTUARY_BUNDLE:
        yield "configuration", resource.get("configuration")
        return
    specs, settings = resource.get("specs"), resource.get("settings")
    for name in specs if isinstance(specs, Mapping) else ():
        place = settings.get(name) if isinstance(settings, Mapping) else None
        configuration = resource.get("specs", name, "spec", "endpoint", "connector", "config")
        yield f"{place or name}.configuration", configuration


def _in_clear(resource: Resource, place: str) -> Violation:
    return Violation(
        resource,
        "would move data without encryption",
        "whoever is on the way could read and change residents' data",
        places.setting(resource, place),
        "use https://, or the connector's mode that requires TLS",
    )


_NAMED_BY: Final[Mapping[str, str]] = {
    kinds.GITHUB_ENVIRONMENT_VARIABLE: "variableName",
    kinds.GITHUB_ORGANIZATION_VARIABLE: "variableName",
    kinds.GITHUB_VARIABLE: "variableName",
    kinds.VERCEL_SHARED_VARIABLE: "key",
    kinds.VERCEL_VARIABLE: "key",
}


def _secrets_hidden(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.type == kinds.KUBERNETES_CONFIG_MAP:
        data = resource.get("data")
        names = [str(name) for name in data] if isinstance(data, Mapping) else []
    elif resource.get("sensitive") in (True, Hidden.UNKNOWN):
        return
    else:
        names = [str(resource.get(_NAMED_BY[resource.type]))]
    for name in filter(_SECRET_NAME.search, names):
        vercel = "sensitive" if resource.type in (kinds.VERCEL_VARIABLE, kinds.VERCEL_SHARED_VARIABLE) else ""
        yield Violation(
            resource,
            f"would keep {name} where everybody in the team can read it",
            "by its name it is a credential",
            places.setting(resource, vercel),
            "leave `sensitive` out, or set it to true" if vercel else "put it under `secrets`, or give it another name",
        )


def _zero_retention(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.get("enforce_zdr") in (True, Hidden.UNKNOWN):
        return
    yield Violation(
        resource,
        "would let model vendors keep prompts and answers",
        "conversations, ledgers and names of residents are in them",
        places.setting(resource, "zero_data_retention"),
        "set it to true",
    )


def _traces_without_contents(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.get("privacy_mode") is False:
        yield Violation(
            resource,
            "would get what was asked and answered",
            "conversations, ledgers and names of residents are in them, and would be kept there",
            places.setting(resource, "privacy_mode"),
            "leave it out, or set it to true",
        )


def _keys_guarded(resources: Sequence[Resource], _situation: Situation) -> Iterator[Violation]:
    # An assignment has the logical name of its key: the key's id is not known before the first up.
    guarded = {resource.name for resource in resources if resource.type == kinds.OPENROUTER_GUARDRAIL_KEY}
    for resource in resources:
        if resource.type == kinds.OPENROUTER_KEY and resource.name not in guarded:
            yield Violation(
                resource,
                "is under no guardrail",
                "what it sends may be kept by any vendor of any model",
                places.setting(resource, "guardrail"),
                "name a guardrail with zero data retention, unless it never sees data of residents",
            )


_PROMPTS = (
    controls.SOC2_C1_1,
    controls.GDPR_5_1_C,
    controls.GDPR_5_1_E,
    controls.GLBA_DISPOSAL,
    controls.FDCPA_THIRD_PARTIES,
)

POLICIES: Final = (
    Policy(
        "personal-data-is-masked",
        "A column that the program declares for personal or card data, of a table or a view, has a masking policy.",
        (kinds.SNOWFLAKE_TABLE, kinds.SNOWFLAKE_VIEW),
        (
            controls.SOC2_C1_1,
            controls.GDPR_25_2,
            controls.GDPR_32_1_A,
            controls.HIPAA_ENCRYPTION,
            controls.PCI_3_4_1,
            controls.PCI_3_5_1,
            controls.GLBA_ENCRYPTION,
        ),
        _masked,
    ),
    Policy(
        "managed-access",
        "Who may read a schema's tables is granted in one place.",
        (kinds.SNOWFLAKE_SCHEMA,),
        (
            controls.SOC2_CC6_1,
            controls.GDPR_5_1_F,
            controls.HIPAA_ACCESS,
            controls.PCI_7_2_1,
            controls.GLBA_ACCESS,
            controls.FDCPA_THIRD_PARTIES,
        ),
        _managed_access,
    ),
    Policy(
        "encrypted-on-the-way",
        "No connector of Airbyte or Estuary is told to talk in clear.",
        (kinds.AIRBYTE_DESTINATION, kinds.AIRBYTE_SOURCE, kinds.ESTUARY_BUNDLE),
        _ENCRYPTION,
        _encrypted,
    ),
    Policy(
        "secrets-are-hidden",
        "What is a credential by its name is kept where nobody can read it back.",
        (kinds.KUBERNETES_CONFIG_MAP, *_NAMED_BY),
        (controls.SOC2_CC6_1, controls.HIPAA_AUTHENTICATION, controls.PCI_8_6_2, controls.GLBA_ACCESS),
        _secrets_hidden,
    ),
    Policy(
        "zero-data-retention",
        "OpenRouter's guardrails allow only vendors that keep nothing.",
        (kinds.OPENROUTER_GUARDRAIL,),
        _PROMPTS,
        _zero_retention,
    ),
    Policy(
        "traces-without-contents",
        "OpenRouter's destinations get figures, not what was asked and answered.",
        (kinds.OPENROUTER_DESTINATION,),
        _PROMPTS,
        _traces_without_contents,
    ),
)

ESTATE_POLICIES: Final = (
    EstatePolicy(
        "keys-have-guardrails",
        "Every OpenRouter key is under a guardrail.",
        (kinds.OPENROUTER_KEY,),
        _PROMPTS,
        _keys_guarded,
        Level.ADVISORY,  # a key that sees no resident's data needs none, and a run should not tell that every time
        of_state=True,
    ),
)
