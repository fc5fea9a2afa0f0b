"""The sandbox's AWS account, the ARNs of what is in it, and errors in the words of AWS's SDK."""

from __future__ import annotations

import uuid

ACCOUNT, REGION = "123456789012", "us-west-2"


def arn_of(service: str, rest: str, region: str = "") -> str:
    """An ARN in the account; IAM has no regions."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


def api_error(service: str, operation: str, status: int, said: str) -> str:
    """An error as the official provider passes it on."""
    request = f"https response error StatusCode: {status}, RequestID: {uuid.uuid4()}"
    return f"operation error {service}: {operation}, {request}, {said}"


def bucket_missing(operation: str) -> str:
    return api_error("S3", operation, 404, "NoSuchBucket: The specified bucket does not exist")
