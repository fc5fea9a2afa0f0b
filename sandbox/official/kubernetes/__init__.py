"""Kubernetes: one set of rules for every kind, as the API server has, and a few for single kinds.

Sources: pulumi/pulumi-kubernetes (ids: namespace/name; names: ``metadata/naming.go``; what is replaced:
``provider/diff.go``) and the API server's validation in kubernetes/kubernetes. There are no controllers here: nothing
ever runs, a workload is said to be complete as soon as it is written, and a quota is kept but not enforced. The
contents of Secrets are kept as hashes, so they cannot be read back for an import, unlike on a real cluster.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Iterator
from functools import cache

from sandbox.official import quantities
from sandbox.official.behaviour import Draft, Identity, Kind, Package, Reference, now, paths, text
from sandbox.official.kubernetes import admission, pods, status, workloads
from sandbox.official.types import Failure, Sdk
from sandbox.official.values import Path, Properties, is_unknown, written

_NAMESPACE = "kubernetes:core/v1:Namespace"
_CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CSIDriver",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)
_BORN = {
    "Namespace": [("default",), ("kube-node-lease",), ("kube-public",), ("kube-system",)],
    "ClusterRole": [("admin",), ("cluster-admin",), ("edit",), ("view",)],
    "PriorityClass": [("system-cluster-critical",), ("system-node-critical",)],
}
_PLURALS = {
    "Ingress": "ingresses",
    "IngressClass": "ingressclasses",
    "NetworkPolicy": "networkpolicies",
    "PriorityClass": "priorityclasses",
    "StorageClass": "storageclasses",
}

_SELECTOR = ("spec.selector",)
_REPLACES = {
    "DaemonSet": _SELECTOR,
    "Deployment": _SELECTOR,
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    "ResourceQuota": ("spec.scopes",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Secret": ("type", "stringData", "data"),
    "ConfigMap": ("binaryData", "data"),
    "Service": ("spec.clusterIP",),
    "StatefulSet": ("spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
    "StorageClass": ("parameters", "provisioner"),
}
"""Secrets and ConfigMaps are replaced on every change of their contents, unless the provider is told otherwise."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_RBAC_NAME = re.compile(r"[^/%]+")
_QUALIFIED = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_DATA = ("data", "stringData", "binaryData")
_LARGEST_DATA = 1024 * 1024
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@cache
def kind_of(token: str) -> Kind:
    """The rules for a type token such as ``kubernetes:core/v1:Namespace``."""
    name = token.rsplit(":", 1)[-1]
    group = token.split(":")[1].split("/")[0]
    qualified = _plural(name) if group == "core" else f"{_plural(name)}.{group}"
    namespaced = name not in _CLUSTER_WIDE
    return Kind(
        identity=_identity_in(namespaced),
        make_id=lambda properties: "/".join(_identity_in(namespaced)(properties)),
        duplicate=lambda identity: f'{qualified} "{identity[-1]}" already exists',
        references=_references_of(name, namespaced),
        existing=frozenset(_BORN.get(name, ())),
        replaces=paths("metadata.name", "metadata.namespace", *_REPLACES.get(name, ())),
        fill=_fill_for(name, namespaced),
        validate=_validation_for(name),
        refusals=lambda draft: (*workloads.refusals(name, draft), *admission.refusals(name, draft)),
        sensitive=paths("data", "stringData") if name == "Secret" else (),
    )


def _plural(name: str) -> str:
    return _PLURALS.get(name) or f"{name.lower()}s"


def _identity_in(namespaced: bool) -> Callable[[Properties], Identity]:
    def identity(properties: Properties) -> Identity:
        name = text(properties, "metadata", "name")
        return (text(properties, "metadata", "namespace") or "default", name) if namespaced else (name,)

    return identity


def _references_of(name: str, namespaced: bool) -> Callable[[Properties], Iterator[Reference]]:
    def references(properties: Properties) -> Iterator[Reference]:
        if namespaced:
            yield from _namespace_of(properties)
            yield from admission.references(name, properties)

    return references


def _namespace_of(properties: Properties) -> Iterator[Reference]:
    namespace = text(properties, "metadata", "namespace") or "default"
    yield Reference(_NAMESPACE, (namespace,), f'namespaces "{namespace}" not found')


def _fill_for(name: str, namespaced: bool) -> Callable[[Draft], Properties]:
    def fill(draft: Draft) -> Properties:
        before = draft.previous.get("metadata", {})
        metadata = {
            "uid": before.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": before.get("creationTimestamp") or now(),
            "resourceVersion": str(int(before.get("resourceVersion") or 0) + 1),
        }
        if namespaced:
            metadata["namespace"] = "default"
        return {"metadata": metadata, **status.contents(name, draft)}

    return fill


