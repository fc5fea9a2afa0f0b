"""Policy documents as AWS reads them: their grammar, and what of them differs when only their spelling does.

Source: the IAM user guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.official.types import Failure
from sandbox.official.values import Properties, has_unknowns

_TOP = {"Version", "Id", "Statement"}
_VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
}
_PRINCIPALS = {"AWS", "Federated", "Service", "CanonicalUser"}
_SID = re.compile(r"[0-9A-Za-z]*")
_ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
_ARN = re.compile(r"\*|arn:[\w*-]+:[\w*-]*:[\w*?-]*:[\w*?-]*:.+")
_AWS_PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:aws[\w-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/.+)"
)
_FEDERATED = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(oidc|saml)-provider/.+|[\w-]+(\.[\w-]+)+")
_OPERATOR = re.compile(
    r"(For(All|Any)Values?:)?(String(Not)?(Equals|Like)|String(Not)?EqualsIgnoreCase|Numeric(Not)?Equals"
    r"|Numeric(Less|Greater)Than(Equals)?|Date(Not)?Equals|Date(Less|Greater)Than(Equals)?|Bool|BinaryEquals|(Not)?IpAddress"
    r"|Arn(Not)?(Equals|Like))(IfExists)?|Null"
)


def problem(text: str, *, identity: bool = False, trust: bool = False) -> str | None:
    """Why AWS would not take a document; None when it would.

    ``identity``: of a role or a user, which has no principal; ``trust``: of a role's trust, which has no resource.
    """
    try:
        document = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(document, dict) or not document.keys() <= _TOP or "Statement" not in document:
        return "Syntax errors in policy."
    if document.get("Version", _VERSIONS[1]) not in _VERSIONS:
        return "The policy must contain a valid version string"
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    if not listed:
        return "Syntax errors in policy."
    sids = [one.get("Sid") for one in listed if isinstance(one, dict) and one.get("Sid")]
    if len(set(sids)) != len(sids):
        return "Statement IDs (SID) in a single policy must be unique."
    return next((said for one in listed if (said := _statement(one, identity=identity, trust=trust))), None)


def _statement(statement: Any, *, identity: bool, trust: bool) -> str | None:
    if not isinstance(statement, dict) or not statement.keys() <= _ELEMENTS:
        return "Syntax errors in policy."
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        return "Statement IDs (SID) can only contain alphanumeric characters."
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Policy statement must contain effect Allow or Deny."
    for element in ("Principal", "Action", "Resource"):
        if element in statement and f"Not{element}" in statement:
            return f"Policy statement must contain either {element} or Not{element}, and not both."
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if identity and principal is not None:
        return "Policy document should not specify a principal."
    return (
        (None if identity else _principal(principal))
        or _resource(_texts(statement.get("Resource", statement.get("NotResource"))), trust=trust)
        or _action(_texts(statement.get("Action", statement.get("NotAction"))), trust=trust)
        or _condition(statement.get("Condition", {}))
    )


def _resource(resources: list[str], *, trust: bool) -> str | None:
    if trust:
        return "Has prohibited field Resource" if resources else None
    if not resources:
        return "Policy statement must contain resources."
    wrong = next((resource for resource in resources if not _ARN.fullmatch(resource)), None)
    return None if wrong is None else f'Resource {wrong} must be in ARN format or "*".'


def _action(actions: list[str], *, trust: bool) -> str | None:
    if not actions:
        return "Policy statement must contain actions."
    if not all(_ACTION.fullmatch(action) for action in actions):
        return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    if trust and not all(action.startswith("sts:") for action in actions):
        return "AssumeRole policy may only specify STS AssumeRole actions."
    return None


def _principal(principal: Any) -> str | None:
    if principal == "*":
        return None
    if not isinstance(principal, dict) or not principal or not principal.keys() <= _PRINCIPALS:
        return "Missing required field Principal"
    for name in _texts(principal.get("AWS")):
        if not _AWS_PRINCIPAL.fullmatch(name):
            return f'Invalid principal in policy: "AWS":"{name}"'
    for name in _texts(principal.get("Federated")):
        if not _FEDERATED.fullmatch(name):
            return "Federated principals must be valid domain names or SAML metadata ARNs"
    return None


def _condition(condition: Any) -> str | None:
    if not isinstance(condition, dict):
        return "Syntax errors in policy."
    for operator, keys in condition.items():
        if not _OPERATOR.fullmatch(operator):
            return f"Invalid Condition type : {operator}."
        if not isinstance(keys, dict) or not all(":" in key and _texts(values) for key, values in keys.items()):
            return "Conditions must be prefaced by a vendor"
    return None


def _texts(value: Any) -> list[str]:
    """The texts of an element that is one, or a list of them; none where there is something else."""
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)] if all(isinstance(i, str) for i in value) else []
    return [value] if isinstance(value, str) else []


def allows(text: str, principal: str, *actions: str) -> bool:
    """Whether some statement lets ``principal`` do one of ``actions``, written as they are."""
    document = json.loads(text)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return any(
        one["Effect"] == "Allow"
        and principal in _texts(one["Principal"].get("AWS") if isinstance(one.get("Principal"), dict) else None)
        and any(action in _texts(one.get("Action")) for action in actions)
        for one in statements
    )


def parsed(text: Any) -> Any:
    """A document without its spelling: spaces, the order of members, a list of one."""
    try:
        return _normal(json.loads(text))
    except (ValueError, TypeError):
        return text


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((_normal(item) for item in value), key=repr)
        return items[0] if len(items) == 1 else items
    return value


def is_json(member: str) -> Callable[[Properties], Iterator[Failure]]:
    """A validator: the provider itself refuses what is no JSON object, before AWS is asked."""

    def found(properties: Properties) -> Iterator[Failure]:
        text = properties.get(member)
        if not isinstance(text, str) or has_unknowns(text):
            return
        try:
            right = isinstance(json.loads(text), dict)
        except ValueError:
            right = False
        if not right:
            yield Failure(member, f'"{member}" contains an invalid JSON policy')

    return found
