"""Who hears of failures."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.scope import Scope
from components.snowflake.settings import NotificationSettings


@dataclass(frozen=True)
class Notifications:
    """Names of the integrations, where there are any; ``mail`` with the recipients joined by commas."""

    failures: pulumi.Output[str] | None
    mail: tuple[pulumi.Output[str], str] | None


def create_notifications(settings: NotificationSettings, scope: Scope) -> Notifications:
    failures = mail = None
    if topic := settings.failures:
        failures = snowflake.NotificationIntegration(
            "failures",
            name=topic.name,
            enabled=True,
            type="QUEUE",
            direction="OUTBOUND",
            notification_provider="AWS_SNS",
            aws_sns_topic_arn=topic.topic_arn,
            aws_sns_role_arn=topic.role_arn,
            comment="Failures of pipes and tasks",
            opts=scope.unique,
        ).name
    if email := settings.email:
        integration = snowflake.EmailNotificationIntegration(
            "email",
            name=email.name,
            enabled=True,
            allowed_recipients=email.recipients,
            comment="Failures of recovery clones",
            opts=scope.unique,
        )
        mail = (integration.name, ", ".join(email.recipients))
    return Notifications(failures, mail)
