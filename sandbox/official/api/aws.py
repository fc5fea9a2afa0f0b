"""AWS's Security Token Service: who calls. Requests must be signed (Signature Version 4) with the sandbox's session.

Source: the IAM user guide, "Elements of an AWS API request signature", and the STS API reference.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote
from uuid import uuid4
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes
from sandbox.official.aws_names import ACCOUNT, REGION

ACCESS_KEY_ID = "ASIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "sandbox-secret-access-key-of-a-session"  # noqa: S105 - opens nothing but a sandbox on this machine
SESSION_TOKEN = "sandbox-session-token"  # noqa: S105 - the same

_ROLE, _SESSION = "sophia-ai-deploy", "sophia"
_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/{_ROLE}/{_SESSION}"
_USER_ID = f"AROAIOSFODNN7EXAMPLE:{_SESSION}"
_VERSION = "2011-06-15"
_CLOCKS_DIFFER_BY = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/"
    r"(?P<scope>\d{8}/(?P<region>[\w-]+)/(?P<service>\w+)/aws4_request), ?"
    r"SignedHeaders=(?P<headers>[\w;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def render(error: ApiError) -> Response:
    code = str(error.details.get("code", "InternalFailure"))
    kind = "Sender" if error.status < 500 else "Receiver"
    inside = f"<Type>{kind}</Type><Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"
    body = f"<Error>{inside}</Error><RequestId>{uuid4()}</RequestId>"
    return _xml(
        f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/{_VERSION}/">{body}</ErrorResponse>', error.status
    )


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="text/xml")


def _admit(call: Call) -> str:
    """The access key that has signed the request."""
    given = _AUTHORIZATION.fullmatch(call.request.headers.get("authorization", ""))
    if given is None:
        raise ApiError(403, "Request is missing Authentication Token", code="MissingAuthenticationToken")
    if given["key"] != ACCESS_KEY_ID or call.request.headers.get("x-amz-security-token") != SESSION_TOKEN:
        raise ApiError(403, "The security token included in the request is invalid.", code="InvalidClientTokenId")
    if (given["region"], given["service"]) != (REGION, "sts"):
        message = f"Credential should be scoped to a valid region and to the service sts, not {given['scope']}."
        raise ApiError(403, message, code="SignatureDoesNotMatch")
    _require_recent(call)
    if not hmac.compare_digest(_signature(call, given), given["signature"]):
        message = "The request signature we calculated does not match the signature you provided."
        raise ApiError(403, message, code="SignatureDoesNotMatch")
    return str(given["key"])


def _require_recent(call: Call) -> None:
    try:
        sent = datetime.strptime(call.request.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ApiError(400, "Date must be in ISO-8601 'basic format'", code="IncompleteSignature") from error
    if abs(datetime.now(UTC) - sent) > _CLOCKS_DIFFER_BY:
        raise ApiError(403, f"Signature expired: {sent:%Y%m%dT%H%M%SZ}", code="SignatureDoesNotMatch")


def _signature(call: Call, given: re.Match[str]) -> str:
    request = call.request
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query_params.multi_items()
    )
    canonical = "\n".join(
        (
            request.method,
            quote(request.scope["raw_path"], safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in given["headers"].split(";")),
            "",
            given["headers"],
            hashlib.sha256(call.payload).hexdigest(),
        )
    )
    stamp, digest = request.headers["x-amz-date"], hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, given["scope"], digest))
    key = f"AWS4{SECRET_ACCESS_KEY}".encode()
    for part in given["scope"].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


def _answer(call: Call) -> Response:
    """The one action that there is here, in XML, or in JSON to whom asks for that."""
    sent = {name: values[0] for name, values in parse_qs(call.payload.decode("ascii", "replace")).items()}
    if sent.get("Version") != _VERSION or sent.get("Action") != "GetCallerIdentity":
        message = f"Could not find operation {sent.get('Action')} for version {sent.get('Version')}"
        raise ApiError(400, message, code="InvalidAction")
    identity = {"Arn": _ARN, "UserId": _USER_ID, "Account": ACCOUNT}
    if "json" in call.request.headers.get("accept", ""):
        metadata = {"RequestId": str(uuid4())}
        result = {"GetCallerIdentityResult": identity, "ResponseMetadata": metadata}
        return JSONResponse({"GetCallerIdentityResponse": result})
    members = "".join(f"<{name}>{value}</{name}>" for name, value in identity.items())
    shown = f"<GetCallerIdentityResult>{members}</GetCallerIdentityResult>"
    body = f"{shown}<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>"
    namespace = f"https://sts.amazonaws.com/doc/{_VERSION}/"
    return _xml(f'<GetCallerIdentityResponse xmlns="{namespace}">{body}</GetCallerIdentityResponse>')


_routes = Routes("aws", _admit, render)

ROUTES = [_routes("/", POST=_answer)]
