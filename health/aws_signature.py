"""Signature Version 4, with which AWS wants requests to be signed.

The libraries that sign are AWS's own SDK, which is larger than all of this program, and small ones that nobody keeps. A test
compares the signatures with the SDK's. Source: the IAM user guide, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from health.base import variable
from providers.base import Environment

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class Signature(httpx.Auth):
    """Signs with the credentials in AWS's own environment variables; a session's token goes with the request."""

    service: str
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Raises PlatformError where a variable is not set."""
        key, secret = Environment("AWS_ACCESS_KEY_ID").value(), Environment("AWS_SECRET_ACCESS_KEY").value()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{Environment('AWS_REGION').value()}/{self.service}/aws4_request"
        signed = {"host": request.headers["host"], "x-amz-date": moment}
        if token := variable("AWS_SESSION_TOKEN"):
            signed["x-amz-security-token"] = token
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            (
                request.method,
                # Encoded once more than it is sent, as every service but S3 has it.
                quote(request.url.raw_path.partition(b"?")[0], safe="/-_.~"),
                _query(request.url),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                hashlib.sha256(request.content).hexdigest(),
            )
        )
        to_sign = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        signature = hmac.new(_signing_key(secret, scope), to_sign.encode(), hashlib.sha256).hexdigest()
        request.headers.update({name: value for name, value in signed.items() if name != "host"})
        request.headers["Authorization"] = (
            f"{_ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        yield request

    def secrets(self) -> list[str]:
        """What must never be seen in what is told."""
        return [variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")]


def _query(url: httpx.URL) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in url.params.multi_items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _signing_key(secret: str, scope: str) -> bytes:
    """A key for a day, a region and a service, made of the secret one."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
