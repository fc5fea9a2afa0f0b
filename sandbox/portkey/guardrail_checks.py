"""The checks that a guardrail may be made of, and what each of them has to be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.http import ApiError

_OPERATORS = ("any", "all", "none")
_NEEDED: dict[str, tuple[str, ...]] = {
    "default.jwt": ("jwksUri", "headerKey"),
    "default.modelWhitelist": ("models",),
    "default.regexMatch": ("rule",),
    "default.jsonSchema": ("schema",),
    "default.jsonKeys": ("keys", "operator"),
    "default.contains": ("words", "operator"),
    "default.containsCode": ("format",),
    "default.webhook": ("webhookURL",),
    "default.endsWith": ("suffix",),
    "default.requiredMetadataKeys": ("metadataKeys", "operator"),
    "portkey.moderateContent": ("categories",),
    "portkey.pii": ("categories",),
    "aporia.validateProject": ("projectID",),
    "pillar.scanPrompt": ("scanners",),
    "pillar.scanResponse": ("scanners",),
    "patronus.custom": ("profile",),
    "mistral.moderateContent": ("categories",),
    "bedrock.guard": ("guardrailVersion", "guardrailId"),
    "panw-prisma-airs.intercept": ("profile_name",),
}
_LISTS = frozenset({"models", "keys", "words", "metadataKeys", "categories", "scanners"})
_CATEGORIES: dict[str, frozenset[str]] = {
    "portkey.pii": frozenset(
        {"EMAIL_ADDRESS", "PHONE_NUMBER", "LOCATION_ADDRESS", "NAME", "IP_ADDRESS", "CREDIT_CARD", "SSN"}
    ),
    "portkey.moderateContent": frozenset(
        {
            "hate",
            "hate/threatening",
            "harassment",
            "harassment/threatening",
            "self-harm",
            "self-harm/intent",
            "self-harm/instructions",
            "sexual",
            "sexual/minors",
            "violence",
            "violence/graphic",
        }
    ),
    "mistral.moderateContent": frozenset(
        {
            "sexual",
            "hate_and_discrimination",
            "violence_and_threats",
            "dangerous_and_criminal_content",
            "selfharm",
            "health",
            "financial",
            "law",
            "pii",
        }
    ),
}
_WITHOUT_NEEDS = (
    "default.isAllLowerCase",
    "default.sentenceCount",
    "default.wordCount",
    "default.characterCount",
    "default.validUrls",
    "default.alluppercase",
    "default.allowedRequestTypes",
    "portkey.language",
    "portkey.gibberish",
    "sydelabs.sydeguard",
    "patronus.phi",
    "patronus.pii",
    "patronus.isConcise",
    "patronus.isHelpful",
    "patronus.isPolite",
    "patronus.noApologies",
    "patronus.noGenderBias",
    "patronus.noRacialBias",
    "patronus.retrievalAnswerRelevance",
    "patronus.toxicity",
    "promptfoo.guard",
    "promptfoo.pii",
    "promptfoo.harm",
    "acuvity.scan",
    "lasso.classify",
    "azure.contentSafety",
    "azure.pii",
)


def check(path: str, identifier: str, parameters: Mapping[str, Any]) -> None:
    """Refuses (400) a check that there is not, and one that is not told what it needs."""
    if identifier not in _NEEDED and identifier not in _WITHOUT_NEEDS:
        raise ApiError(400, f"{path}.id: there is no check {identifier}")
    for name in _NEEDED.get(identifier, ()):
        value = parameters.get(name)
        if not value or (name in _LISTS and not isinstance(value, list)):
            raise ApiError(400, f"{path}.parameters.{name}: is needed for {identifier}")
    operator = parameters.get("operator", "any")
    if operator not in _OPERATORS:
        raise ApiError(400, f"{path}.parameters.operator: one of {', '.join(_OPERATORS)} is expected")
    known = _CATEGORIES.get(identifier)
    unknown = sorted(set(parameters["categories"]) - known) if known else ()
    if unknown:
        raise ApiError(400, f"{path}.parameters.categories: there is no {', '.join(unknown)}")
