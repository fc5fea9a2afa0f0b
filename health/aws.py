"""AWS: who the credentials are, and whether they are of the account that the stack is meant for.

The Security Token Service answers everybody's own question, whatever else they may do. Source of facts: the STS API
reference (GetCallerIdentity), the IAM user guide (prefixes of access key ids).
"""

from __future__ import annotations

import re
import time

import httpx

from health.aws_signature import Signature
from health.base import Answer, Credential, Health, Known, Probe, Problem, Reading, Service, moment, variable
from providers.base import Environment, Trouble, trouble_of

SECRET, TOKEN = "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_ACCOUNT = Environment("AWS_ACCOUNT_ID")
_ADDRESS = Environment("AWS_ENDPOINT_URL_STS")
_AUTH = Signature("sts")
_SETTING = "sophia-ai:aws"
_CODE, _MESSAGE = re.compile(r"<Code>(.*?)</Code>"), re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
_REFUSED = {"InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch", "MissingAuthenticationToken"}
"""All of these are a 403, and mean the credential and not a permission."""
_BUSY = {"Throttling", "RequestLimitExceeded"}


def _code(response: httpx.Response) -> str:
    """AWS's own name of an error, which is in XML or JSON; "" of what another server on the way has said."""
    if "json" in response.headers.get("content-type", ""):
        error = response.json().get("Error")
        return str(error["Code"]) if error else ""
    found = _CODE.search(response.text)
    return found[1] if found else ""


def _said(response: httpx.Response) -> str:
    if "json" in response.headers.get("content-type", ""):
        error = response.json()["Error"]
        return f"{error['Code']}: {error['Message']}"
    message = _MESSAGE.search(response.text)
    return f"{_code(response)}: {message[1]}" if message else response.reason_phrase


def _trouble(response: httpx.Response) -> Trouble | None:
    if not response.is_error:
        return None
    code = _code(response)
    if code in _BUSY or response.status_code == 429:
        return Trouble.BUSY
    return Trouble.CREDENTIALS if code in _REFUSED else trouble_of(response.status_code)


def _identity(answer: Answer) -> Reading:
    """Whose credentials these are; anything but a session of a role can be used by whoever finds it, for years."""
    who = answer.document["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
    problems = []
    for named, setting in (
        (variable(_ACCOUNT.name), f"{_ACCOUNT.name} in the stack's ESC environment"),
        (str(answer.subject.settings.get("account") or who["Account"]), f"{_SETTING}.account"),
    ):
        if named != who["Account"]:
            said = f"the credentials are of the account {who['Account']}, not {named or 'one that is named'}"
            problems.append(Problem(said, "deploy nothing; correct the one that is wrong", setting))
    session = ":assumed-role/" in who["Arn"]
    if not session:
        said = f"{who['Arn']} is no session of a role: its access key works until somebody deletes it"
        do = "let ESC log in with fn::open::aws-login (docs/aws.md), and delete the access key"
        problems.append(Problem(said, do, "AWS_ACCESS_KEY_ID in the stack's ESC environment", "degraded"))
    # ESC logs in whenever the environment is opened, so that a session is as old as this very run.
    made = moment(time.time()) if session else None
    return Reading(tuple(problems), known={name: Known(True, made=made) for name in (SECRET, TOKEN)})


HEALTH = Health(
    platform="aws",
    title="AWS",
    service=Service(
        address=lambda _: _ADDRESS.value(),
        auth=lambda _: _AUTH,
        setting=_ADDRESS.name,
        said=_said,
        trouble=_trouble,
        headers={"Accept": "application/json"},
        form=True,
        status_page="https://health.aws.amazon.com/health/status",
        secrets=_AUTH.secrets,
    ),
    probes=(
        Probe(
            "identity and account",
            "/",
            "POST",
            body=lambda _: {"Action": "GetCallerIdentity", "Version": "2011-06-15"},
            credentials=(SECRET, TOKEN),
            read=_identity,
        ),
    ),
    credentials=(
        Credential(
            SECRET, "ESC makes a new session whenever the environment is opened (fn::open::aws-login)", by_api=True
        ),
        Credential(TOKEN, "with its secret access key", by_api=True),
    ),
    identifiers=("AWS_ACCESS_KEY_ID", _ACCOUNT.name),
)
