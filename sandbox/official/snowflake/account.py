"""Snowflake: databases, schemas, warehouses, resource monitors, and who may connect from where.

The account is of the Enterprise edition: retention up to 90 days and warehouses of several clusters are there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, text
from sandbox.official.snowflake.checks import (
    LOG_LEVELS,
    SIZES,
    TRACE_LEVELS,
    conflict,
    every,
    flags,
    identifiers,
    needs,
    one_of,
    within,
)
from sandbox.official.snowflake.names import (
    DATABASE,
    SCHEMA,
    account_object,
    duplicate,
    identifier,
    invalid,
    qualified,
    refer,
    schema_object,
    spelling,
)
from sandbox.official.types import Failure
from sandbox.official.values import Path, Properties

WAREHOUSE = "snowflake:index/warehouse:Warehouse"
MONITOR = "snowflake:index/resourceMonitor:ResourceMonitor"
NETWORK_POLICY = "snowflake:index/networkPolicy:NetworkPolicy"
NETWORK_RULE = "snowflake:index/networkRule:NetworkRule"
NETWORK_ATTACHMENT = "snowflake:index/networkPolicyAttachment:NetworkPolicyAttachment"

_WAREHOUSES = (
    WAREHOUSE,
    "snowflake:index/warehouseAdaptive:WarehouseAdaptive",
    "snowflake:index/warehouseInteractive:WarehouseInteractive",
)
_NETWORK_LISTS = ("allowedIpLists", "allowedNetworkRuleLists", "blockedIpLists", "blockedNetworkRuleLists")
_RULE_MODES = {
    "IPV4": ("INGRESS", "INTERNAL_STAGE"),
    "IPV6": ("INGRESS",),
    "AWSVPCEID": ("INGRESS", "INTERNAL_STAGE"),
    "AZURELINKID": ("INGRESS",),
    "GCPPSCID": ("INGRESS",),
    "HOST_PORT": ("EGRESS",),
    "PRIVATE_HOST_PORT": ("EGRESS",),
}
_HOST_PORT = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*(:\d{1,5})?")
_LONGEST_RETENTION_DAYS = 90
_MOST_CLUSTERS = {"XSMALL": 300, "SMALL": 300, "MEDIUM": 300, "LARGE": 160, "XLARGE": 80, "XXLARGE": 40, "XXXLARGE": 20}

_retention = every(
    within("dataRetentionTimeInDays", 0, _LONGEST_RETENTION_DAYS),
    within("maxDataExtensionTimeInDays", 0, _LONGEST_RETENTION_DAYS),
    one_of("logLevel", LOG_LEVELS, "log level"),
    one_of("traceLevel", TRACE_LEVELS, "trace level"),
    one_of("storageSerializationPolicy", ("COMPATIBLE", "OPTIMIZED"), "storage serialization policy"),
    one_of("userTaskManagedInitialWarehouseSize", SIZES, "warehouse size"),
    within("userTaskTimeoutMs", 0, 604_800_000),
    within("suspendTaskAfterNumFailures", 0),
    within("taskAutoRetryAttempts", 0),
)


def retention_refusals(draft: Draft) -> Iterator[str]:
    """What is transient has no Fail-safe and at most one day of Time Travel, whatever the edition."""
    days = draft.asked.get("dataRetentionTimeInDays")
    if draft.asked.get("isTransient") in (True, "true") and isinstance(days, int) and days > 1:
        yield invalid(f"invalid value [{days}] for parameter 'DATA_RETENTION_TIME_IN_DAYS'")


def _schema_identity(properties: Properties) -> Identity:
    return (*identifier(text(properties, "database")), text(properties, "name"))


def size(written: object) -> object:
    """A warehouse's size in one spelling: X-SMALL and XSMALL are the same, and so are X2LARGE, 2X-LARGE and XXLARGE."""
    plain = str(written).upper().replace("-", "")
    times = re.fullmatch(r"X?(\d)X?LARGE", plain)
    return f"{'X' * int(times[1])}LARGE" if times else plain


def _warehouse_references(properties: Properties) -> Iterator[Reference]:
    if monitor := text(properties, "resourceMonitor"):
        yield refer(MONITOR, "Resource monitor", monitor, WhenGone.STAYS)


