"""What keeps a pod from ever starting: pod security, and names of objects that are not there.

The API server takes a Deployment whose pods are forbidden; its controller is then refused every single pod, and the
official provider waits until it gives up. There are no controllers here, so that the Deployment itself is refused, with
the words that the wait would end with. Sources: kubernetes.io, "Pod Security Standards"; ``policy`` in
kubernetes/pod-security-admission.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.official.behaviour import Draft, Reference, WhenGone, text
from sandbox.official.kubernetes.pods import TEMPLATES, template_of
from sandbox.official.kubernetes.trees import Place
from sandbox.official.values import Properties, is_unknown

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_RESTRICTED_VOLUMES: Final = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_BASELINE_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
_CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
_SECRET: Final = "kubernetes:core/v1:Secret"  # noqa: S105 - a type's name
_ACCOUNT: Final = "kubernetes:core/v1:ServiceAccount"
_PRIORITY: Final = "kubernetes:scheduling.k8s.io/v1:PriorityClass"


def refusals(kind: str, draft: Draft) -> Iterator[str]:
    """Why the namespace does not let the object's pods in; the namespace is the first object that it refers to."""
    if kind not in TEMPLATES:
        return
    level = str(((draft.parent.get("metadata") or {}).get("labels") or {}).get(_ENFORCE, ""))
    spec = template_of(kind, draft.asked) / "spec"
    violations = [*(_baseline(spec) if level in ("baseline", "restricted") else ())]
    if level == "restricted":
        violations += _restricted(spec)
    if violations:
        name = text(draft.asked, "metadata", "name")
        said = ", ".join(dict.fromkeys(violations))
        yield f'pods of {kind} "{name}" are forbidden: violates PodSecurity "{level}:latest": {said}'


def references(kind: str, properties: Properties) -> Iterator[Reference]:
    """What the object's pods cannot start without: ConfigMaps, Secrets, service account, priority class."""
    if kind not in TEMPLATES:
        return
    namespace = text(properties, "metadata", "namespace") or "default"
    spec = template_of(kind, properties) / "spec"
    priority, account = (spec / "priorityClassName").text, (spec / "serviceAccountName").text
    if priority:
        words = f"no PriorityClass with name {priority} was found"
        yield Reference(_PRIORITY, (priority,), f"pods are forbidden: {words}", WhenGone.STAYS)
    if account and account != "default":
        missing = f'pods are forbidden: serviceaccount "{account}" not found in {namespace}'
        yield Reference(_ACCOUNT, (namespace, account), missing, WhenGone.STAYS)
    for token, named, optional in _sources(spec):
        if named and not optional:
            what = "configmap" if token == _CONFIG_MAP else "secret"
            yield Reference(token, (namespace, named), f'pods cannot start: {what} "{named}" not found', WhenGone.STAYS)


def _sources(spec: Place) -> Iterator[tuple[str, str, bool]]:
    """Every ConfigMap and Secret that the pod reads: its kind, its name, and whether the pod can do without."""
    for volume in (spec / "volumes").each():
        yield _CONFIG_MAP, (volume / "configMap" / "name").text, bool((volume / "configMap" / "optional").value)
        yield _SECRET, (volume / "secret" / "secretName").text, bool((volume / "secret" / "optional").value)
    for container in _containers(spec):
        for source in (container / "envFrom").each():
            yield _CONFIG_MAP, *_named(source / "configMapRef")
            yield _SECRET, *_named(source / "secretRef")
        for variable in (container / "env").each():
            yield _CONFIG_MAP, *_named(variable / "valueFrom" / "configMapKeyRef")
            yield _SECRET, *_named(variable / "valueFrom" / "secretKeyRef")


def _named(reference: Place) -> tuple[str, bool]:
    return (reference / "name").text, bool((reference / "optional").value)


def _containers(spec: Place) -> Iterator[Place]:
    for part in ("initContainers", "containers", "ephemeralContainers"):
        yield from (spec / part).each()


def _baseline(spec: Place) -> Iterator[str]:
    for member in ("hostNetwork", "hostPID", "hostIPC"):
        if (spec / member).value is True:
            yield f"host namespaces ({member}=true)"
    for volume in (spec / "volumes").each():
        if volume.has("hostPath"):
            yield f'hostPath volumes (volume "{(volume / "name").text}")'
    for container in _containers(spec):
        name, context = (container / "name").text, container / "securityContext"
        if (context / "privileged").value is True:
            yield f'privileged (container "{name}" must not set securityContext.privileged=true)'
        if any((port / "hostPort").number for port in (container / "ports").each()):
            yield f'hostPort (container "{name}" uses a hostPort)'
        added = {item.text for item in (context / "capabilities" / "add").each()}
        if added - _BASELINE_CAPABILITIES:
            yield f'non-default capabilities (container "{name}" must not add {", ".join(sorted(added))})'


def _restricted(spec: Place) -> Iterator[str]:
    for volume in (spec / "volumes").each():
        for source in volume.mapping.keys() - _RESTRICTED_VOLUMES - {"name", "hostPath"}:
            yield f'restricted volume types (volume "{(volume / "name").text}" uses {source})'
    of_pod = spec / "securityContext"
    for container in _containers(spec):
        yield from _restricted_container(container, of_pod)


def _restricted_container(container: Place, of_pod: Place) -> Iterator[str]:
    name, own = (container / "name").text, container / "securityContext"
    if is_unknown(own.value):
        return
    if (own / "allowPrivilegeEscalation").value is not False:
        yield (
            f'allowPrivilegeEscalation != false (container "{name}" must set '
            "securityContext.allowPrivilegeEscalation=false)"
        )
    dropped = {item.text for item in (own / "capabilities" / "drop").each()}
    added = {item.text for item in (own / "capabilities" / "add").each()}
    if "ALL" not in dropped or added - {"NET_BIND_SERVICE"}:
        yield f'unrestricted capabilities (container "{name}" must set securityContext.capabilities.drop=["ALL"])'
    if _effective(own, of_pod, "runAsNonRoot") is not True:
        yield f'runAsNonRoot != true (pod or container "{name}" must set securityContext.runAsNonRoot=true)'
    if _effective(own, of_pod, "runAsUser") == 0:
        yield f'runAsUser=0 (container "{name}" must not set runAsUser=0)'
    profile = (own / "seccompProfile" / "type").text or (of_pod / "seccompProfile" / "type").text
    if profile not in ("RuntimeDefault", "Localhost"):
        yield (
            f'seccompProfile (pod or container "{name}" must set securityContext.seccompProfile.type to '
            '"RuntimeDefault" or "Localhost")'
        )


def _effective(own: Place, of_pod: Place, member: str) -> object:
    """A container's own word counts before its pod's."""
    return (own / member).value if own.has(member) else (of_pod / member).value
