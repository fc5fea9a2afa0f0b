"""The account that a run acts on, and the names that things have in it: known before anything is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from components.aws.settings import AwsSettings, Issuer
from components.settings import CredentialsError, SettingsError, where

_ISSUERS: Mapping[Issuer, str] = {
    "github": "token.actions.githubusercontent.com",
    "pulumi": "api.pulumi.com/oidc",
}
"""docs.github.com, "OpenID Connect reference"; pulumi.com, "Configuring OpenID Connect for AWS"."""


@dataclass(frozen=True)
class Account:
    """An account and the region in it. ARNs are made of names, so that they can be given away before the objects exist."""

    id: str
    region: str

    def role(self, name: str) -> str:
        return f"arn:aws:iam::{self.id}:role/{name}"

    def policy(self, name: str) -> str:
        return f"arn:aws:iam::{self.id}:policy/{name}"

    def identity_provider(self, issuer: Issuer) -> str:
        return f"arn:aws:iam::{self.id}:oidc-provider/{_ISSUERS[issuer]}"

    def topic(self, name: str) -> str:
        return f"arn:aws:sns:{self.region}:{self.id}:{name}"

    def alias(self, name: str) -> str:
        return f"arn:aws:kms:{self.region}:{self.id}:alias/{name}"

    @property
    def root(self) -> str:
        """The account itself: whom its own policies let in."""
        return f"arn:aws:iam::{self.id}:root"


def issuer_of(issuer: Issuer) -> str:
    """The issuer without ``https://``, as the conditions of trust policies have it."""
    return _ISSUERS[issuer]


def bucket_arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def account_of(settings: AwsSettings) -> Account:
    """The account of the environment's credentials.

    Raises SettingsError if the settings name another one, CredentialsError if the environment names none.
    """
    found = os.environ.get("AWS_ACCOUNT_ID", ""), os.environ.get("AWS_REGION", "")
    for variable, value in zip(("AWS_ACCOUNT_ID", "AWS_REGION"), found, strict=True):
        if not value:
            raise CredentialsError([f"{variable} is not set: the stack's ESC environment must have it (docs/aws.md)"])
    account = Account(*found)
    if settings.account not in (None, account.id):
        said = (
            f'{where("aws.account")} is "{settings.account}", but the environment is of "{account.id}" (AWS_ACCOUNT_ID)'
        )
        raise SettingsError([f"{said}: nothing was touched; correct the one that is wrong"])
    return account


def names(settings: AwsSettings, account: Account) -> dict[str, str]:
    """What other components may name with ``output:``; no object of these need exist yet."""
    found = {f"aws.roles.{key}": account.role(role.name) for key, role in settings.roles.items()}
    found |= {f"aws.buckets.{key}": bucket.name for key, bucket in settings.buckets.items()}
    for key, entry in settings.snowflake.integrations.items():
        found[f"aws.snowflake.{key}"] = account.role(entry.role)
    if failures := settings.snowflake.failures:
        found |= {"aws.failures.topic": account.topic(failures.topic), "aws.failures.role": account.role(failures.role)}
    return found
