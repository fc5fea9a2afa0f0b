"""Rules for the platforms outside the cluster: what ``sophia health --metrics`` wrote and was pushed to the Pushgateway."""

from __future__ import annotations

from collections.abc import Iterable

from components.monitoring.rules import Alert, Group, select

LATE_HOURS = 8
"""The scheduled workflow looks every six hours, and GitHub may start it late."""

EXPIRES_DAYS, EXPIRES_SOON_DAYS = 14, 3


def platform_group(platforms: Iterable[str], stack: str, team: str) -> Group:
    """Rules about what is pushed of ``stack``; each of ``platforms`` is missed if nothing is told of it."""
    here = {"stack": stack}
    up = select("sophia_platform_up", **here)
    days = _days_until(select("sophia_credential_expiry_timestamp_seconds", **here))
    left = select("sophia_platform_quota_left", **here)
    limit = select("sophia_platform_quota_limit", **here)
    checked = select("sophia_health_checked_timestamp_seconds", **here)
    return Group(
        name="platforms",
        interval="1m",
        rules=(
            Alert(
                name="PlatformFailing",
                expr=f"{up} == 0",
                severity="critical",
                team=team,
                summary="{{ $labels.platform }} fails",
                do=f"`sophia health {stack}` says what it answers, and what to do.",
            ),
            Alert(
                name="PlatformDegraded",
                expr=f"{select('sophia_platform_degraded', **here)} == 1",
                after="12h",
                severity="ticket",
                team=team,
                summary="{{ $labels.platform }} works, but not for long or not all of it",
                do=f"`sophia health {stack}` says what it is, and what to do.",
            ),
            Alert(
                name="QuotaLow",
                expr=f"{left} / ({limit} > 0) < 0.1",
                severity="warning",
                team=team,
                summary="{{ $labels.platform }}: {{ $value | humanizePercentage }} of {{ $labels.quota }} is left",
                do="Raise the limit at the platform, or find out who uses so much. At nothing left its calls are refused.",
            ),
            Alert(
                name="CredentialExpires",
                expr=f"{days} < {EXPIRES_DAYS} and {days} >= {EXPIRES_SOON_DAYS}",
                severity="warning",
                team=team,
                summary="{{ $labels.credential }} ({{ $labels.platform }}) expires in {{ $value | humanize }} days",
                do=f"`sophia credentials {stack}` says how it is rotated; docs/operations.md has the order of steps.",
            ),
            Alert(
                name="CredentialExpiresSoon",
                expr=f"{days} < {EXPIRES_SOON_DAYS}",
                severity="critical",
                team=team,
                summary="{{ $labels.credential }} ({{ $labels.platform }}) expires in {{ $value | humanize }} days",
                do=f"Rotate it now: `sophia credentials {stack}` says how; docs/operations.md has the order of steps.",
            ),
            Alert(
                name="CredentialRefused",
                expr=f"{select('sophia_credential_works', **here)} == 0",
                severity="critical",
                team=team,
                summary="{{ $labels.credential }} ({{ $labels.platform }}) is refused",
                do=f"Somebody revoked it, or it expired: `sophia credentials {stack}` says where a new one is made.",
            ),
            Alert(
                name="CredentialOverdue",
                expr=f"{_days_until(select('sophia_credential_due_timestamp_seconds', **here))} < 0",
                severity="ticket",
                team=team,
                summary="{{ $labels.credential }} ({{ $labels.platform }}) is older than it may be",
                do=f"Rotate it this sprint: `sophia credentials {stack}` says how.",
            ),
            Alert(
                name="FiguresLate",
                expr=f"time() - {checked} > {LATE_HOURS} * 3600 or absent({checked})",
                after="15m",
                severity="warning",
                team=team,
                summary="For hours nobody has told how the platforms are",
                do="Did the workflow Schedule run, and reach the Pushgateway? What is shown is as old as its last run.",
            ),
            *(_missed(platform, stack, team) for platform in sorted(platforms)),
        ),
    )


def _days_until(moment: str) -> str:
    return f"({moment} - time()) / 86400"


def _missed(platform: str, stack: str, team: str) -> Alert:
    told = select("sophia_platform_up", stack=stack, platform=platform)
    some = select("sophia_health_checked_timestamp_seconds", stack=stack)
    return Alert(
        name="PlatformUnwatched",
        expr=f"absent({told}) and on() {some} > 0",
        after="15m",
        severity="ticket",
        team=team,
        labels={"platform": platform},
        summary=f"Nothing is told of {platform}, though the stack uses it",
        do=f"`sophia health {stack} --metrics FILE` must write a line of it.",
    )
