"""HubSpot: a credential that Airbyte's source uses; nothing of this project asks HubSpot itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="hubspot",
    title="HubSpot",
    credentials=(
        Credential(
            "HUBSPOT_ACCESS_TOKEN",
            "by hand: HubSpot, the service key; the old one can be kept for 7 days",
            by_api=False,
        ),
    ),
)
