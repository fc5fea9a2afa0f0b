"""Alertmanager's configuration: which alert goes to which Slack channel, how often, and which says nothing beside another.

Source of facts: Alertmanager 0.28, "Configuration" and "High availability". Messages are posted by the bot with
``chat.postMessage``: an incoming webhook comes out of a person's click only, the bot's token is there anyway.

Severities that the incident path carries go to n8n, which posts them, and to nobody else. Alerts about that path itself
are still posted from here: what is broken cannot tell so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from components.kubernetes.n8n import WEBHOOK
from components.kubernetes.n8n_environment import PORT
from components.monitoring.rules import SEVERITIES, Severity

SLACK_POST = "https://slack.com/api/chat.postMessage"
TOKEN_FILE = "/etc/alertmanager/slack/token"  # noqa: S105 - a path
INCIDENTS_FILE = "/etc/alertmanager/incidents/token"
INCIDENTS_ADDRESS = f"http://{WEBHOOK}:{PORT}/webhook/alertmanager-events"
"""n8n's processors of webhooks within the namespace: an ingress that is down keeps no alert back."""

_REPEAT: Mapping[Severity, str] = {"critical": "1h", "warning": "12h", "ticket": "3d"}
_WAIT: Mapping[Severity, str] = {"critical": "15s", "warning": "1m", "ticket": "10m"}
_COLOR: Mapping[Severity, str] = {"critical": "#C62828", "warning": "#EF6C00", "ticket": "#1565C0"}

_SUBJECT = ("alertname", "workload", "platform", "credential", "objective")
"""The labels that say what an alert is about; one that an alert lacks is as good as empty."""

_TEXT = (
    "{{ range .Alerts }}*{{ .Annotations.summary }}*\n{{ .Annotations.description }}\n"
    "<{{ .Annotations.runbook_url }}|what it means>\n{{ end }}"
)

_OF_THE_PATH = (
    'workload=~"n8n(-.+)?"',
    'platform=~"n8n|linear|incidents"',
    'alertname=~"AlertsNotSent|AlertsQueue|AlertmanagersDisagree|ConfigurationNotLoaded|ExecutionsQueue|ExecutionsFail"',
)
"""Alerts about what carries alerts: n8n with its stores, and Alertmanager itself."""

Channels = Mapping[Severity, str]
"""The id of the Slack channel for each severity."""


def configuration(
    teams: Mapping[str, Channels],
    owner: str,
    stack: str,
    slack: str = SLACK_POST,
    carried: Collection[Severity] = (),
    incidents: str = INCIDENTS_ADDRESS,
) -> dict[str, Any]:
    """The whole file. ``teams`` are the channels of each; alerts of nobody are those of the team ``owner``. ``carried`` are
    the severities that go to ``incidents``.
    """
    return {
        "global": {"resolve_timeout": "5m"},
        "route": {
            "receiver": receiver(owner, "warning"),
            "group_by": ["alertname", "team"],
            "group_wait": _WAIT["warning"],
            "group_interval": "5m",
            "repeat_interval": _REPEAT["warning"],
            "routes": [_of_team(team, carried) for team in teams],
        },
        "inhibit_rules": _inhibitions(),
        "receivers": [
            *(
                _slack(team, severity, channels[severity], stack, slack, direct=severity in carried)
                for team, channels in teams.items()
                for severity in SEVERITIES
            ),
            *(
                _incidents(team, severity, incidents)
                for team in teams
                for severity in SEVERITIES
                if severity in carried
            ),
        ],
        "time_intervals": [
            {
                "name": "working-days",
                "time_intervals": [
                    # 14:00 to 23:00 UTC are the office hours of the United States, in summer and in winter.
                    {"weekdays": ["monday:friday"], "times": [{"start_time": "14:00", "end_time": "23:00"}]}
                ],
            }
        ],
    }


def _of_team(team: str, carried: Collection[Severity]) -> dict[str, Any]:
    return {
        "matchers": [f'team="{team}"'],
        "receiver": receiver(team, "warning"),
        "routes": [
            {
                "matchers": [f'severity="{severity}"'],
                "receiver": receiver(team, severity),
                "group_wait": _WAIT[severity],
                "repeat_interval": _REPEAT[severity],
                **({"active_time_intervals": ["working-days"]} if severity == "ticket" else {}),
                **({"routes": _directly(team, severity)} if severity in carried else {}),
            }
            for severity in SEVERITIES
        ],
    }


def _directly(team: str, severity: Severity) -> list[dict[str, Any]]:
    return [{"matchers": [matcher], "receiver": receiver(team, severity, direct=True)} for matcher in _OF_THE_PATH]


def _inhibitions() -> list[dict[str, Any]]:
    """The cause speaks, its consequences are silent."""
    return [
        {
            "source_matchers": ['severity="critical"'],
            "target_matchers": ['severity=~"warning|ticket"'],
            "equal": list(_SUBJECT),
        },
        {
            "source_matchers": ['severity="warning"'],
            "target_matchers": ['severity="ticket"'],
            "equal": list(_SUBJECT),
        },
        {
            "source_matchers": ['alertname="WorkloadDown"'],
            "target_matchers": ['alertname=~"WorkloadNotReady|WorkloadRestarts|WorkloadAtMaximum|MetricsMissing"'],
            "equal": ["workload"],
        },
        {
            "source_matchers": ['alertname="MetricsMissing"', 'workload="kube-state-metrics"'],
            "target_matchers": ['alertname=~"Workload.+"'],
        },
        {
            "source_matchers": ['alertname="PlatformFailing"'],
            "target_matchers": ['alertname=~"PlatformDegraded|QuotaLow|Credential.+"'],
            "equal": ["platform"],
        },
        {
            "source_matchers": ['alertname="FiguresLate"'],
            "target_matchers": ['alertname="PlatformUnwatched"'],
        },
    ]


def receiver(team: str, severity: Severity, *, direct: bool = False) -> str:
    """The name of who hears of a team's alerts; n8n knows by it which channel is meant. ``direct``: not by way of n8n."""
    return f"{team}-{severity}-direct" if direct else f"{team}-{severity}"


def _incidents(team: str, severity: Severity, address: str) -> dict[str, Any]:
    webhook = {
        "url": address,
        "http_config": {"authorization": {"type": "Bearer", "credentials_file": INCIDENTS_FILE}},
        "send_resolved": True,
    }
    return {"name": receiver(team, severity), "webhook_configs": [webhook]}


def _slack(
    team: str, severity: Severity, channel: str, stack: str, slack: str, *, direct: bool = False
) -> dict[str, Any]:
    message = {
        "api_url": slack,
        "http_config": {"authorization": {"type": "Bearer", "credentials_file": TOKEN_FILE}},
        "channel": channel,
        # A ticket that is no longer needed is told by nobody's noticing it.
        "send_resolved": severity != "ticket",
        "color": f'{{{{ if eq .Status "firing" }}}}{_COLOR[severity]}{{{{ else }}}}#2E7D32{{{{ end }}}}',
        "title": f'{{{{ if eq .Status "firing" }}}}{severity}{{{{ else }}}}well again{{{{ end }}}} · {stack} · '
        "{{ .CommonLabels.alertname }}",
        "title_link": "{{ (index .Alerts 0).Annotations.runbook_url }}",
        "fallback": f"{stack} {{{{ .CommonLabels.alertname }}}}: {{{{ .CommonAnnotations.summary }}}}",
        "text": _TEXT,
        "mrkdwn_in": ["text"],
    }
    return {"name": receiver(team, severity, direct=direct), "slack_configs": [message]}
