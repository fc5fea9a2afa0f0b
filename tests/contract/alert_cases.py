"""Figures, and the alerts that come of them, in the notation of promtool's tests of rules."""

from __future__ import annotations

from collections.abc import Mapping

from tests.monitoring_estate import NAMESPACE

KUBE = f'namespace="{NAMESPACE}"'
DEPLOYMENT = f'kube_deployment_status_replicas_available{{{KUBE},deployment="mcp-slack"}}'
WANTED = f'kube_deployment_spec_replicas{{{KUBE},deployment="mcp-slack"}}'
REQUESTS = f'nginx_ingress_controller_requests{{namespace="{NAMESPACE}",status="%s"}}'
DURATION = f'nginx_ingress_controller_request_duration_seconds_%s{{namespace="{NAMESPACE}"%s}}'
RESTARTS = f'kube_pod_container_status_restarts_total{{{KUBE},pod="%s",container="%s"}}'
KILLED = f'kube_pod_container_status_last_terminated_reason{{{KUBE},pod="nats-0",container="nats",reason="OOMKilled"}}'
PENDING = (
    'jetstream_consumer_num_pending{job="nats",stream_name="data",consumer_name="loader",is_consumer_leader="true"}'
)
TOLD = 'sophia_health_checked_timestamp_seconds{stack="dev"}'

Series = Mapping[str, str]
Fired = dict[str, int]