def _warehouse_refusals(draft: Draft) -> Iterator[str]:
    least, most = draft.asked.get("minClusterCount", 1), draft.asked.get("maxClusterCount", 1)
    if least > most:
        yield invalid(f"MIN_CLUSTER_COUNT ({least}) cannot be greater than MAX_CLUSTER_COUNT ({most}).")
    top = _MOST_CLUSTERS.get(str(size(draft.asked.get("warehouseSize", "XSMALL"))), 10)
    if most > top:
        yield invalid(
            f"invalid value [{most}] for parameter 'MAX_CLUSTER_COUNT': a warehouse of this size has at most {top}."
        )
    if (
        text(draft.asked, "warehouseType").upper() == "SNOWPARK-OPTIMIZED"
        and draft.asked.get("enableQueryAcceleration") == "true"
    ):
        yield invalid("Query acceleration is not supported for Snowpark-optimized warehouses.")


def _warehouse_replacements(old: Properties, new: Properties) -> Iterator[Path]:
    """A size cannot be unset, only the whole warehouse made again."""
    if "warehouseSize" in old and "warehouseSize" not in new:
        yield ("warehouseSize",)


_TRIGGERS = ("notifyTriggers", "suspendTrigger", "suspendImmediateTrigger")


def _monitor_refusals(draft: Draft) -> Iterator[str]:
    if any(trigger in draft.asked for trigger in _TRIGGERS) and "creditQuota" not in draft.asked:
        yield invalid("A resource monitor with triggers must have a credit quota.")
    if "startTimestamp" in draft.asked and "frequency" not in draft.asked:
        yield invalid("Resource monitor: START_TIMESTAMP and FREQUENCY must be set together.")
    suspend, at_once = draft.asked.get("suspendTrigger"), draft.asked.get("suspendImmediateTrigger")
    if suspend is not None and at_once is not None and suspend == at_once:
        yield invalid(f"Resource monitor: two suspend actions at the same threshold of {suspend} percent.")


def _monitor_replacements(old: Properties, new: Properties) -> Iterator[Path]:
    """The last trigger cannot be taken away."""
    if not any(new.get(trigger) for trigger in _TRIGGERS):
        yield from ((trigger,) for trigger in _TRIGGERS if old.get(trigger))


def _attached(identity: Identity) -> str:
    name = identity[-1]
    return (
        f"001492 (42601): SQL compilation error:\nCannot perform Drop operation on network policy '{name}'. The policy "
        f"is attached to an ACCOUNT or a USER. Unset the network policy and try the Drop operation again."
    )


def _policy_references(properties: Properties) -> Iterator[Reference]:
    for member in ("allowedNetworkRuleLists", "blockedNetworkRuleLists"):
        for rule in properties.get(member) or ():
            if identifier(str(rule))[0] != "SNOWFLAKE":
                yield refer(NETWORK_RULE, "Network rule", str(rule), WhenGone.PREVENTS)


def _policy_refusals(draft: Draft) -> Iterator[str]:
    for member in ("allowedIpLists", "blockedIpLists"):
        for address in draft.asked.get(member) or ():
            if not _is_network(str(address)):
                yield f"001422 (22023): SQL compilation error: invalid value '{address}' for property '{member[:-1]}'"


def _rule_refusals(draft: Draft) -> Iterator[str]:
    kind, mode = text(draft.asked, "type").upper(), text(draft.asked, "mode").upper()
    modes = _RULE_MODES[kind]
    if mode not in modes:
        yield invalid(
            f"The network rule mode {mode} is not supported by the network rule type {kind}. The network rule mode must "
            f"be one of [{', '.join(modes)}]."
        )
    for value in map(str, draft.asked.get("valueLists") or ()):
        fits = _is_network(value) if kind.startswith("IPV") else bool(_HOST_PORT.fullmatch(value))
        if not fits and kind in ("IPV4", "IPV6", "HOST_PORT", "PRIVATE_HOST_PORT"):
            yield invalid(f"Invalid value '{value}' for a network rule of type {kind}.")


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _rule_in_use(identity: Identity) -> str:
    return f"Cannot drop Network rule {identity[-1]} as it is associated with some network policies."


