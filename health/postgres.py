"""Sophia's PostgreSQL: a password that Estuary's capture uses; nothing of this project asks the database itself."""

from health.base import Credential, Health

HEALTH = Health(
    platform="postgres",
    title="PostgreSQL",
    credentials=(
        Credential(
            "POSTGRES_CDC_PASSWORD",
            "by hand: ALTER ROLE flow_capture PASSWORD, then the new one into ESC; only one works, so pause the capture",
            by_api=False,
        ),
    ),
)
