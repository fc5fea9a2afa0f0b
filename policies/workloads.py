"""What runs in the cluster, and how it changes: whole GPUs, images that stay what was tested, reviewed branches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import EstatePolicy, Hidden, Level, Policy, Resource, Situation, Violation, items

_GPU: Final = re.compile(r"(^|\.)(nvidia\.com/(gpu|mig-[\w.]+)|amd\.com/gpu)$")
_WHOLE: Final = re.compile(r"\d+(\.0+)?")
_EXACT: Final = re.compile(r"v?\d+\.\d+\.\d+([-+._][\w.+-]+)?|[0-9a-f]{7,40}|\d{4}[-.]?\d{2}[-.]?\d{2}([-.]\w+)*")
"""A version in three parts, a commit, or a date; what else a tag says may be moved to the next build."""
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


def _whole_gpus(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    for path, amount in _gpu_amounts(resource.inputs, ""):
        if not isinstance(amount, Hidden) and not _WHOLE.fullmatch(str(amount)):
            yield Violation(
                resource,
                f"would ask for {amount} of a GPU",
                "Kubernetes does not divide GPUs, and refuses such a pod",
                places.property_of(resource, path),
                "ask for 1: a quarter of a GPU is time-slicing in the NVIDIA device plugin, with 4 replicas",
            )


def _gpu_amounts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            below = f"{path}.{key}" if path else str(key)
            if _GPU.search(str(key)):
                yield below, item
            else:
                yield from _gpu_amounts(item, below)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _gpu_amounts(item, f"{path}[{index}]")


def _pinned_images(resource: Resource, situation: Situation) -> Iterator[Violation]:
    for path, image in _images(resource.inputs, ""):
        if _DIGEST.search(image):
            continue
        if situation.limits.image_digests:
            why = f"in {situation.stack} an image is named by its digest, because a tag can be moved to another one"
            do = "add its digest: image:tag@sha256:…"
        elif _is_exact(image):
            continue
        else:
            why, do = "what runs would change without anybody changing it", "name an exact version, or a digest"
        yield Violation(resource, f"would run the image {image}", why, places.property_of(resource, path), do)


def _is_exact(image: str) -> bool:
    """Whether the image's tag names one build. A registry's port is no tag: ``registry:5000/app``."""
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return bool(colon) and _EXACT.fullmatch(tag) is not None


def _images(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The image of each container, wherever in the kind of workload its pod stands."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            below = f"{path}.{key}" if path else str(key)
            if key in ("containers", "initContainers", "ephemeralContainers"):
                for index, container in enumerate(items(item)):
                    image = container.get("image") if isinstance(container, Mapping) else None
                    if isinstance(image, str):
                        yield f"{below}[{index}].image", image
            else:
                yield from _images(item, below)


def _reviewed(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if resource.type == kinds.GITHUB_BRANCH_PROTECTION:
        yield from _reviewed_by_protection(resource, situation)
    elif resource.get("target") == "branch" and _is_about_main(resource):
        yield from _reviewed_by_ruleset(resource, situation)


def _is_about_main(resource: Resource) -> bool:
    included = items(resource.get("conditions", "refName", "includes"))
    return bool(set(map(str, included)) & _MAIN)


def _reviewed_by_ruleset(resource: Resource, situation: Situation) -> Iterator[Violation]:
    if resource.get("enforcement") == "disabled":
        yield _unreviewed(resource, "would hold for nobody", "enforcement", "set it to active")
    for actor in items(resource.get("bypassActors")):
        if isinstance(actor, Mapping) and actor.get("bypassMode") in ("always", "exempt"):
            what = "would let somebody push past the review, unseen"
            yield _unreviewed(resource, what, "bypass", "let them merge pull requests past it: mode pull_request")
    least = situation.limits.approvals
    review = resource.get("rules", "pullRequest")
    approvals = resource.get("rules", "pullRequest", "requiredApprovingReviewCount")
    if review is not None and not isinstance(approvals, Hidden) and (approvals or 0) < least:
        yield _too_few_approvals(resource, least)


def _too_few_approvals(resource: Resource, least: int) -> Violation:
    return Violation(
        resource,
        "would take changes that nobody has looked at",
        f"a pull request has at least {least} approval",
        places.setting(resource, "approvals"),
        f"{least} or more",
    )


def _reviewed_by_protection(resource: Resource, situation: Situation) -> Iterator[Violation]:
    for member, why in (("allowsForcePushes", "rewritten"), ("allowsDeletions", "deleted")):
        if resource.get(member) is True:
            yield _unreviewed(resource, f"would let the branch be {why}", member, "leave it at false")
    if resource.get("enforceAdmins") in (None, False):
        yield _unreviewed(resource, "would not hold for administrators", "enforceAdmins", "set it to true")
    reviews = resource.get("requiredPullRequestReviews")
    if isinstance(reviews, Hidden):
        return
    approvals = [review.get("requiredApprovingReviewCount") for review in items(reviews) if isinstance(review, Mapping)]
    least = situation.limits.approvals
    if not any(isinstance(count, Hidden) or (count or 0) >= least for count in approvals) and least:
        yield _too_few_approvals(resource, least)


def _unreviewed(resource: Resource, what: str, member: str, do: str) -> Violation:
    why = "a protected branch is the record of who changed what, and who agreed"
    return Violation(resource, what, why, places.property_of(resource, member), do)


def _repositories_reviewed(resources: Sequence[Resource], _situation: Situation) -> Iterator[Violation]:
    # A rule has the logical name repository.rule: the repository's id is not known before the first up.
    protected = {r.name.partition(".")[0] for r in resources if _asks_for_review(r)}
    for resource in resources:
        if (
            resource.type == kinds.GITHUB_REPOSITORY
            and resource.name not in protected
            and resource.get("archived") is not True
        ):
            yield Violation(
                resource,
                "has no protected branch",
                "anybody who may write can change main without a review",
                places.setting(resource, "rulesets"),
                "give it an archetype, or a ruleset with approvals",
            )


def _asks_for_review(resource: Resource) -> bool:
    by_ruleset = resource.type == kinds.GITHUB_RULESET and resource.get("rules", "pullRequest") is not None
    return resource.type == kinds.GITHUB_BRANCH_PROTECTION or (by_ruleset and _is_about_main(resource))


_MAIN: Final = frozenset({"~DEFAULT_BRANCH", "~ALL", "refs/heads/main"})

_CHANGE = (controls.SOC2_CC8_1, controls.PCI_6_5_1, controls.GLBA_CHANGE)

POLICIES: Final = (
    Policy(
        "whole-gpus",
        "Pods ask for whole GPUs.",
        (*kinds.KUBERNETES_WORKLOADS, kinds.KUBERNETES_QUOTA),
        (controls.SOC2_A1_1,),
        _whole_gpus,
    ),
    Policy(
        "pinned-images",
        "Containers run images that nobody can exchange.",
        kinds.KUBERNETES_WORKLOADS,
        (controls.SOC2_CC6_8, controls.SOC2_CC8_1, controls.PCI_6_3_2, controls.GLBA_CHANGE),
        _pinned_images,
    ),
    Policy(
        "reviewed-changes",
        "Protected branches take reviewed changes only, from administrators too.",
        (kinds.GITHUB_BRANCH_PROTECTION, kinds.GITHUB_ORGANIZATION_RULESET, kinds.GITHUB_RULESET),
        _CHANGE,
        _reviewed,
    ),
)

ESTATE_POLICIES: Final = (
    EstatePolicy(
        "repository-is-protected",
        "Every repository has a protected branch.",
        (kinds.GITHUB_REPOSITORY,),
        _CHANGE,
        _repositories_reviewed,
        Level.ADVISORY,  # a repository may be younger than its rules
        of_state=True,
    ),
)