def _validation_for(name: str) -> Callable[[Properties], Iterator[Failure]]:
    pattern, rule = _NAME_RULES.get(name, (_SUBDOMAIN, _SUBDOMAIN_RULE))

    def validate(properties: Properties) -> Iterator[Failure]:
        yield from _metadata_failures(properties, pattern, rule)
        yield from pods.failures(name, properties)
        yield from workloads.failures(name, properties)
        yield from _KIND_RULES.get(name, _workload_failures)(properties)

    return validate


def _metadata_failures(properties: Properties, pattern: re.Pattern[str], rule: str) -> Iterator[Failure]:
    name = text(properties, "metadata", "name")
    namespace = text(properties, "metadata", "namespace")
    limit = 63 if pattern is _LABEL else 253
    if name and not is_unknown(name) and (not pattern.fullmatch(name) or len(name) > limit):
        yield Failure("metadata.name", f'Invalid value: "{name}": {rule}')
    if namespace and not is_unknown(namespace) and not _LABEL.fullmatch(namespace):
        yield Failure("metadata.namespace", f'Invalid value: "{namespace}": {_LABEL_RULE}')
    metadata = properties.get("metadata")
    for part in ("labels", "annotations"):
        members = metadata.get(part) if isinstance(metadata, dict) else None
        for key, value in members.items() if isinstance(members, dict) else ():
            where = written(("metadata", part, key))
            if not _QUALIFIED.fullmatch(key):
                yield Failure(where, f'Invalid value: "{key}": name part must consist of alphanumeric characters')
            if part == "labels" and _is_ill_label(value):
                yield Failure(where, "Invalid value: a valid label must be at most 63 characters of [-A-Za-z0-9_.]")


def _is_ill_label(value: object) -> bool:
    return isinstance(value, str) and not is_unknown(value) and not _LABEL_VALUE.fullmatch(value)


def _workload_failures(properties: Properties) -> Iterator[Failure]:
    yield from quantities.container_failures(properties)


def _quota_failures(properties: Properties) -> Iterator[Failure]:
    spec = properties.get("spec")
    yield from quantities.failures(spec.get("hard") if isinstance(spec, dict) else None, ("spec", "hard"))


def _limit_failures(properties: Properties) -> Iterator[Failure]:
    spec = properties.get("spec")
    limits = spec.get("limits") if isinstance(spec, dict) else None
    for index, limit in enumerate(limits if isinstance(limits, list) else ()):
        for part in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
            where: Path = ("spec", "limits", index, part)
            yield from quantities.failures(limit.get(part) if isinstance(limit, dict) else None, where)


def _data_failures(properties: Properties) -> Iterator[Failure]:
    given = [members for part in _DATA if isinstance(members := properties.get(part), dict)]
    size = sum(len(str(value).encode()) for members in given for value in members.values())
    if size > _LARGEST_DATA:
        yield Failure("data", f"Too long: may not be more than {_LARGEST_DATA} bytes")
    for part in _DATA:
        members = properties.get(part)
        for key in members if isinstance(members, dict) else ():
            if not _DATA_KEY.fullmatch(key):
                rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
                yield Failure(written((part, key)), f'Invalid value: "{key}": {rule}')


def _secret_failures(properties: Properties) -> Iterator[Failure]:
    yield from _data_failures(properties)
    members = properties.get("data")
    for key, value in members.items() if isinstance(members, dict) else ():
        if isinstance(value, str) and not is_unknown(value) and not _is_base64(value):
            yield Failure(written(("data", key)), "illegal base64 data; give plain text in stringData instead")


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return True


_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character"
)
_RBAC_RULE = "may not contain '/' or '%'"
_NAME_RULES = {
    "Namespace": (_LABEL, _LABEL_RULE),
    "Service": (_LABEL, _LABEL_RULE),
    "Role": (_RBAC_NAME, _RBAC_RULE),
    "RoleBinding": (_RBAC_NAME, _RBAC_RULE),
    "ClusterRole": (_RBAC_NAME, _RBAC_RULE),
    "ClusterRoleBinding": (_RBAC_NAME, _RBAC_RULE),
}
_KIND_RULES: dict[str, Callable[[Properties], Iterator[Failure]]] = {
    "ResourceQuota": _quota_failures,
    "LimitRange": _limit_failures,
    "ConfigMap": _data_failures,
    "Secret": _secret_failures,
}

PACKAGE = Package(
    sdk=Sdk("kubernetes", "pulumi_kubernetes", "pulumi-kubernetes"),
    kind=kind_of,
    autoname=("metadata", "name"),
    owns_whole_object=False,
    open_ended=True,
)