def _attachment_references(properties: Properties) -> Iterator[Reference]:
    yield refer(NETWORK_POLICY, "Network policy", text(properties, "networkPolicyName"), WhenGone.PREVENTS)


def _known_triggers(properties: Properties) -> Iterator[Failure]:
    for index, trigger in enumerate(properties.get("notifyTriggers") or ()):
        if isinstance(trigger, int) and trigger < 1:
            yield Failure(f"notifyTriggers[{index}]", f"expected to be at least (1), got {trigger}")


KINDS = {
    DATABASE: account_object(
        existing=frozenset({("SNOWFLAKE",)}),
        replaces=paths("isTransient"),
        validate=_retention,
        refusals=retention_refusals,
    ),
    SCHEMA: Kind(
        identity=_schema_identity,
        make_id=lambda properties: qualified(_schema_identity(properties)),
        duplicate=duplicate,
        references=lambda properties: [refer(DATABASE, "Database", text(properties, "database"))],
        replaces=paths("database", "isTransient"),
        fill=lambda draft: {"fullyQualifiedName": qualified(_schema_identity(draft.asked))},
        conflicts=lambda new, old: _schema_identity(new) == _schema_identity(old),
        normal=spelling("database"),
        validate=every(_retention, flags("isTransient", "withManagedAccess")),
        refusals=retention_refusals,
    ),
    WAREHOUSE: account_object(
        references=_warehouse_references,
        rivals=_WAREHOUSES[1:],
        normal=((("warehouseSize",), size), *spelling("resourceMonitor")),
        replaces_too=_warehouse_replacements,
        validate=every(
            one_of("warehouseSize", SIZES, "warehouse size"),
            one_of("warehouseType", ("STANDARD", "SNOWPARK-OPTIMIZED"), "warehouse type"),
            one_of("scalingPolicy", ("STANDARD", "ECONOMY"), "scaling policy"),
            flags("autoResume", "enableQueryAcceleration"),
            within("autoSuspend", 0),
            within("maxClusterCount", 1),
            within("minClusterCount", 1),
            within("maxConcurrencyLevel", 1),
            within("statementTimeoutInSeconds", 0, 604_800),
            within("statementQueuedTimeoutInSeconds", 0),
            within("queryAccelerationMaxScaleFactor", 0, 100),
            conflict("generation", "resourceConstraint"),
        ),
        refusals=_warehouse_refusals,
    ),
    MONITOR: account_object(
        replaces=paths("name"),
        replaces_too=_monitor_replacements,
        unordered=paths("notifyUsers", "notifyTriggers"),
        validate=every(
            within("creditQuota", 1),
            within("suspendTrigger", 1),
            within("suspendImmediateTrigger", 1),
            one_of("frequency", ("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"), "frequency"),
            needs("frequency", "startTimestamp"),
            _known_triggers,
        ),
        refusals=_monitor_refusals,
    ),
    NETWORK_RULE: schema_object(
        replaces=("database", "schema", "name", "mode", "type"),
        unordered=paths("valueLists"),
        validate=every(
            one_of(
                "mode",
                ("INGRESS", "INTERNAL_STAGE", "EGRESS", "POSTGRES_INGRESS", "POSTGRES_EGRESS"),
                "network rule mode",
            ),
            one_of("type", _RULE_MODES, "network rule type"),
        ),
        refusals=_rule_refusals,
        referred=_rule_in_use,
    ),
    NETWORK_POLICY: account_object(
        references=_policy_references,
        referred=_attached,
        unordered=paths(*_NETWORK_LISTS),
        normal=spelling("allowedNetworkRuleLists.*", "blockedNetworkRuleLists.*"),
        validate=every(
            identifiers("allowedNetworkRuleLists.*", "<database_name>.<schema_name>.<name>"),
            identifiers("blockedNetworkRuleLists.*", "<database_name>.<schema_name>.<name>"),
        ),
        refusals=_policy_refusals,
    ),
    NETWORK_ATTACHMENT: Kind(
        identity=lambda properties: (text(properties, "networkPolicyName"),),
        make_id=lambda properties: f"{text(properties, 'networkPolicyName')}_attachment",
        references=_attachment_references,
        replaces=paths("networkPolicyName"),
    ),
}
