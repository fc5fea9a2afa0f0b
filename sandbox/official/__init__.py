"""A stand-in for the official Pulumi packages of Snowflake, Kubernetes, GitHub, Vercel and AWS.

The real engine and the real Python SDKs talk to it over gRPC (``PULUMI_DEBUG_PROVIDERS``). It checks inputs against the
packages' own types and keeps objects in the sandbox's store, by declarations of what each platform insists on.
"""

from sandbox.official.platforms import PLATFORMS
from sandbox.official.server import Call, OfficialServer, serve

__all__ = ["PLATFORMS", "Call", "OfficialServer", "serve"]
