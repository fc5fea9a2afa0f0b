"""The steps of a deployment: validate, preview, approve, deploy, test, watch, record. A new one is a function in `STEPS`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sophia.errors import CredentialsError, RunFailed, SettingsError, SophiaError, UnreachableError
from sophia.pipeline import record
from sophia.pipeline.deployment import Deployment
from sophia.pipeline.plan import BoundPlan, bind
from sophia.pipeline.steps import Standing, Step
from sophia.pipeline.trial import check_deployed, watch_health
from sophia.results import Counts
from sophia.state import State

_SHOWN_ENVIRONMENTS = 4


def validate(deployment: Deployment) -> str:
    """Settings file, ESC in git and in the cloud, the plan's file: all that can be known before the engine runs."""
    stack, options = deployment.stack, deployment.options
    problems = options.check_esc(stack.project) if options.check_esc else ()
    if problems:
        raise SettingsError(list(problems))
    deployment.binding = bind(stack)
    deployment.past = record.past(stack)
    if options.plan_file is not None:
        deployment.plan = BoundPlan.read(options.plan_file)
        _refuse_stale(deployment, deployment.plan)
    environments = [f"{name} {number}" for name, number in deployment.binding.environments.items()]
    more = len(environments) - _SHOWN_ENVIRONMENTS
    shown = environments[:_SHOWN_ENVIRONMENTS] + ([f"{more} more"] if more > 0 else [])
    parts = [deployment.revision.short, stack.settings_file.name, *([f"ESC {', '.join(shown)}"] if shown else [])]
    if deployment.revision.changed:
        deployment.warnings.append(
            "there are changes that are not committed: no rollback can return to this deployment"
        )
    return " · ".join(parts)


def preview(deployment: Deployment) -> str:
    """Makes the plan, unless one was given. Settings and policies are checked by the program, and by the engine."""
    if deployment.plan is None:
        binding = deployment.binding or bind(deployment.stack)
        with deployment.options.watched() as on_event:
            plan = deployment.stack.preview(on_event)
        deployment.plan = BoundPlan(binding, plan, datetime.now(UTC), deployment.by)
    bound = deployment.plan
    deployment.options.on_plan(bound)
    return f"{counted(bound.plan.counts, planned=True)} · plan {bound.short_digest}"


def approve(deployment: Deployment) -> str:
    """Whether the plan may be run: by its digest, or by the person in front of the terminal."""
    bound, options = _planned(deployment), deployment.options
    if options.approve and not bound.is_approved_by(options.approve):
        raise SettingsError(
            f'stack "{deployment.name}": another plan was approved than this one, and nothing was changed',
            said=f"approved is {options.approve}, this plan is {bound.short_digest}",
            setting="option --approve",
            do="look at this plan, and approve it by its own digest",
        )
    if options.approve:
        return "approved by its digest"
    if not bound.plan.has_changes:
        return "not needed: it changes nothing"
    destructive = bool(bound.plan.destroys or bound.plan.replaces)
    if not deployment.needs_approval and not (deployment.real and destructive):
        return "not needed"
    if not deployment.needs_approval and options.yes:
        return f"agreed to by {deployment.by}, with --yes"
    if options.ask is None:
        raise _unapproved(deployment, bound)
    if not options.ask(bound):
        raise SettingsError(
            f'stack "{deployment.name}": the plan was not approved, and nothing was changed',
            do="change what should be different, and deploy again",
        )
    return f"approved by {deployment.by}"


def _unapproved(deployment: Deployment, bound: BoundPlan) -> SettingsError:
    by_digest = f"--approve {bound.short_digest}"
    file = f" --plan-file {deployment.options.plan_file}" if deployment.options.plan_file else ""
    others = "" if deployment.needs_approval else ", or with --yes"
    return SettingsError(
        f'stack "{deployment.name}" at {deployment.stack.target.label}: the plan must be approved, and nothing was changed',
        said="this is not a terminal, so nobody can be asked",
        setting="option --approve",
        do=f"look at the plan, then run it again with {by_digest}{file}{others}",
    )


