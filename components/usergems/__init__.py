"""UserGems: what we offer to it, and who holds its key. Nothing there is made, changed or asserted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.usergems.settings import UserGemsSettings
from providers.base import dynamic
from providers.passwords import Password

__all__ = ["UserGems", "UserGemsSettings"]


class UserGems(pulumi.ComponentResource):
    """The secrets that UserGems' campaigns show our webhooks, made here; a person enters them in UserGems' pages.

    Outputs, by key: ``secrets``, which the receivers compare; ``record``, what to enter where: ``campaign``, ``endpoint``,
    ``header`` and the ``secret``, and of the whole ``owner``, who asks for another key.

    Not managed, because no object of UserGems' is confirmed that could be: its API takes contacts and accounts, and shows
    nothing; campaigns, their webhooks, reports and integrations are made in its pages, keys by its customer success.
    """

    secrets: Mapping[str, pulumi.Output[str]]
    record: Mapping[str, Any]

    def __init__(self, name: str, settings: UserGemsSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sophia:platform:UserGems", name, None, opts)
        minted = dynamic(pulumi.ResourceOptions(parent=self))
        self.secrets = {
            key: Password(f"usergems.{key}", generation=webhook.generation, opts=minted).password
            for key, webhook in settings.webhooks.items()
        }
        self.record = {
            "owner": settings.credential.owner,
            "webhooks": {
                key: {
                    "campaign": webhook.campaign,
                    "endpoint": webhook.endpoint,
                    "header": webhook.header,
                    "secret": pulumi.Output.secret(self.secrets[key]),
                }
                for key, webhook in settings.webhooks.items()
            },
        }
        self.register_outputs({"record": self.record})
