"""Lambda Cloud: whether it answers, how the stack's instances are and what they cost, and who can reach all of them.

Source of facts: Lambda's API description 1.8.3. It has no bills: what something costs is its price an hour, by the hours
since the stack's state has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from health.base import Answer, Credential, Health, Probe, Problem, Quota, Reading, Resource, Service, Subject
from providers.lambda_labs import LAMBDA_LABS, Rule
from providers.lambda_labs_instances import OWNER_TAG, dollars, is_over, monthly_cents

API_KEY = "LAMBDA_API_KEY"

_TYPE = "pulumi-python:dynamic/lambda_labs:Instance"
_ENVIRONMENT = "credentials-"
_SECONDS_AN_HOUR = 3600


def _instances(answer: Answer) -> Reading:
    """Ours are active, nothing bills that nobody knows, and the sum stays within the month's money."""
    live = {one["id"]: one for one in answer.document["data"] if not is_over(one)}
    ours = answer.subject.of_type(_TYPE)
    problems = [*_ailing(live, ours, answer.subject), *_unknown(live, ours, answer.subject)]
    return Reading(tuple(problems), quotas=tuple(_money(live, ours, answer.subject)))


def _ailing(live: Mapping[str, Any], ours: list[Resource], subject: Subject) -> Iterator[Problem]:
    for resource in ours:
        setting, instance = f"sophia-ai:lambda_labs.instances.{resource.name}", live.get(resource.id)
        if instance is None:
            said = f"the instance {resource.id} is not running any more: preempted, or terminated by somebody"
            yield Problem(said, "`sophia refresh`, then `sophia up`, which launches another one", setting)
        elif instance["status"] == "unhealthy":
            said = f"{instance.get('name')} is unhealthy and bills {dollars(_price(instance))}/h"
            yield Problem(said, "raise its `generation`: another is launched, and this one terminated", setting)
        elif instance["status"] == "booting":
            said = f"{instance.get('name')} is still booting and bills {dollars(_price(instance))}/h"
            yield Problem(said, "wait; `sophia up` looks at it again", setting, "degraded")
        wanted = (subject.settings.get("instances") or {}).get(resource.name) or {}
        taken = resource.outputs.get("instance_type")
        if instance and wanted.get("types") and taken and taken not in wanted["types"]:
            said = f"{instance.get('name')} is a {taken}, which is not among its `types` any more"
            yield Problem(said, "raise its `generation`, if it is to be another type", setting, "degraded")


def _unknown(live: Mapping[str, Any], ours: list[Resource], subject: Subject) -> Iterator[Problem]:
    """Instances that bear this stack's mark and are not in its state, and those that bear nobody's."""
    stack = subject.cloud.credentials.replace(_ENVIRONMENT, "")
    known = {resource.id for resource in ours}
    for id_, instance in live.items():
        owner = next((tag["value"] for tag in instance.get("tags") or [] if tag["key"] == OWNER_TAG), None)
        if id_ in known or owner not in (None, stack):
            continue
        whose = "is marked as ours, and no state knows it" if owner else "bears the mark of no stack"
        said = f"{instance.get('name') or id_} ({instance['instance_type']['name']}) {whose}"
        do = "find out whose it is; terminate it in Lambda's console if it is nobody's"
        yield Problem(f"{said}: it bills {dollars(_price(instance))}/h", do, verdict="degraded")


def _money(live: Mapping[str, Any], ours: list[Resource], subject: Subject) -> Iterator[Quota]:
    """What is left of ``monthly_usd`` at the present rate."""
    budget = subject.settings.get("monthly_usd")
    billing = [(resource, live[resource.id]) for resource in ours if resource.id in live]
    if budget is None:
        return
    hourly = sum(_price(instance) for _, instance in billing)
    spent = sum(_price(instance) * _hours(resource.created) for resource, instance in billing)
    what = (
        f"USD a month ({len(billing)} running, {dollars(hourly)}/h: {dollars(monthly_cents(hourly))} in 730 hours; "
        f"{dollars(spent)} since their launch)"
    )
    yield Quota(what, float(budget) - monthly_cents(hourly) / 100, float(budget), low=0.0)


def _price(instance: Mapping[str, Any]) -> int:
    return int(instance["instance_type"]["price_cents_per_hour"])


def _hours(since: str | None) -> float:
    if since is None:
        return 0.0
    return max((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds(), 0.0) / _SECONDS_AN_HOUR


def _offered(answer: Answer) -> Reading:
    """Another generation, and an instance that Lambda takes away, need a type that is offered."""
    offered = answer.document["data"]
    problems = [
        Problem(
            f"Lambda offers none of {', '.join(instance['types'])}",
            "name types that it offers: `types` is looked at when an instance is launched",
            f"sophia-ai:lambda_labs.instances.{key}.types",
            "degraded",
        )
        for key, instance in (answer.subject.settings.get("instances") or {}).items()
        if not any(name in offered for name in instance["types"])
    ]
    return Reading(tuple(problems))


def _global_rules(answer: Answer) -> Reading:
    """The account's rules let in what they are expected to, and nothing else: they hold for every instance."""
    expected = {_spelt(_as_rule(rule)) for rule in answer.subject.settings["global_rules"]}
    found = {_spelt(rule) for rule in answer.document["data"]["rules"]}
    setting = "sophia-ai:lambda_labs.global_rules"
    more, missing = found - expected, expected - found
    problems = []
    if more:
        said = f"the account's global firewall ruleset also lets in {'; '.join(sorted(more))}"
        problems.append(Problem(said, "remove it in Lambda's console, or add it here if it is meant", setting))
    if missing:
        said = f"the account's global firewall ruleset does not let in {'; '.join(sorted(missing))}"
        problems.append(Problem(said, "add it in Lambda's console, or remove it here", setting, "degraded"))
    return Reading(tuple(problems))


def _as_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of the settings in Lambda's words."""
    words = str(rule["ports"]).split("-") if rule.get("ports") is not None else []
    ports = {"port_range": [int(words[0]), int(words[-1])]} if words else {}
    return {"protocol": rule["protocol"], "source_network": rule["source"], **ports}


def _spelt(rule: Mapping[str, Any]) -> str:
    """What a rule lets in, in one spelling; its description lets in nothing."""
    known = Rule.model_validate({name: value for name, value in rule.items() if name != "description"})
    first, last = known.port_range or [0, 0]
    ports = "" if not known.port_range else f" {first}" if first == last else f" {first}-{last}"
    return f"{known.protocol}{ports} from {known.source_network}"


HEALTH = Health(
    platform="lambda_labs",
    title="Lambda Cloud",
    service=replace(Service.of(LAMBDA_LABS, status_page="https://status.lambda.ai"), pause=1.0),
    probes=(
        Probe("offers", "/api/v1/instance-types", credentials=(API_KEY,), read=_offered),
        Probe("instances", "/api/v1/instances", credentials=(API_KEY,), read=_instances),
        Probe(
            "global firewall rules",
            "/api/v1/firewall-rulesets/global",
            credentials=(API_KEY,),
            read=_global_rules,
            needed=lambda subject: subject.settings.get("global_rules") is not None,
        ),
    ),
    credentials=(
        Credential(
            API_KEY,
            "by hand: Lambda's console, API keys; a second key, then the first one deleted: Lambda has no call for it",
            by_api=False,
        ),
    ),
)
