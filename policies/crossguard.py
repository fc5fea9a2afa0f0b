"""Hands the policies to the engine, through the Pulumi Policy SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policies.catalogue import ESTATE_POLICIES, POLICIES
from policies.model import EstatePolicy, Hidden, Level, Policy, Resource, Situation, message
from policies.strictness import limits_of

NAME = "sophia-ai"

_LEVELS: Mapping[Level, EnforcementLevel] = {
    Level.MANDATORY: EnforcementLevel.MANDATORY,
    Level.ADVISORY: EnforcementLevel.ADVISORY,
}


def serve() -> None:
    """Answers the engine until it hangs up."""
    policies = [_resource_policy(policy) for policy in POLICIES if not policy.of_state]
    together = [_stack_policy(policy) for policy in ESTATE_POLICIES if not policy.of_state]
    PolicyPack(NAME, policies=[*policies, *together])


def _resource_policy(policy: Policy) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if policy.kinds and args.resource_type not in policy.kinds:
            return
        resource = resource_of(args)
        situation = situation_of(resource)
        if policy.asked_of(situation.limits):
            for violation in policy.check(resource, situation):
                report(message(policy, violation), None)

    return ResourceValidationPolicy(policy.name, policy.summary, validate, enforcement_level=_LEVELS[policy.level])


def _stack_policy(policy: EstatePolicy) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources: Sequence[Resource] = [resource_of(resource) for resource in args.resources]
        if not resources:
            return
        situation = situation_of(resources[0])
        if policy.asked_of(situation.limits):
            for violation in policy.check(resources, situation):
                report(message(policy, violation), violation.resource.urn)

    return StackValidationPolicy(policy.name, policy.summary, validate, enforcement_level=_LEVELS[policy.level])


def situation_of(resource: Resource) -> Situation:
    return Situation(resource.stack, limits_of(resource.stack), datetime.now(UTC))


def resource_of(args: ResourceValidationArgs | PolicyResource) -> Resource:
    return Resource(args.resource_type, args.urn, plain(args.props), protected=args.opts.protect)


def plain(value: Any) -> Any:
    """A property without the SDK's wrapping, which raises at the first value that is not known yet.

    That would make a policy say nothing about the whole resource in a preview, because of a property that it may not
    even look at.
    """
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(value: Any, key: Any) -> Any:
    try:
        return plain(value[key])
    except UnknownValueError:
        return Hidden.UNKNOWN