def deploy(deployment: Deployment) -> str:
    """Does what was planned and nothing else."""
    bound, stack = _planned(deployment), deployment.stack
    # The approval may have taken an hour: what it was given for must still be there.
    bound.refuse_stale(bind(stack), bound.plan.state, datetime.now(UTC))
    try:
        with deployment.options.watched() as on_event:
            result = stack.up(on_event, plan=bound.plan, fail_fast=deployment.options.fail_fast)
    except SophiaError as error:
        deployment.changing = error.partial is not None
        raise
    deployment.changing, deployment.result = True, result
    deployment.warnings += result.warnings
    return counted(result.counts)


def test(deployment: Deployment) -> str:
    """Health and assertions of the platforms that were touched since the last good deploy."""
    if not deployment.untested and not deployment.touched:
        return "nothing was touched since the last good deploy"
    return check_deployed(deployment, None if deployment.untested else deployment.touched)


def watch(deployment: Deployment) -> str:
    """Health again, until it is stable."""
    return watch_health(deployment, None if deployment.untested else deployment.touched)


def note(deployment: Deployment) -> str:
    """Notes that a rollback can return here."""
    revision = deployment.revision
    if not revision.commit:
        return "not in git: no rollback can return here"
    if deployment.stack.target.kind == "file":
        return "a state file keeps no tags: no rollback can return here"
    try:
        record.mark_good(deployment.stack, deployment.run)
    except (RunFailed, CredentialsError, UnreachableError) as error:
        deployment.warnings.append(error.what)
        return f"not noted: {error.said}"
    deployment.noted = True
    if revision.changed:
        return f"good, but with changes that are in no commit: no rollback can return to {revision.short}"
    return f"good: `sophia rollback {deployment.name}` can return to {revision.short}"


STEPS: Sequence[Step[Deployment]] = (
    Step("validate", validate),
    Step("preview", preview),
    Step("approve", approve),
    Step("deploy", deploy),
    Step("test", test),
    Step("watch", watch),
    Step("record", note),
)
PLANNING = STEPS[:2]
"""What makes a plan, and changes nothing."""


def ways_back(deployment: Deployment, standing: Standing | None) -> list[str]:
    """What a person can do after a deployment has failed, in words."""
    stack = deployment.name
    if standing is None or not deployment.changing:
        return ["nothing was changed on the platforms"]
    back = next((g for g in (deployment.past.good if deployment.past else ()) if not g.revision.changed), None)
    again = f"correct the cause and run `sophia {deployment.what} {stack}` again"
    if back is None:
        return [f"there is no good deployment yet to go back to: {again}"]
    when = f"deployed {back.entry.started:%Y-%m-%d %H:%M} UTC by {back.by}"
    return [f"`sophia rollback {stack}` goes back to {back.revision.short} ({when})", f"or {again}"]


def counted(counts: Counts, *, planned: bool = False) -> str:
    """``created 3 · unchanged 60``, or ``creates 3``."""
    words = ("creates", "updates", "replaces", "destroys") if planned else ("created", "updated", "replaced", "deleted")
    numbers = (counts.created, counts.updated, counts.replaced, counts.deleted)
    changed = [f"{word} {number}" for word, number in zip(words, numbers, strict=True) if number]
    return " · ".join([*(changed or ["no changes"]), f"unchanged {counts.unchanged}"])


def _planned(deployment: Deployment) -> BoundPlan:
    if deployment.plan is None:
        raise RunFailed("there is no plan", do="the step preview makes it")
    return deployment.plan


def _refuse_stale(deployment: Deployment, bound: BoundPlan) -> None:
    state = deployment.stack.state() or State({})
    bound.refuse_stale(deployment.binding or bind(deployment.stack), state.fingerprint, datetime.now(UTC))
