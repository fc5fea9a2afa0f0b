"""What the stack file says about UserGems (``sophia-ai:usergems``): what is offered to it, for people to enter there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from components.explain import Mistake
from components.settings import EnvironmentVariable, Key, Settings, matching, same_object

if TYPE_CHECKING:
    from components.n8n.settings import N8nSettings

_N8N = "/webhook/"


class WebhookSettings(Settings):
    """A webhook of ours that a campaign of UserGems calls: a person enters ``endpoint``, ``header`` and the secret there.

    ``endpoint`` is a webhook of n8n's, which compares the secret in the ``header``. A higher ``generation`` is another one.
    """

    campaign: Annotated[str, Field(min_length=1)]
    endpoint: Annotated[
        str,
        matching(r"https://[^\s/?#]+/webhook/[^\s?#]+", "must be an https address of a webhook of n8n's (…/webhook/…)"),
    ]
    header: Annotated[str, matching(r"[A-Za-z][A-Za-z0-9-]*", "must be the name of a header")] = "X-UserGems-Secret"
    generation: Annotated[int, Field(ge=1)] = 1

    @property
    def path(self) -> str:
        """The path under which n8n knows it."""
        return urlsplit(self.endpoint).path.removeprefix(_N8N)


class CredentialSettings(Settings):
    """The company's key: the variable that has it, and the ``owner``, who asks UserGems' customer success for another one.

    It has to be there, so that its age is known (`sophia credentials`); it is shown to nobody.
    """

    environment: EnvironmentVariable
    owner: Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be an address, such as revops@payready.com")]


class UserGemsSettings(Settings):
    """``sophia-ai:usergems``. Nothing of UserGems' is confirmed that could be managed, or asked: this is a record."""

    asked: ClassVar[bool] = False

    credential: CredentialSettings
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Each webhook has an address of its own, by which n8n knows whose secret to compare."""
        yield from same_object(("webhooks",), self.webhooks, "endpoint")

    def unreceived(self, n8n: N8nSettings) -> Iterator[Mistake]:
        """Webhooks that no workflow of n8n's takes, and secrets that none compares, or looks for in another header."""
        taken = {path for one in n8n.workflows.values() for method, path in one.content.webhooks if method == "POST"}
        compared = {one.secrets["value"].output: one for one in n8n.credentials.values() if "value" in one.secrets}
        for key, webhook in self.webhooks.items():
            place = ("webhooks", key)
            if webhook.path not in taken:
                there_are = ", ".join(sorted(taken)) or "none"
                yield Mistake((*place, "endpoint"), f"is no webhook of n8n's that takes a POST: there are {there_are}")
            credential = compared.get(f"usergems.webhooks.{key}")
            if credential is None:
                said = f"is compared by nobody: no credential of n8n's has `output: usergems.webhooks.{key}`"
                yield Mistake(place, said)
            elif credential.data.get("name") != webhook.header:
                said = f'is {webhook.header}, and the credential "{credential.name}" of n8n\'s looks for another one'
                yield Mistake((*place, "header"), said)
