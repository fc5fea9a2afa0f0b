"""Rules for what particular services tell of themselves: NATS JetStream, n8n, Prometheus, Alertmanager.

Source of facts: prometheus-nats-exporter (``-varz -jsz=all``), n8n with N8N_METRICS_INCLUDE_QUEUE_METRICS, and the metrics
that Prometheus 3 and Alertmanager 0.28 document.
"""

from __future__ import annotations

from components.monitoring.rules import Alert, Group, select

LAG_MESSAGES = 10_000
"""A consumer that is so far behind does not catch up by itself within minutes at the estate's rates."""

QUEUE_JOBS = 100
"""Executions of n8n that wait for a worker: about a minute's worth for the smallest fleet of workers."""


def nats_group(job: str, team: str, servers: int) -> Group:
    """``job`` is the scrape job, which has a target for each of the ``servers``."""
    meta = select("jetstream_server_total_streams", job=job, is_meta_leader="true")
    lag = select("jetstream_consumer_num_pending", job=job, is_consumer_leader="true")
    again = select("jetstream_consumer_num_redelivered", job=job, is_consumer_leader="true")
    stored = select("jetstream_server_total_message_bytes", job=job)
    room = select("jetstream_server_max_storage", job=job)
    leading = select("jetstream_stream_total_messages", job=job, is_stream_leader="true")
    known = select("jetstream_stream_total_messages", job=job)
    slow = select("gnatsd_varz_slow_consumers", job=job)
    rules = [
        Alert(
            name="StreamWithoutLeader",
            expr=f"count by (account, stream_name) ({known}) unless count by (account, stream_name) ({leading})",
            after="2m",
            severity="critical",
            team=team,
            summary="NATS: the stream {{ $labels.stream_name }} has no leader and takes no messages",
            do="More than half of its replicas are needed: see which servers are down (WorkloadNotReady), then "
            "`nats stream info` and `nats server report jetstream`.",
        ),
        Alert(
            name="ConsumerLags",
            expr=f"{lag} > {LAG_MESSAGES} and delta({lag}[15m]) >= 0",
            after="15m",
            severity="warning",
            team=team,
            summary="NATS: {{ $labels.consumer_name }} of {{ $labels.stream_name }} is {{ $value }} messages behind, and it "
            "becomes no better",
            do="Is what reads it running, and fast enough? Messages that outlive the stream's max_age are lost unread.",
        ),
        Alert(
            name="MessagesRedelivered",
            expr=f"{again} > 100",
            after="15m",
            severity="ticket",
            team=team,
            summary="NATS: {{ $labels.consumer_name }} of {{ $labels.stream_name }} gets {{ $value }} messages repeatedly",
            do="What reads them does not acknowledge: it fails, or takes longer than ack_wait. Its log tells which.",
        ),
        Alert(
            name="JetStreamStorageFills",
            expr=f"{stored} / ({room} > 0) > 0.8",
            after="15m",
            severity="critical",
            team=team,
            summary="NATS: {{ $labels.server_name }} has used {{ $value | humanizePercentage }} of its JetStream storage",
            do="At 100 % publishing fails. Lower max_age or max_bytes of the largest stream (`nats stream report`), or give "
            "the servers more storage, under sophia-ai:kubernetes.nats.",
        ),
        Alert(
            name="SlowConsumers",
            expr=f"increase({slow}[15m]) > 0",
            severity="ticket",
            team=team,
            summary="NATS: {{ $labels.instance }} has cut off clients that read too slowly",
            do="The server's log names them. They reconnect, but messages without JetStream are lost meanwhile.",
        ),
    ]
    if servers > 1:
        rules.append(
            Alert(
                name="JetStreamWithoutLeader",
                expr=f"absent({meta}) and on() count({select('up', job=job)} == 1) > 0",
                after="2m",
                severity="critical",
                team=team,
                summary="NATS: the JetStream cluster has no leader; no stream can be made or moved",
                do=f"More than half of the {servers} servers must see each other: look at their routes and at the network "
                "policy of the cluster's port.",
            )
        )
    return Group(name="nats", rules=tuple(rules))


