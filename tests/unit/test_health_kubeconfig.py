"""Who asks a cluster, as a kubeconfig says it."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from health import declared
from health.base import Subject
from health.checking import check
from providers.base.errors import PlatformError

SECRET = "the-very-secret-value"


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a kubeconfig whose user and cluster are these."""

    def write(user: Mapping[str, Any], **cluster: str) -> None:
        config = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1", **cluster}}],
            "users": [{"name": "u", "user": user}],
        }
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(file))

    return write


def shown(auth: httpx.Auth) -> str:
    request = next(auth.auth_flow(httpx.Request("GET", "https://kubernetes.example")))
    return str(request.headers.get("authorization", ""))


def test_a_kubeconfig_says_in_several_ways_who_asks(kubeconfig: Callable[..., None], tmp_path: Path) -> None:
    service = declared.all_of_them()["kubernetes"].service
    assert service
    kubeconfig({"token": "of-the-file"})
    assert shown(service.auth(Subject())) == "Bearer of-the-file"
    (tmp_path / "token").write_text("of-another-file\n")
    kubeconfig({"tokenFile": "token"})
    assert shown(service.auth(Subject())) == "Bearer of-another-file"
    answer = "import json, os; print(json.dumps({'status': {'token': os.environ['WHO'] + 's-token'}}))"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", answer]}
    kubeconfig({"exec": {**plugin, "env": [{"name": "WHO", "value": "plugin"}]}})
    assert shown(service.auth(Subject())) == "Bearer plugins-token"
    kubeconfig({"exec": {**plugin, "args": ["-c", "raise SystemExit(1)"]}})
    with pytest.raises(PlatformError, match="gave no token"):
        service.auth(Subject())
    kubeconfig({})
    assert shown(service.auth(Subject())) == ""


def test_a_clusters_own_authority_and_a_clients_certificate_are_used(kubeconfig: Callable[..., None]) -> None:
    service = declared.all_of_them()["kubernetes"].service
    assert service
    assert service.tls
    key, certificate = certified()
    data = {name: base64.b64encode(pem).decode() for name, pem in (("key", key), ("certificate", certificate))}
    user = {"client-certificate-data": data["certificate"], "client-key-data": data["key"]}
    kubeconfig(user, **{"certificate-authority-data": data["certificate"]})
    assert [one["serialNumber"] for one in service.tls().get_ca_certs()] == ["2A"], "that authority, and no other"


def certified() -> tuple[bytes, bytes]:
    """A private key and a certificate that it has signed for itself, both PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(42)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(encoding, form, serialization.NoEncryption())
    return pem, certificate.public_bytes(encoding)


def test_a_kubeconfig_that_cannot_be_read_is_told_without_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kubeconfig").write_text(f"users: [{{token: {SECRET}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    found = check(declared.all_of_them()["kubernetes"], Subject(), time.monotonic() + 10)
    assert "KUBECONFIG has no kubeconfig" in found.problems[0].said
    assert SECRET not in repr(found)
