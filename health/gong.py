"""Gong: a credential that Airbyte's source uses; nothing of this project asks Gong itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="gong",
    title="Gong",
    credentials=(
        Credential("GONG_ACCESS_KEY_SECRET", "by hand: Gong, Admin center, API; two keys can exist", by_api=False),
    ),
    identifiers=("GONG_ACCESS_KEY",),
)
