"""The providers and rotators that Pulumi ESC comes with, by name: a check opens none, but knows which there are.

The catalogue is that of pulumi.com/docs/esc/providers. What each takes and gives is not told there in a form that could be
checked, so that everything is accepted, and what they give is unknown.
"""

from __future__ import annotations

from typing import Any, NoReturn

from esc.language import Provider, ProviderError, Rotator, Schema, parse_schema

PROVIDERS = (
    *(f"{vendor}-login" for vendor in ("aws", "azure", "doppler", "gcp", "gh", "infisical", "snowflake", "vault")),
    *(f"{vendor}-secrets" for vendor in ("1password", "aws", "azure", "doppler", "gcp", "infisical", "vault")),
    *("aws-parameter-store", "external", "pulumi-stacks", "terraform-state"),
)
ROTATORS = ("aws-iam", "azure-app-secret", "external", "mysql", "passphrase", "password", "postgres", "snowflake-user")

_ANYTHING = parse_schema(True)


class _Closed:
    """Stands for a plugin in a check, which never opens one."""

    inputs: Schema = _ANYTHING
    state: Schema = _ANYTHING
    outputs: Schema = _ANYTHING

    def open(self, *_given: Any) -> NoReturn:
        raise ProviderError("a check opens nothing")

    def rotate(self, *_given: Any) -> NoReturn:
        raise ProviderError("a check rotates nothing")


def providers() -> dict[str, Provider]:
    return dict.fromkeys(PROVIDERS, _Closed())


def rotators() -> dict[str, Rotator]:
    return dict.fromkeys(ROTATORS, _Closed())
