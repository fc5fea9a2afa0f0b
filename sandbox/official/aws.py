"""AWS: ids, ARNs, defaults and rules of the resource types that the estate uses.

Sources: hashicorp/terraform-provider-aws (ids, what is replaced: ``ForceNew``, defaults, validators), the schema of
pulumi/pulumi-aws, and the API references of IAM, KMS, S3 and SNS. The sandbox's one account is ``ACCOUNT``, its region is
``REGION``: what the program's environment names cannot be seen from here.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Iterator

from sandbox.official import aws_storage
from sandbox.official.aws_documents import allows, is_json, parsed, problem
from sandbox.official.aws_names import ACCOUNT, REGION, api_error, arn_of
from sandbox.official.behaviour import Draft, Identity, Kind, Package, Reference, WhenGone, now, paths, text
from sandbox.official.types import Failure, Sdk
from sandbox.official.values import Properties, is_unknown

__all__ = ["ACCOUNT", "PACKAGE", "REGION"]

_ROLE, _POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
_KEY, _TOPIC = "aws:kms/key:Key", "aws:sns/topic:Topic"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}")
_LARGEST_POLICY, _LARGEST_INLINE, _LARGEST_TRUST = 6144, 10240, 2048
"""Characters without white space; AWS raises the last of them on request."""


def _unique_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))


def _name(properties: Properties) -> Identity:
    return (text(properties, "name"),)


def _arn_alias(properties: Properties) -> Iterator[Identity]:
    if arn := text(properties, "arn"):
        yield (arn,)


def _size(document: str) -> int:
    return len(re.sub(r"\s", "", document))


def _malformed(operation: str, document: str, **kind: bool) -> Iterator[str]:
    if said := problem(document, **kind):
        yield api_error("IAM", operation, 400, f"MalformedPolicyDocument: {said}")


def _role_fill(draft: Draft) -> Properties:
    path = text(draft.asked, "path") or "/"
    return {
        "arn": arn_of("iam", f"role{path}{text(draft.asked, 'name')}"),
        "path": "/",
        "createDate": draft.kept("createDate", now),
        "uniqueId": draft.kept("uniqueId", lambda: _unique_id("AROA")),
        "maxSessionDuration": 3600,
        "forceDetachPolicies": False,
        "tagsAll": draft.asked.get("tags", {}),
    }


def _role_failures(properties: Properties) -> Iterator[Failure]:
    yield from is_json("assumeRolePolicy")(properties)
    name = text(properties, "name")
    if name and not is_unknown(name) and not _ROLE_NAME.fullmatch(name):
        yield Failure("name", "must match [\\w+=,.@-]{1,64}")
    duration = properties.get("maxSessionDuration", 3600)
    if isinstance(duration, int) and not 3600 <= duration <= 43200:
        yield Failure("maxSessionDuration", f"expected to be in the range (3600 - 43200), got {duration}")


def _role_references(properties: Properties) -> Iterator[Reference]:
    if boundary := text(properties, "permissionsBoundary"):
        said = f"NoSuchEntity: Scope ARN: {boundary} does not exist or is not attachable."
        yield Reference(_POLICY, (boundary,), api_error("IAM", "CreateRole", 404, said), WhenGone.PREVENTS)


def _role_refusals(draft: Draft) -> Iterator[str]:
    trust = text(draft.asked, "assumeRolePolicy")
    yield from _malformed("CreateRole", trust, trust=True)
    if _size(trust) > _LARGEST_TRUST:
        said = f"LimitExceeded: Cannot exceed quota for ACLSizePerRole: {_LARGEST_TRUST}"
        yield api_error("IAM", "CreateRole", 409, said)


def _of_role(properties: Properties) -> Iterator[Reference]:
    name = text(properties, "role")
    said = f"NoSuchEntity: The role with name {name} cannot be found."
    # The provider takes an inline policy's role with it in its own order; IAM would refuse the role's deletion.
    yield Reference(_ROLE, (name,), api_error("IAM", "PutRolePolicy", 404, said))


def _inline_refusals(draft: Draft) -> Iterator[str]:
    policy = text(draft.asked, "policy")
    yield from _malformed("PutRolePolicy", policy, identity=True)
    if _size(policy) > _LARGEST_INLINE:
        said = f"LimitExceeded: Maximum policy size of {_LARGEST_INLINE} bytes exceeded for role {text(draft.asked, 'role')}"
        yield api_error("IAM", "PutRolePolicy", 409, said)


def _policy_refusals(draft: Draft) -> Iterator[str]:
    policy = text(draft.asked, "policy")
    yield from _malformed("CreatePolicy", policy, identity=True)
    if _size(policy) > _LARGEST_POLICY:
        said = f"LimitExceeded: Cannot exceed quota for PolicySize: {_LARGEST_POLICY}"
        yield api_error("IAM", "CreatePolicy", 409, said)


def _policy_fill(draft: Draft) -> Properties:
    path = text(draft.asked, "path") or "/"
    return {
        "arn": arn_of("iam", f"policy{path}{text(draft.asked, 'name')}"),
        "path": "/",
        "policyId": draft.kept("policyId", lambda: _unique_id("ANPA")),
        "attachmentCount": 0,
        "tagsAll": draft.asked.get("tags", {}),
    }


def _issuer(properties: Properties) -> str:
    return text(properties, "url").removeprefix("https://")


def _issuer_failures(properties: Properties) -> Iterator[Failure]:
    url = text(properties, "url")
    if url and not is_unknown(url) and not re.fullmatch(r"https://[\w.-]+(/[\w./-]*)?", url):
        yield Failure("url", 'expected "url" to have a host and the scheme https')
    if properties.get("clientIdLists") == []:
        yield Failure("clientIdLists", "1 item at least is needed")


def _issuer_exists(identity: Identity) -> str:
    said = f"EntityAlreadyExists: Provider with url https://{identity[0]} already exists."
    return api_error("IAM", "CreateOpenIDConnectProvider", 409, said)


def _key_fill(draft: Draft) -> Properties:
    return {
        "arn": arn_of("kms", f"key/{draft.id}", REGION),
        "keyId": draft.id,
        "description": "",
        "keyUsage": "ENCRYPT_DECRYPT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "isEnabled": True,
        "enableKeyRotation": False,
        "multiRegion": False,
        "bypassPolicyLockoutSafetyCheck": False,
        **({"rotationPeriodInDays": 365} if draft.asked.get("enableKeyRotation") else {}),
        "tagsAll": draft.asked.get("tags", {}),
        "region": REGION,
    }


def _key_failures(properties: Properties) -> Iterator[Failure]:
    yield from is_json("policy")(properties)
    for member, least, most in (("deletionWindowInDays", 7, 30), ("rotationPeriodInDays", 90, 2560)):
        days = properties.get(member)
        if isinstance(days, int) and not least <= days <= most:
            yield Failure(member, f"expected {member} to be in the range ({least} - {most}), got {days}")


def _key_refusals(draft: Draft) -> Iterator[str]:
    policy = text(draft.asked, "policy")
    if not policy:
        return
    if said := problem(policy):
        yield api_error("KMS", "CreateKey", 400, f"MalformedPolicyDocumentException: {said}")
        return
    changeable = allows(policy, arn_of("iam", "root"), "kms:*", "kms:PutKeyPolicy")
    if not changeable and not draft.asked.get("bypassPolicyLockoutSafetyCheck"):
        said = "The new key policy will not allow you to update the key policy in the future."
        yield api_error("KMS", "CreateKey", 400, f"MalformedPolicyDocumentException: {said}")


def _alias_references(properties: Properties) -> Iterator[Reference]:
    target = text(properties, "targetKeyId")
    yield Reference(
        _KEY, (target,), api_error("KMS", "CreateAlias", 400, f"NotFoundException: Key '{target}' does not exist")
    )


def _alias_failures(properties: Properties) -> Iterator[Failure]:
    name = text(properties, "name")
    if name and not is_unknown(name) and not re.fullmatch(r"alias/(?!aws/)[a-zA-Z0-9/_-]+", name):
        yield Failure(
            "name", 'must begin with "alias/", which "aws/" must not follow, and have letters, digits, /, _ and -'
        )


def _alias_exists(identity: Identity) -> str:
    arn = arn_of("kms", identity[0], REGION)
    return api_error("KMS", "CreateAlias", 400, f"AlreadyExistsException: An alias with the name {arn} already exists")


def _topic_fill(draft: Draft) -> Properties:
    arn = arn_of("sns", text(draft.asked, "name"), REGION)
    return {
        "arn": arn,
        "owner": ACCOUNT,
        "fifoTopic": False,
        "contentBasedDeduplication": False,
        "signatureVersion": 1,
        "displayName": "",
        "tagsAll": draft.asked.get("tags", {}),
        "region": REGION,
    }


def _of_topic(properties: Properties) -> Iterator[Reference]:
    arn = text(properties, "arn")
    yield Reference(_TOPIC, (arn,), api_error("SNS", "SetTopicAttributes", 404, "NotFound: Topic does not exist"))


def _topic_policy_refusals(draft: Draft) -> Iterator[str]:
    if said := problem(text(draft.asked, "policy")):
        said = f"InvalidParameter: Invalid parameter: Policy statement action out of service scope! ({said})"
        yield api_error("SNS", "SetTopicAttributes", 400, said)


_KINDS: dict[str, Kind] = {
    **aws_storage.KINDS,
    _ROLE: Kind(
        identity=_name,
        make_id=lambda properties: text(properties, "name"),
        aliases=_arn_alias,
        duplicate=lambda identity: api_error(
            "IAM", "CreateRole", 409, f"EntityAlreadyExists: Role with name {identity[0]} already exists."
        ),
        references=_role_references,
        replaces=paths("name", "namePrefix", "path"),
        fill=_role_fill,
        validate=_role_failures,
        refusals=_role_refusals,
        normal=((("assumeRolePolicy",), parsed),),
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        identity=lambda properties: (text(properties, "role"), text(properties, "name")),
        make_id=lambda properties: f"{text(properties, 'role')}:{text(properties, 'name')}",
        duplicate=None,
        references=_of_role,
        replaces=paths("name", "namePrefix", "role"),
        validate=is_json("policy"),
        refusals=_inline_refusals,
        normal=((("policy",), parsed),),
    ),
    _POLICY: Kind(
        identity=_name,
        make_id=lambda properties: arn_of("iam", f"policy{text(properties, 'path') or '/'}{text(properties, 'name')}"),
        aliases=_arn_alias,
        duplicate=lambda identity: api_error(
            "IAM", "CreatePolicy", 409, f"EntityAlreadyExists: A policy called {identity[0]} already exists."
        ),
        referred=lambda _: api_error(
            "IAM", "DeletePolicy", 409, "DeleteConflict: Cannot delete a policy attached to entities."
        ),
        replaces=paths("name", "namePrefix", "path", "description"),
        fill=_policy_fill,
        validate=is_json("policy"),
        refusals=_policy_refusals,
        normal=((("policy",), parsed),),
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Kind(
        identity=lambda properties: (_issuer(properties),),
        make_id=lambda properties: arn_of("iam", f"oidc-provider/{_issuer(properties)}"),
        aliases=_arn_alias,
        duplicate=_issuer_exists,
        replaces=paths("url"),
        unordered=paths("clientIdLists", "thumbprintLists"),
        fill=lambda draft: {
            "arn": draft.id,
            "thumbprintLists": draft.kept("thumbprintLists", lambda: [secrets.token_hex(20)]),
            "tagsAll": draft.asked.get("tags", {}),
        },
        validate=_issuer_failures,
    ),
    _KEY: Kind(
        identity=lambda properties: (text(properties, "keyId"),),
        make_id=lambda _: str(uuid.uuid4()),
        aliases=_arn_alias,
        conflicts=lambda _new, _old: False,
        replaces=paths("customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"),
        fill=_key_fill,
        validate=_key_failures,
        refusals=_key_refusals,
        normal=((("policy",), parsed),),
    ),
    "aws:kms/alias:Alias": Kind(
        identity=_name,
        make_id=lambda properties: text(properties, "name"),
        aliases=_arn_alias,
        duplicate=_alias_exists,
        references=_alias_references,
        replaces=paths("name", "namePrefix"),
        fill=lambda draft: {
            "arn": arn_of("kms", text(draft.asked, "name"), REGION),
            "targetKeyArn": draft.parent.get("arn"),
            "region": REGION,
        },
        validate=_alias_failures,
    ),
    _TOPIC: Kind(
        identity=_name,
        make_id=lambda properties: arn_of("sns", text(properties, "name"), REGION),
        aliases=_arn_alias,
        duplicate=None,  # SNS answers with the topic that is there
        replaces=paths("name", "namePrefix", "fifoTopic"),
        fill=_topic_fill,
    ),
    "aws:sns/topicPolicy:TopicPolicy": Kind(
        identity=lambda properties: (text(properties, "arn"),),
        make_id=lambda properties: text(properties, "arn"),
        duplicate=None,
        references=_of_topic,
        replaces=paths("arn"),
        fill=lambda _: {"owner": ACCOUNT},
        validate=is_json("policy"),
        refusals=_topic_policy_refusals,
        normal=((("policy",), parsed),),
    ),
}
_UNRULED = Kind(
    identity=_name,
    make_id=lambda properties: text(properties, "name") or str(uuid.uuid4()),
    conflicts=lambda _new, _old: False,
)

PACKAGE = Package(sdk=Sdk("aws", "pulumi_aws", "pulumi-aws"), kind=lambda token: _KINDS.get(token, _UNRULED))
