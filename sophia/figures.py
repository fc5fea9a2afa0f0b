"""What is known of platforms and credentials as figures for Prometheus: the text that the Pushgateway takes.

Source of the format: Prometheus, "Exposition formats", text-based; it is OpenMetrics 1.0 as well. docs/monitoring.md says
what is made of it there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sophia.credentials import Credentials
from sophia.health import HealthReport, settings_of
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.survey import Inside

_PUSHER = "health.pushing"


@dataclass(frozen=True)
class Sample:
    """One figure, with the labels that tell it from its like."""

    metric: str
    labels: Mapping[str, str]
    value: float


_HELP = {
    "sophia_health_checked_timestamp_seconds": "When the platforms of the stack were asked.",
    "sophia_platform_up": "Whether the platform works, be it degraded.",
    "sophia_platform_degraded": "Whether it works, but not for long or not all of it.",
    "sophia_platform_latency_seconds": "The slowest of its answers.",
    "sophia_platform_quota_left": "What may still be used of a quota, in the quota's own units.",
    "sophia_platform_quota_limit": "The whole of a quota, where there is a whole.",
    "sophia_credential_works": "Whether the platform takes the credential; absent where nobody tells.",
    "sophia_credential_expiry_timestamp_seconds": "When the credential stops working; absent where nobody tells.",
    "sophia_credential_due_timestamp_seconds": "When the credential is to be replaced; absent where nobody tells.",
}
"""Every metric. All of them are gauges."""


def text(reports: Iterable[HealthReport], credentials: Iterable[Credentials], now: datetime | None = None) -> str:
    """The figures of these stacks. No secret is in them: credentials are named by their variables."""
    at = (now or datetime.now(UTC)).timestamp()
    samples = [sample for report in reports for sample in _of_report(report, at)]
    samples += [sample for found in credentials for sample in _of_credentials(found)]
    return "\n".join([*_lines(samples), "# EOF", ""])


def push(stack: Stack, figures: str, *, engine: EngineCommand) -> bool:
    """Puts the figures of a stack into the Pushgateway of its monitoring, in the place of those of before.

    False for a stack without monitoring, to which nothing is sent. Raises SophiaError where the cluster does not let them
    through.
    """
    namespace = (settings_of(stack).get("monitoring") or {}).get("namespace")
    if not namespace:
        return False
    given = {"stack": stack.name, "namespace": namespace, "text": figures}
    Inside(stack.project, stack.name, stack.target, engine).run(_PUSHER, (), json.dumps(given))
    return True


def _of_report(report: HealthReport, at: float) -> Iterator[Sample]:
    stack = {"stack": report.stack}
    yield Sample("sophia_health_checked_timestamp_seconds", stack, at)
    for check in report.checks:
        if check.verdict == "unasked":
            continue
        labels = {**stack, "platform": check.platform}
        yield Sample("sophia_platform_up", labels, float(check.verdict != "failing"))
        yield Sample("sophia_platform_degraded", labels, float(check.verdict == "degraded"))
        if check.latency is not None:
            yield Sample("sophia_platform_latency_seconds", labels, check.latency)
        for quota in check.quotas:
            of_quota = {**labels, "quota": quota.what}
            yield Sample("sophia_platform_quota_left", of_quota, quota.left)
            if quota.of is not None:
                yield Sample("sophia_platform_quota_limit", of_quota, quota.of)


def _of_credentials(found: Credentials) -> Iterator[Sample]:
    for record in found.records:
        labels = {"stack": found.stack, "platform": record.platform, "credential": record.name}
        if record.authenticates is not None:
            yield Sample("sophia_credential_works", labels, float(record.authenticates))
        if record.expires is not None:
            yield Sample("sophia_credential_expiry_timestamp_seconds", labels, record.expires.timestamp())
        if record.due is not None:
            yield Sample("sophia_credential_due_timestamp_seconds", labels, record.due.timestamp())


def _lines(samples: Sequence[Sample]) -> Iterator[str]:
    """The samples of a metric stand together under its description, as the format demands."""
    for metric, description in _HELP.items():
        of_metric = [sample for sample in samples if sample.metric == metric]
        if of_metric:
            yield f"# HELP {metric} {description}"
            yield f"# TYPE {metric} gauge"
        # Credentials of one name would be one line twice, which the format forbids: the worse of them is told.
        worst: dict[str, float] = {}
        for sample in of_metric:
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
            worst[labels] = min(sample.value, worst.get(labels, sample.value))
        yield from (f"{metric}{{{labels}}} {value:.15g}" for labels, value in worst.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
