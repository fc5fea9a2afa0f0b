"""Linear: a credential that Airbyte's source uses; nothing of this project asks Linear itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="linear",
    title="Linear",
    credentials=(
        Credential(
            "LINEAR_API_KEY", "by hand: Linear, Settings, Security and access; several keys can exist", by_api=False
        ),
    ),
)
