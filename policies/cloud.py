"""AWS: buckets are closed and encrypted, roles trust few and may do little."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import EstatePolicy, Hidden, Policy, Resource, Situation, Violation, items

_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_WITHOUT_RESOURCE: Final = frozenset({"kms:CreateKey", "kms:ListAliases"})
"""Actions that AWS has no finer form for than all resources (service authorization reference)."""

_ACCESS = (
    controls.SOC2_CC6_1,
    controls.GDPR_32_1_B,
    controls.HIPAA_ACCESS,
    controls.PCI_7_2_1,
    controls.GLBA_ACCESS,
)
_ENCRYPTED = (
    controls.SOC2_CC6_7,
    controls.GDPR_32_1_A,
    controls.HIPAA_ENCRYPTION,
    controls.PCI_3_5_1,
    controls.GLBA_ENCRYPTION,
)


def _statements(text: Any) -> list[Mapping[str, Any]]:
    """Those of a document; none where it is not known yet, or is no document."""
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return []
    found = document.get("Statement", []) if isinstance(document, Mapping) else []
    return [one for one in _listed(found) if isinstance(one, Mapping)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _everybody(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and "*" in _listed(principal.get("AWS")))


def _public_bucket(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if resource.type == kinds.AWS_PUBLIC_ACCESS_BLOCK:
        for switch in _BLOCKS:
            if resource.get(switch) is not True and not isinstance(resource.get(switch), Hidden):
                yield _public(resource, f"leaves {switch} off", switch)
        return
    for statement in _statements(resource.get("policy")):
        if statement.get("Effect") == "Allow" and _everybody(statement.get("Principal")):
            yield _public(resource, "lets everybody in", "policy")


def _public(resource: Resource, what: str, member: str) -> Violation:
    why, do = (
        "files of residents could be read by the whole internet",
        "name who is let in, and keep all four blocks on",
    )
    return Violation(resource, what, why, places.property_of(resource, member), do)


def _bucket_is_guarded(resources: Sequence[Resource], _situation: Situation) -> Iterator[Violation]:
    """By name, as they refer to their bucket; one whose name is not known yet is not judged."""
    for bucket in (one for one in resources if one.type == kinds.AWS_BUCKET):
        name = bucket.get("bucket")
        if not isinstance(name, str):
            continue
        around = {one.type for one in resources if one.type in _GUARDS and _is_of(one, name)}
        for kind, what in _GUARDS.items():
            if kind not in around:
                why = "what S3 does by default is not what residents' data needs"
                do = "make the bucket with components/aws, which makes that too"
                yield Violation(bucket, f"has no {what}", why, places.setting(bucket, ""), do)


_GUARDS: Final[Mapping[str, str]] = {
    kinds.AWS_PUBLIC_ACCESS_BLOCK: "public access block",
    kinds.AWS_BUCKET_ENCRYPTION: "encryption of its own",
    kinds.AWS_BUCKET_POLICY: "policy that refuses plain HTTP",
}


def _is_of(resource: Resource, bucket: str) -> bool:
    named = resource.get("bucket")
    return named == bucket or isinstance(named, Hidden)


def _encrypted(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    match resource.type:
        case kinds.AWS_KEY if resource.get("enableKeyRotation") in (None, False):
            yield _clear(resource, "would never be rotated", "enableKeyRotation", "turn its rotation on")
        case kinds.AWS_TOPIC if resource.get("kmsMasterKeyId") is None:
            yield _clear(
                resource, "would keep messages without a key of ours", "kmsMasterKeyId", "give it the stage's key"
            )
        case kinds.AWS_BUCKET_ENCRYPTION if not items(resource.get("rules")) and resource.get("rules") is None:
            yield _clear(resource, "says no encryption", "rules", "encrypt with the stage's key")


def _clear(resource: Resource, what: str, member: str, do: str) -> Violation:
    why = "who gets at the storage would have the data, and nobody could take that back"
    return Violation(resource, what, why, places.property_of(resource, member), do)


def _wide_permission(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for index, statement in enumerate(_statements(resource.get("policy"))):
        if statement.get("Effect") != "Allow":
            continue
        actions = [str(action) for action in _listed(statement.get("Action", []))]
        where = places.property_of(resource, f"policy.Statement[{index}]")
        wide = next((action for action in actions if "*" in action), None)
        if wide or "NotAction" in statement:
            why = "who takes the role could do what nobody has thought of, and what AWS adds next year"
            yield Violation(resource, f"would allow {wide or 'all but some actions'}", why, where, "name each action")
        everything = "*" in _listed(statement.get("Resource", [])) or "NotResource" in statement
        if everything and not set(actions) <= _WITHOUT_RESOURCE:
            why = "the role would reach what other stages and programs have in the account"
            yield Violation(resource, "would allow that on every resource", why, where, "name each resource")


def _wide_trust(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for index, statement in enumerate(_statements(resource.get("assumeRolePolicy"))):
        if statement.get("Effect") != "Allow":
            continue
        said = _too_wide(statement.get("Principal"), statement.get("Condition") or {})
        if said:
            where = places.property_of(resource, f"assumeRolePolicy.Statement[{index}]")
            why = "somebody whom nobody has named could take the role"
            do = "name the subjects (StringEquals on sub and aud), or the external id, without patterns"
            yield Violation(resource, said, why, where, do)


def _too_wide(principal: Any, condition: Mapping[str, Any]) -> str | None:
    if _everybody(principal):
        return "trusts everybody"
    if not isinstance(principal, Mapping):
        return None
    equal = condition.get("StringEquals") or {}
    for provider in _listed(principal.get("Federated", [])):
        issuer = str(provider).partition(":oidc-provider/")[2]
        for claim in ("sub", "aud"):
            asked = [str(value) for value in _listed(equal.get(f"{issuer}:{claim}", []))]
            if not asked or any("*" in value or "?" in value for value in asked):
                return f"trusts every token of {issuer}, whatever its {claim}"
    if principal.get("AWS") and "sts:ExternalId" not in equal:
        return "trusts another account without an external id"
    return None


POLICIES: Final = (
    Policy(
        "no-public-bucket",
        "No bucket and no topic is open to everybody.",
        (kinds.AWS_PUBLIC_ACCESS_BLOCK, kinds.AWS_BUCKET_POLICY, kinds.AWS_TOPIC_POLICY),
        (controls.SOC2_CC6_6, controls.GDPR_25_2, controls.HIPAA_ACCESS, controls.PCI_1_3_1, controls.GLBA_ACCESS),
        _public_bucket,
    ),
    Policy(
        "aws-encryption",
        "What AWS stores is encrypted with a key that is ours, and that is rotated.",
        (kinds.AWS_KEY, kinds.AWS_TOPIC, kinds.AWS_BUCKET_ENCRYPTION),
        _ENCRYPTED,
        _encrypted,
    ),
    Policy(
        "least-privilege",
        "Permissions in AWS name their actions and their resources.",
        (kinds.AWS_POLICY, kinds.AWS_ROLE_POLICY),
        _ACCESS,
        _wide_permission,
    ),
    Policy(
        "narrow-trust",
        "A role in AWS is taken only by those whom its trust names.",
        (kinds.AWS_ROLE,),
        _ACCESS,
        _wide_trust,
    ),
)

ESTATE_POLICIES: Final = (
    EstatePolicy(
        "guarded-bucket",
        "Every bucket has a public access block, encryption and a policy of its own.",
        (kinds.AWS_BUCKET, *_GUARDS),
        _ENCRYPTED,
        _bucket_is_guarded,
    ),
)
