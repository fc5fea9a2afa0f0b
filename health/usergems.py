"""UserGems: nothing can be asked. Its key, and the secrets that our webhooks compare, are recorded by their age."""

from __future__ import annotations

from health.base import Credential, Health, Minted

HEALTH = Health(
    platform="usergems",
    title="UserGems",
    unasked="nobody can ask: UserGems documents no call that reads, and those that there are write records of people",
    credentials=(
        Credential(
            "USERGEMS_API_KEY",
            "by UserGems: its customer success makes another one; who asks for it, sophia-ai:usergems.credential says",
            by_api=False,
        ),
    ),
    minted=(
        Minted(
            "pulumi-python:dynamic/passwords:Password",
            "webhook's shared secret",
            "a higher generation of the webhook; n8n gets it in the same run, and a person enters it in UserGems' campaign",
            by_api=False,
            prefix="usergems.",
        ),
    ),
)
