"""Kubernetes: the API server's version, and what the kubeconfig's user may do, asked of the server itself.

Source of facts: kubernetes.io (SelfSubjectAccessReview, kubeconfig v1, client-go credential plugins).
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from health.base import Answer, Credential, Health, Probe, Problem, Reading, Service, Subject, variable
from health.tokens import Given
from providers.base import Trouble
from providers.base.errors import PlatformError

FILE = "KUBECONFIG"

_PLUGIN_SECONDS = 8.0

_NEEDED = (
    ("create", "", "secrets"),
    ("create", "networking.k8s.io", "networkpolicies"),
    ("create", "", "resourcequotas"),
    ("create", "apps", "deployments"),
    ("create", "apps", "statefulsets"),
    ("create", "autoscaling", "horizontalpodautoscalers"),
    ("create", "policy", "poddisruptionbudgets"),
    ("create", "networking.k8s.io", "ingresses"),
)
"""Verb, API group and resource of what the component makes in its namespace, as far as it is not everybody's."""


@dataclass(frozen=True)
class _Context:
    """What the kubeconfig's current context says."""

    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    directory: Path

    def data(self, owner: Mapping[str, Any], name: str) -> bytes:
        """The content of ``NAME-data`` (base64) or of the file ``NAME``; empty if there is neither."""
        if f"{name}-data" in owner:
            return base64.b64decode(owner[f"{name}-data"])
        return (self.directory / owner[name]).read_bytes() if name in owner else b""


def _context() -> _Context:
    """Raises PlatformError for a kubeconfig that is not there or cannot be understood."""
    try:
        file = Path(variable(FILE))
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        context = _named(config, "contexts", config["current-context"])["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"] or {}
        return _Context(cluster, user, file.parent)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError, StopIteration) as error:
        # The error's own text may show a piece of the file.
        said = f"{FILE} has no kubeconfig with a current context ({type(error).__name__})"
        raise PlatformError(Trouble.CREDENTIALS, said, FILE) from error


def _named(config: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one for one in config[section] if one["name"] == name)
    return found


def _auth(_: Subject) -> httpx.Auth:
    context = _context()
    token = context.user.get("token") or context.data(context.user, "tokenFile").decode().strip()
    return Given("Bearer", token or (_plugged(context.user["exec"]) if "exec" in context.user else ""))


def _plugged(plugin: Mapping[str, Any]) -> str:
    """The token of a credential plugin, such as `aws eks get-token`."""
    own = {entry["name"]: entry["value"] for entry in plugin.get("env") or ()}
    info = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    try:
        done = subprocess.run(  # noqa: S603 - a list, from the kubeconfig of the stack's own ESC environment
            [plugin["command"], *(plugin.get("args") or ())],
            env={**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            capture_output=True,
            text=True,
            timeout=_PLUGIN_SECONDS,
            check=True,
        )
        return str(json.loads(done.stdout)["status"]["token"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        said = f"the credential plugin {plugin['command']} gave no token ({type(error).__name__})"
        raise PlatformError(Trouble.CREDENTIALS, said, FILE) from error


def _tls() -> ssl.SSLContext:
    """The cluster's own authority, and the client's certificate where that is how it shows who it is."""
    context = _context()
    authority = context.data(context.cluster, "certificate-authority").decode()
    made = ssl.create_default_context(cadata=authority or None)
    if context.cluster.get("insecure-skip-tls-verify"):
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if certificate := context.data(context.user, "client-certificate"):
        # ssl reads certificates from files only.
        with tempfile.TemporaryDirectory(prefix="sophia-health-") as scratch:
            file = Path(scratch, "client.pem")
            file.touch(mode=0o600)
            file.write_bytes(certificate + b"\n" + context.data(context.user, "client-key"))
            made.load_cert_chain(file)
    return made


def _review(verb: str, group: str, resource: str) -> Probe:
    def body(subject: Subject) -> dict[str, Any]:
        attributes = {"namespace": _namespace(subject), "verb": verb, "group": group, "resource": resource}
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        return {**kind, "spec": {"resourceAttributes": attributes}}

    def read(answer: Answer) -> Reading:
        status = answer.document["status"]
        if status["allowed"]:
            return Reading()
        reason = f": {status['reason']}" if status.get("reason") else ""
        said = f"the user may not {verb} {resource} in {_namespace(answer.subject)}{reason}"
        return Reading(
            (Problem(said, "bind a role that allows it to the kubeconfig's user", f"{FILE} in ESC (files)"),)
        )

    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return Probe(f"may {verb} {resource}", path, "POST", body=body, credentials=(FILE,), read=read)


def _version(answer: Answer) -> Reading:
    """What has no such member is no API server; the stack file names the minor version that it was written for."""
    running, named = str(answer.document["gitVersion"]), answer.subject.settings.get("version")
    minor = ".".join(running.removeprefix("v").split(".")[:2])
    if named in (None, minor):
        return Reading()
    said = f"the cluster runs Kubernetes {running}, and the stack file was written for {named}"
    do = f'set it to "{minor}", and run the tests: they check every manifest against that version'
    return Reading((Problem(said, do, "kubernetes.version"),))


def _namespace(subject: Subject) -> str:
    return str(subject.settings.get("namespace", ""))


SERVICE = Service(
    address=lambda _: str(_context().cluster["server"]),
    auth=_auth,
    setting=f"{FILE} in ESC (files): the cluster's server",
    said=lambda response: str(response.json()["message"]),
    tls=_tls,
)
"""The API server."""

HEALTH = Health(
    platform="kubernetes",
    title="Kubernetes",
    service=SERVICE,
    probes=(
        Probe("answers", "/version", credentials=(FILE,), read=_version),
        *(_review(*needed) for needed in _NEEDED),
    ),
    credentials=(
        Credential(FILE, "by hand: as the cluster makes its users' credentials; better short-lived ones", by_api=False),
    ),
)
