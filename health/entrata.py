"""Entrata: a key that Airbyte's source uses; nothing of this project asks Entrata itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="entrata",
    title="Entrata",
    credentials=(
        Credential("ENTRATA_API_KEY", "by hand: Entrata, Apps, API access; two keys can exist", by_api=False),
    ),
)
