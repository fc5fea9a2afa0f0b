"""Where notifications of platforms arrive that sign nothing: the address itself is the secret."""

from health.base import Credential, Health

HEALTH = Health(
    platform="intake",
    title="Notification intake",
    credentials=(
        Credential(
            "AIRBYTE_NOTIFICATION_URL",
            "by hand: the intake gets another unguessable path, and takes the old one until Airbyte has the new one",
            by_api=False,
        ),
    ),
)
