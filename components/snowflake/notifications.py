"""Who hears of failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from components.settings import output_named
from components.snowflake.scope import Scope
from components.snowflake.settings import NotificationSettings


@dataclass(frozen=True)
class Notifications:
    """Names of the integrations, where there are any; ``mail`` with the recipients joined by commas.

    ``integration`` is that of ``failures``, which takes a role in AWS.
    """

    failures: pulumi.Output[str] | None
    mail: tuple[pulumi.Output[str], str] | None
    integration: snowflake.NotificationIntegration | None


def create_notifications(
    settings: NotificationSettings, scope: Scope, outputs: Mapping[str, pulumi.Input[str]]
) -> Notifications:
    failures = mail = integration = None
    if topic := settings.failures:
        place = "snowflake.notifications.failures.output"
        integration = snowflake.NotificationIntegration(
            "failures",
            name=topic.name,
            enabled=True,
            type="QUEUE",
            direction="OUTBOUND",
            notification_provider="AWS_SNS",
            aws_sns_topic_arn=topic.topic_arn or output_named(f"{topic.output}.topic", outputs, place),
            aws_sns_role_arn=topic.role_arn or output_named(f"{topic.output}.role", outputs, place),
            comment="Failures of pipes and tasks",
            opts=scope.unique,
        )
        failures = integration.name
    if email := settings.email:
        mailer = snowflake.EmailNotificationIntegration(
            "email",
            name=email.name,
            enabled=True,
            allowed_recipients=email.recipients,
            comment="Failures of recovery clones",
            opts=scope.unique,
        )
        mail = (mailer.name, ", ".join(email.recipients))
    return Notifications(failures, mail, integration)