def n8n_group(job: str, team: str) -> Group:
    """``job`` is the scrape job of n8n's main process, which counts the queue."""
    waiting = select("n8n_scaling_mode_queue_jobs_waiting", job=job)
    failed = select("n8n_scaling_mode_queue_jobs_failed", job=job)
    done = select("n8n_scaling_mode_queue_jobs_completed", job=job)
    return Group(
        name="n8n",
        rules=(
            Alert(
                name="ExecutionsQueue",
                expr=f"min_over_time({waiting}[10m]) > {QUEUE_JOBS}",
                after="5m",
                severity="warning",
                team=team,
                summary="n8n: {{ $value }} executions wait for a worker",
                do="Are the workers up, and at their maximum (WorkloadAtMaximum)? A workflow that starts itself for ever "
                "shows in n8n under Executions.",
            ),
            Alert(
                name="ExecutionsFail",
                expr=f"increase({failed}[30m]) / (increase({failed}[30m]) + increase({done}[30m]) > 0) > 0.1 "
                f"and increase({failed}[30m]) > 5",
                severity="warning",
                team=team,
                summary="n8n: {{ $value | humanizePercentage }} of the executions of the last half hour failed",
                do="n8n, Executions, filter Error. If all failures are of one platform: `sophia health STACK`.",
            ),
        ),
    )


def monitoring_group(team: str, alertmanagers: int) -> Group:
    """Who watches the watchers: what Prometheus and Alertmanager tell of themselves."""
    prometheus, alertmanager = {"job": "prometheus"}, {"job": "alertmanager"}
    failed = select("alertmanager_notifications_failed_total", **alertmanager)
    full = select("prometheus_notifications_queue_length", **prometheus)
    capacity = select("prometheus_notifications_queue_capacity", **prometheus)
    return Group(
        name="monitoring",
        rules=(
            Alert(
                name="RulesFail",
                expr=f"increase({select('prometheus_rule_evaluation_failures_total', **prometheus)}[5m]) > 0",
                after="5m",
                severity="critical",
                team=team,
                summary="Prometheus: rules of {{ $labels.rule_group }} cannot be computed",
                do="Prometheus, Status, Rule health shows the error. Alerts of that group are blind until then.",
            ),
            Alert(
                name="ConfigurationNotLoaded",
                expr=f"{select('prometheus_config_last_reload_successful', **prometheus)} == 0 or "
                f"{select('alertmanager_config_last_reload_successful', **alertmanager)} == 0",
                after="5m",
                severity="critical",
                team=team,
                summary="{{ $labels.job }}: the configuration was not loaded",
                do="Its log says why; `promtool check config` and `amtool check-config` say the same of what "
                "`sophia preview` would write.",
            ),
            Alert(
                name="AlertsNotSent",
                expr=f"rate({failed}[10m]) > 0",
                after="10m",
                severity="critical",
                team=team,
                summary="Alertmanager: messages to {{ $labels.integration }} fail ({{ $labels.reason }})",
                do="Is the bot still in the channels, and its token good? `sophia health STACK --platform slack`. This "
                "alert may not reach Slack either: it is in Alertmanager's own page.",
            ),
            Alert(
                name="AlertsQueue",
                expr=f"{full} / {capacity} > 0.5",
                after="10m",
                severity="warning",
                team=team,
                summary="Prometheus: alerts wait for an Alertmanager",
                do="Do the Alertmanagers answer, and does the network policy let Prometheus through to port 9093?",
            ),
            Alert(
                name="AlertmanagersDisagree",
                expr=f"max({select('alertmanager_cluster_members', **alertmanager)}) < {alertmanagers}",
                after="15m",
                severity="warning",
                team=team,
                summary="Alertmanager: only {{ $value }} of its replicas know of each other; messages come twice",
                do="They speak over port 9094, TCP and UDP: look at their network policy and at the headless service.",
            ),
            Alert(
                name="SamplesRejected",
                expr=f"increase({select('prometheus_target_scrapes_exceeded_sample_limit_total', **prometheus)}[15m]) > 0",
                severity="ticket",
                team=team,
                summary="Prometheus: a target tells more figures than it may, so that all of them are dropped",
                do="Prometheus, Status, Target health names it. Find the label with too many values there.",
            ),
        ),
    )