CASES: dict[str, tuple[Series, str, str, Fired]] = {
    "a workload whose replicas are all gone": (
        {DEPLOYMENT: "2x5 0x20", WANTED: "2x25"},
        "20m",
        "WorkloadDown",
        {"critical": 1},
    ),
    "a workload that was scaled to nothing on purpose": (
        {DEPLOYMENT: "0x30", WANTED: "0x30"},
        "20m",
        "WorkloadDown",
        {},
    ),
    "one replica of two is missing": ({DEPLOYMENT: "1x30", WANTED: "2x30"}, "20m", "WorkloadNotReady", {"warning": 1}),
    "one replica of two is missing during a rollout": (
        {DEPLOYMENT: "2x5 1x5 2x20", WANTED: "2x30"},
        "20m",
        "WorkloadNotReady",
        {},
    ),
    "a container that restarts and restarts": (
        {RESTARTS % ("mcp-slack-6d4b75cb6d-hwd2p", "mcp-slack"): "0+1x30"},
        "30m",
        "WorkloadRestarts",
        {"warning": 1},
    ),
    "a container of somebody else that restarts": (
        {RESTARTS % ("mcp-slack-admin-6d4b75cb6d-hwd2p", "x"): "0+1x30"},
        "30m",
        "WorkloadRestarts",
        {},
    ),
    "a container that died of its memory": (
        {
            RESTARTS % ("nats-0", "nats"): "0x10 1x20",
            KILLED: "1x30",
        },
        "15m",
        "WorkloadOutOfMemory",
        {"warning": 1},
    ),
    "an autoscaler at its end": (
        {
            f'kube_horizontalpodautoscaler_status_current_replicas{{{KUBE},horizontalpodautoscaler="mcp-slack"}}': "6x60",
            f'kube_horizontalpodautoscaler_spec_max_replicas{{{KUBE},horizontalpodautoscaler="mcp-slack"}}': "6x60",
        },
        "45m",
        "WorkloadAtMaximum",
        {"warning": 1},
    ),
    "a volume that is nearly full": (
        {
            f'kubelet_volume_stats_available_bytes{{{KUBE},persistentvolumeclaim="data-nats-1"}}': "5x60",
            f'kubelet_volume_stats_capacity_bytes{{{KUBE},persistentvolumeclaim="data-nats-1"}}': "100x60",
        },
        "45m",
        "VolumeFills",
        {"critical": 1},
    ),
    "a container that may not run as much as it wants": (
        {
            f'container_cpu_cfs_throttled_periods_total{{{KUBE},pod="nats-1",container="nats"}}': "0+50x90",
            f'container_cpu_cfs_periods_total{{{KUBE},pod="nats-1",container="nats"}}': "0+100x90",
        },
        "60m",
        "WorkloadThrottled",
        {"ticket": 1},
    ),
    "a quota that is used up": (
        {
            f'kube_resourcequota{{{KUBE},resource="pods",type="used"}}': "59x60",
            f'kube_resourcequota{{{KUBE},resource="pods",type="hard"}}': "60x60",
        },
        "45m",
        "QuotaNearlyUsed",
        {"ticket": 1},
    ),
    "one request in fifty fails": (
        {REQUESTS % 500: "0+2x120", REQUESTS % 200: "0+98x120"},
        "1h30m",
        "AvailabilityBurns",
        {"critical": 2, "warning": 1, "ticket": 1},
    ),
    "one request in five hundred fails": (
        {REQUESTS % 500: "0+1x700", REQUESTS % 200: "0+499x700"},
        "10h",
        "AvailabilityBurns",
        {"ticket": 1},
    ),
    "no request fails": ({REQUESTS % 200: "0+100x120"}, "1h30m", "AvailabilityBurns", {}),
    "it failed for two minutes, an hour ago, and nobody is woken": (
        {REQUESTS % 500: "0+50x2 100x90", REQUESTS % 200: "0+100x92"},
        "75m",
        "AvailabilityBurns",
        {"warning": 1, "ticket": 1},
    ),
    "nine requests in ten are slow": (
        {DURATION % ("count", ""): "0+100x120", DURATION % ("bucket", ',le="0.2"'): "0+10x120"},
        "1h30m",
        "LatencyBurns",
        {"critical": 2, "warning": 1, "ticket": 1},
    ),
    "one request in fifty is slow, which is promised": (
        {DURATION % ("count", ""): "0+100x120", DURATION % ("bucket", ',le="0.2"'): "0+98x120"},
        "1h30m",
        "LatencyBurns",
        {},
    ),
    "nobody measures how fast requests are": (
        {REQUESTS % 200: "0+100x150"},
        "2h",
        "ObjectiveUnmeasured",
        {"ticket": 2},
    ),
    "GPUs that idle": ({'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': "30x200"}, "32h", "GpusIdle", {"ticket": 1}),
    "GPUs that are used as they should be": ({'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': "85x200"}, "32h", "GpusIdle", {}),
    "GPUs without a pause": ({'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': "100x90"}, "1h", "GpusSaturated", {"warning": 1}),
    "a platform that fails": (
        {'sophia_platform_up{stack="dev",platform="slack"}': "0x10"},
        "5m",
        "PlatformFailing",
        {"critical": 1},
    ),
    "a platform that nobody tells of": (
        {
            TOLD: "1+60x60",
            **{f'sophia_platform_up{{stack="dev",platform="{one}"}}': "1x60" for one in ("slack", "pulumi")},
        },
        "30m",
        "PlatformUnwatched",
        {"ticket": 1},
    ),
    "a quota of a platform that runs out": (
        {
            'sophia_platform_quota_left{stack="dev",platform="github",quota="requests an hour"}': "100x10",
            'sophia_platform_quota_limit{stack="dev",platform="github",quota="requests an hour"}': "5000x10",
        },
        "5m",
        "QuotaLow",
        {"warning": 1},
    ),
    "a credential with ten days left": (
        {'sophia_credential_expiry_timestamp_seconds{stack="dev",platform="slack",credential="X"}': f"{10 * 86400}x10"},
        "5m",
        "CredentialExpires",
        {"warning": 1},
    ),
    "a credential with two days left": (
        {'sophia_credential_expiry_timestamp_seconds{stack="dev",platform="slack",credential="X"}': f"{2 * 86400}x10"},
        "5m",
        "CredentialExpiresSoon",
        {"critical": 1},
    ),
    "a credential that is due": (
        {'sophia_credential_due_timestamp_seconds{stack="dev",platform="slack",credential="X"}': "60x10"},
        "5m",
        "CredentialOverdue",
        {"ticket": 1},
    ),
    "nobody has looked for nine hours": ({TOLD: "0x560"}, "9h", "FiguresLate", {"warning": 1}),
    "a stream without a leader": (
        {'jetstream_stream_total_messages{job="nats",account="a",stream_name="data",is_stream_leader="false"}': "5x10"},
        "5m",
        "StreamWithoutLeader",
        {"critical": 1},
    ),
    "a consumer that falls behind": (
        {PENDING: "20000+10x60"},
        "45m",
        "ConsumerLags",
        {"warning": 1},
    ),
    "a consumer that catches up": (
        {PENDING: "50000-100x60"},
        "45m",
        "ConsumerLags",
        {},
    ),
    "JetStream without room": (
        {
            'jetstream_server_total_message_bytes{job="nats",server_name="nats-0"}': "9x60",
            'jetstream_server_max_storage{job="nats",server_name="nats-0"}': "10x60",
        },
        "30m",
        "JetStreamStorageFills",
        {"critical": 1},
    ),
    "executions that pile up": (
        {'n8n_scaling_mode_queue_jobs_waiting{job="n8n"}': "500x30"},
        "20m",
        "ExecutionsQueue",
        {"warning": 1},
    ),
    "executions that fail": (
        {
            'n8n_scaling_mode_queue_jobs_failed{job="n8n"}': "0+5x40",
            'n8n_scaling_mode_queue_jobs_completed{job="n8n"}': "0+5x40",
        },
        "35m",
        "ExecutionsFail",
        {"warning": 1},
    ),
}
"""By what happens: its figures, when they are looked at, the alert, and how many of it fire by severity."""
