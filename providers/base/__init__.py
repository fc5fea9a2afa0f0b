"""The mechanism behind every dynamic resource: a platform is an ``Api``, a kind of object a ``Kind``, a resource both."""

from providers.base.api import Api, Json, trouble_of
from providers.base.auth import Bearer, ClientCredentials, Environment
from providers.base.calls import Call, Calls, Cursor, Listing, Offset, rest
from providers.base.errors import Trouble
from providers.base.inputs import Carried, Immutable, Inputs, Instant, Unordered, WriteOnly
from providers.base.kind import Kind, Out, Slow, Within
from providers.base.pace import Limit, Unpublished
from providers.base.resource import Resource, platform_provider

__all__ = [
    "Api",
    "Bearer",
    "Call",
    "Calls",
    "Carried",
    "ClientCredentials",
    "Cursor",
    "Environment",
    "Immutable",
    "Inputs",
    "Instant",
    "Json",
    "Kind",
    "Limit",
    "Listing",
    "Offset",
    "Out",
    "Resource",
    "Slow",
    "Trouble",
    "Unordered",
    "Unpublished",
    "Within",
    "WriteOnly",
    "platform_provider",
    "rest",
    "trouble_of",
]
