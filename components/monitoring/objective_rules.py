"""The estate's service levels as rules: what is measured, what is left of the error budget, how fast it burns.

Two objectives are about requests (the share that fails, the share that is slow) and have an error budget: alerts are about
how fast it burns, over two windows each, so that they come soon and end soon (Google, The Site Reliability Workbook,
chapter 5). The third is about the use of GPUs: too little is money (a ticket), too much is a queue (a warning).

Source of facts: the metrics of ingress-nginx (``nginx_ingress_controller_*``) and of NVIDIA's dcgm-exporter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.monitoring.rules import Alert, Group, Record, Severity, select

BUDGET_DAYS = 30

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


@dataclass(frozen=True)
class Burn:
    """A speed at which a budget burns that somebody should know of: ``factor`` times as fast as it may."""

    factor: float
    long: str
    short: str
    severity: Severity


BURNS = (
    Burn(14.4, "1h", "5m", "critical"),  # 2 % of the month's budget in an hour
    Burn(6, "6h", "30m", "critical"),  # 5 % in six hours
    Burn(3, "1d", "2h", "warning"),  # 10 % in a day
    Burn(1, "3d", "6h", "ticket"),  # 10 % in three days: it will be used up exactly
)


@dataclass(frozen=True)
class Objective:
    """A share of requests that may be bad. ``bad`` and ``all`` are counters, with WINDOW where the range stands."""

    name: str
    budget: float
    bad: str
    all: str
    alert: str
    title: str
    do: str
    measured: str
    """A selector without which nothing is known."""

    def ratio(self, window: str) -> str:
        """The name of the recorded share of bad requests."""
        return f"sophia:{self.name}:ratio_rate{window}"

    @property
    def left(self) -> str:
        """The name of the recorded share of the budget that is left; below 0 it is overdrawn."""
        return f"sophia:{self.name}:budget_left{BUDGET_DAYS}d"


def availability(namespace: str, target: float) -> Objective:
    """The share of requests through the ingress that are answered at all, without an error of the server."""
    all_ = select("nginx_ingress_controller_requests", namespace=namespace)
    bad = select("nginx_ingress_controller_requests", namespace=namespace, status="~5..")
    return Objective(
        name="request_errors",
        budget=round(1 - target, 9),
        # Before the first error there is no series of errors, and no share without this zero.
        bad=f"(sum(rate({bad}[WINDOW])) or vector(0))",
        all=f"sum(rate({all_}[WINDOW]))",
        alert="AvailabilityBurns",
        title=f"availability of {target:.4g}",
        do="The dashboard Service levels shows which service answers with 5xx. Began it with a deployment? "
        "`sophia history STACK`, `sophia rollback STACK`.",
        measured=all_,
    )


def latency(namespace: str, seconds: float, share: float) -> Objective:
    """The share of requests that take longer. The ingress controller must have a bucket at exactly ``seconds``."""
    count = select("nginx_ingress_controller_request_duration_seconds_count", namespace=namespace)
    fast = select("nginx_ingress_controller_request_duration_seconds_bucket", namespace=namespace, le=f"{seconds:g}")
    return Objective(
        name="request_slow",
        budget=round(1 - share, 9),
        bad=f"(sum(rate({count}[WINDOW])) - sum(rate({fast}[WINDOW])))",
        all=f"sum(rate({count}[WINDOW]))",
        alert="LatencyBurns",
        title=f"{share:.4g} of the requests within {seconds * 1000:g} ms",
        do="The dashboard Service levels shows which service is slow; WorkloadThrottled or WorkloadAtMaximum may say why.",
        measured=fast,
    )


def objective_groups(objectives: tuple[Objective, ...], team: str) -> list[Group]:
    """Recorded shares, burning budgets, and what is not measured at all."""
    return [group for one in objectives for group in _groups(one, team)]


def percentile_group(namespace: str, percentile: float) -> Group:
    """The latency that people quote, by service; interpolated between buckets, so for looking and not for alerting."""
    buckets = select("nginx_ingress_controller_request_duration_seconds_bucket", namespace=namespace)
    by_service = f"histogram_quantile({percentile:g}, sum by (service, le) (rate({buckets}[5m])))"
    everything = f"histogram_quantile({percentile:g}, sum by (le) (rate({buckets}[5m])))"
    return Group(
        name="latency",
        interval="1m",
        rules=(
            Record(name="sophia:request_duration_seconds:percentile5m", expr=everything),
            Record(name="sophia:service_request_duration_seconds:percentile5m", expr=by_service),
        ),
    )


def gpu_group(team: str, target: float) -> Group:
    """How busy the GPUs are. A time-sliced GPU counts once, whatever number of pods share it."""
    return Group(
        name="gpu",
        interval="1m",
        rules=(
            Record(name="sophia:gpu_use:ratio", expr="avg(DCGM_FI_DEV_GPU_UTIL) / 100"),
            Record(
                name="sophia:gpu_memory:ratio",
                expr="sum(DCGM_FI_DEV_FB_USED) / (sum(DCGM_FI_DEV_FB_USED) + sum(DCGM_FI_DEV_FB_FREE))",
            ),
            Alert(
                name="GpusIdle",
                expr=f"avg_over_time(sophia:gpu_use:ratio[1d]) < {target:g}",
                after="6h",
                severity="ticket",
                team=team,
                summary=f"GPUs were busy {{{{ $value | humanizePercentage }}}} of the last day; {target:.0%} is what they "
                "are paid for",
                do="Fewer instances under sophia-ai:lambda_labs.instances, a smaller type, or more replicas a GPU "
                "(time-slicing) under sophia-ai:kubernetes.gpu.",
            ),
            Alert(
                name="GpusSaturated",
                expr="avg_over_time(sophia:gpu_use:ratio[30m]) > 0.97",
                after="15m",
                severity="warning",
                team=team,
                summary="GPUs have been busy without a pause for half an hour; requests queue",
                do="One more instance under sophia-ai:lambda_labs.instances, or fewer replicas a GPU (time-slicing).",
            ),
            Alert(
                name="GpuMemoryFills",
                expr="DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE) > 0.95",
                after="15m",
                severity="warning",
                team=team,
                summary="GPU {{ $labels.gpu }} of {{ $labels.Hostname }}: memory {{ $value | humanizePercentage }} full",
                do="Time-slicing divides time, not memory: the next model that is loaded there fails. Move one of them.",
            ),
            Alert(
                name="GpuBroken",
                expr="DCGM_FI_DEV_XID_ERRORS > 0",
                severity="critical",
                team=team,
                summary="GPU {{ $labels.gpu }} of {{ $labels.Hostname }} reports XID {{ $value }}",
                do="NVIDIA's list of XIDs says if it is the program's fault. Else terminate the instance: raise its "
                "generation under sophia-ai:lambda_labs.instances.",
            ),
            _unmeasured("DCGM_FI_DEV_GPU_UTIL", "the use of GPUs", team),
        ),
    )


def _groups(one: Objective, team: str) -> Iterator[Group]:
    # Every window divides by what there was: without any request nothing is recorded, and nothing burns.
    def ratio(window: str) -> str:
        return f"{one.bad} / ({one.all} > 0)".replace("WINDOW", window)

    yield Group(
        name=one.name, rules=tuple(Record(name=one.ratio(window), expr=ratio(window)) for window in WINDOWS[:4])
    )
    yield Group(
        name=f"{one.name}.budget",
        interval="5m",
        rules=(
            *(Record(name=one.ratio(window), expr=ratio(window)) for window in WINDOWS[4:]),
            Record(name=one.left, expr=f"1 - ({ratio(f'{BUDGET_DAYS}d')}) / {one.budget:g}"),
        ),
    )
    yield Group(name=f"{one.name}.alerts", rules=(*_burning(one, team), _unmeasured(one.measured, one.title, team)))


def _burning(one: Objective, team: str) -> Iterator[Alert]:
    for burn in BURNS:
        limit = f"{burn.factor:g} * {one.budget:g}"
        yield Alert(
            name=one.alert,
            expr=f"{one.ratio(burn.long)} > {limit} and {one.ratio(burn.short)} > {limit}",
            after="2m" if burn.severity == "critical" else "15m",
            severity=burn.severity,
            team=team,
            labels={"window": burn.long},
            summary=f"The error budget of {one.title} burns {burn.factor:g} times as fast as it may: "
            f"{{{{ $value | humanizePercentage }}}} over {burn.long}",
            do=one.do,
        )


def _unmeasured(selector: str, what: str, team: str) -> Alert:
    return Alert(
        name="ObjectiveUnmeasured",
        expr=f"absent({selector})",
        after="1h",
        severity="ticket",
        team=team,
        labels={"objective": what},
        summary=f"Nobody measures {what}",
        do="Either nothing asked for an hour, or the exporter is not scraped, or the ingress controller lacks the bucket: "
        "docs/monitoring.md, Service levels.",
    )
