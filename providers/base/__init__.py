"""The mechanism behind every dynamic resource: a platform is an ``Api``, a kind of object a ``Kind``, a resource both."""

from providers.base.api import Api, Json, trouble_of
from providers.base.auth import Anonymous, Basic, Bearer, Environment, Input, Query, TokenExchange
from providers.base.calls import KNOWN, Call, Calls, Cursor, Listing, Numbered, Offset, Pick, rest
from providers.base.errors import PlatformError, Trouble
from providers.base.inputs import Carried, Immutable, Inputs, Instant, Unordered, Unseen, WriteOnly
from providers.base.kind import Kind, Out, Slow, Within
from providers.base.pace import Limit, Unpublished
from providers.base.people import MustExist, StaysThere, asserted
from providers.base.resource import Resource, dynamic

__all__ = [
    "KNOWN",
    "Anonymous",
    "Api",
    "Basic",
    "Bearer",
    "Call",
    "Calls",
    "Carried",
    "Cursor",
    "Environment",
    "Immutable",
    "Input",
    "Inputs",
    "Instant",
    "Json",
    "Kind",
    "Limit",
    "Listing",
    "MustExist",
    "Numbered",
    "Offset",
    "Out",
    "Pick",
    "PlatformError",
    "Query",
    "Resource",
    "Slow",
    "StaysThere",
    "TokenExchange",
    "Trouble",
    "Unordered",
    "Unpublished",
    "Unseen",
    "Within",
    "WriteOnly",
    "asserted",
    "dynamic",
    "rest",
    "trouble_of",
]
