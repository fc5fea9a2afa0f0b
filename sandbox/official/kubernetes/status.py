"""What the API server and its controllers add to an object: here all goes well, and at once."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from sandbox.official.behaviour import Draft, now, text
from sandbox.official.values import Properties


def contents(kind: str, draft: Draft) -> Properties:
    """The members beside the metadata; nothing for a kind to which nothing is added."""
    make = _CONTENTS.get(kind)
    return make(draft) if make else {}


def _namespace(_: Draft) -> Properties:
    return {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def _secret(draft: Draft) -> Properties:
    given = draft.asked.get("stringData") or {}
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in given.items()}
    return {"type": "Opaque", **({"data": encoded} if encoded else {})}


def _network_policy(draft: Draft) -> Properties:
    policy = draft.asked.get("spec") or {}
    return {"spec": {"policyTypes": ["Ingress", "Egress"] if "egress" in policy else ["Ingress"]}}


def _quota(draft: Draft) -> Properties:
    return {"status": {"hard": (draft.asked.get("spec") or {}).get("hard", {}), "used": {}}}


def _replicated(draft: Draft) -> Properties:
    """All replicas are there. Where an autoscaler has the say, nothing was asked, and there is one."""
    count = (draft.asked.get("spec") or {}).get("replicas", 1)
    every = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), count)
    return {"spec": {"replicas": count}, "status": {"observedGeneration": 1, **every}}


def _deployment(draft: Draft) -> Properties:
    made = _replicated(draft)
    made["status"]["conditions"] = [
        _condition("Available", "MinimumReplicasAvailable"),
        _condition("Progressing", "NewReplicaSetAvailable"),
    ]
    return made


def _stateful_set(draft: Draft) -> Properties:
    made = _replicated(draft)
    revision = f"{text(draft.asked, 'metadata', 'name')}-0"
    made["status"] |= {
        "currentReplicas": made["spec"]["replicas"],
        "currentRevision": revision,
        "updateRevision": revision,
    }
    return made


def _daemon_set(_: Draft) -> Properties:
    """There are no nodes, so that none has a pod."""
    names = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
    return {"status": {"observedGeneration": 1, **dict.fromkeys(names, 0)}}


def _job(draft: Draft) -> Properties:
    before: Any = (draft.previous.get("status") or {}).get("completionTime")
    done = {"startTime": before or now(), "completionTime": before or now(), "succeeded": 1}
    return {"status": {**done, "conditions": [_condition("Complete", "CompletionsReached")]}}


def _service(draft: Draft) -> Properties:
    spec = draft.asked.get("spec") or {}
    if spec.get("clusterIP") == "None":
        return {"spec": {"clusterIPs": ["None"]}, "status": {"loadBalancer": {}}}
    digest = hashlib.sha256(draft.id.encode()).digest()
    address = f"10.96.{digest[0]}.{digest[1]}"
    return {
        "spec": {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address]},
        "status": {"loadBalancer": {}},
    }


def _ingress(_: Draft) -> Properties:
    return {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}


def _claim(draft: Draft) -> Properties:
    requests = ((draft.asked.get("spec") or {}).get("resources") or {}).get("requests") or {}
    modes = (draft.asked.get("spec") or {}).get("accessModes") or []
    return {"status": {"phase": "Bound", "accessModes": modes, "capacity": requests}}


def _autoscaler(draft: Draft) -> Properties:
    least = (draft.asked.get("spec") or {}).get("minReplicas", 1)
    return {"status": {"currentReplicas": least, "desiredReplicas": least, "conditions": []}}


def _budget(_: Draft) -> Properties:
    names = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
    return {"status": {"observedGeneration": 1, **dict.fromkeys(names, 0)}}


def _condition(kind: str, reason: str) -> Properties:
    return {"type": kind, "status": "True", "reason": reason}


_CONTENTS = {
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Ingress": _ingress,
    "Job": _job,
    "Namespace": _namespace,
    "NetworkPolicy": _network_policy,
    "PersistentVolumeClaim": _claim,
    "PodDisruptionBudget": _budget,
    "ResourceQuota": _quota,
    "Secret": _secret,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
