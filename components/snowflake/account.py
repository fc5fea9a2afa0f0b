"""Which Snowflake account a run may act on; asked before anything connects."""

from __future__ import annotations

import os

from components.settings import WRONG_SNOWFLAKE_ACCOUNTS, CredentialsError, SettingsError, where
from components.snowflake.settings import AccountSettings


def account_of(settings: AccountSettings) -> str:
    """``organization-account`` in lower case, once the environment's credentials are known to be of that account."""
    organization = settings.organization or os.environ.get("SNOWFLAKE_ORGANIZATION_NAME")
    if not organization:
        reader = where("snowflake.account.organization")
        raise CredentialsError([f"SNOWFLAKE_ORGANIZATION_NAME is not set, and neither is {reader}: set one of them"])
    for field, expected in (("name", settings.name), ("organization", organization)):
        variable = "SNOWFLAKE_ACCOUNT_NAME" if field == "name" else "SNOWFLAKE_ORGANIZATION_NAME"
        actual = os.environ.get(variable, expected)
        if actual.lower() != expected.lower():
            setting = where(f"snowflake.account.{field}")
            conflict = f'{setting} is "{expected}", but the environment has credentials for "{actual}" ({variable})'
            raise SettingsError([f"{conflict}: nothing was touched; correct the one that is wrong"])
    account = f"{organization}-{settings.name}".lower()
    if account in map(str.lower, WRONG_SNOWFLAKE_ACCOUNTS):
        raise SettingsError([f"{where('snowflake.account')}: {account} is a wrong leftover that broke production"])
    return account
