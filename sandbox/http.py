"""What the HTTP emulators share: reading a request, refusing it in the platform's own shape, cutting lists into pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.platform import store_of
from sandbox.store import Document, Store

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class ApiError(Exception):
    """A request that the platform turns down: raised anywhere under a handler, rendered in the platform's own shape.

    ``details`` are the members that this kind of error has besides.
    """

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


class Body(BaseModel):
    """A request's body. JSON types are not coerced ("5" is no number); members that are not declared are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    def sent(self) -> Document:
        """The members that the client sent, as JSON, under their names on the wire; those left out are absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


@dataclass
class Call:
    """One request to an emulator, and the objects it is about."""

    request: Request
    store: Store
    payload: bytes
    caller: str = ""
    """Who calls, as the platform's ``admit`` said."""

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def number(self, name: str, default: int, lowest: int, highest: int | None = None) -> int:
        """A whole number in the query; an error (400) that names it where it is none or out of bounds."""
        text = self.query(name)
        if text is None:
            return default
        bounds = f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"
        if not text.isdecimal() or int(text) < lowest or (highest is not None and int(text) > highest):
            raise ApiError(400, f"{name}: a whole number {bounds} is expected")
        return int(text)

    def flag(self, name: str) -> bool:
        return (self.query(name) or "").lower() in ("true", "1")

    def many(self, name: str) -> list[str]:
        """The values of a list in the query, whether repeated or joined by commas."""
        return [item for text in self.request.query_params.getlist(name) for item in text.split(",") if item]

    def bearer(self) -> str:
        """The token of the Authorization header; empty where there is none."""
        scheme, _, token = self.request.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def body(self, model: type[M]) -> M:
        """The JSON body; an error (400) that names every member that is missing or wrong."""
        try:
            return model.model_validate_json(self.payload)
        except ValidationError as error:
            raise ApiError(400, "; ".join(_wrong(item["loc"], item["msg"]) for item in error.errors())) from error


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Routes:
    """Makes the routes of one platform, for example ``routes("/things/{id}", GET=read_thing, DELETE=delete_thing)``.

    Every handler runs in one transaction, so that a refused request leaves nothing behind. ``admit`` says who calls
    (or refuses); ``render`` makes an error look as the platform's do.
    """

    platform: str
    admit: Callable[[Call], str]
    render: Callable[[ApiError], Response]

    def __call__(self, path: str, *, public: bool = False, **handlers: Handler) -> Route:
        return Route(path, self._endpoint(handlers, public=public), methods=list(handlers))

    def _endpoint(self, handlers: dict[str, Handler], *, public: bool) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            call = Call(request, store_of(request, self.platform), await request.body())
            # Starlette answers HEAD wherever there is a GET.
            handler = handlers["GET" if request.method == "HEAD" else request.method]
            try:
                with call.store.transaction():
                    if not public:
                        call.caller = self.admit(call)
                    return handler(call)
            except ApiError as error:
                return self.render(error)

        return endpoint


def answer(document: Any, status: int = 200) -> Response:
    return JSONResponse(document, status)


def cut(items: Sequence[T], limit: int, offset: int) -> list[T]:
    """One page of a list."""
    return list(items[offset : offset + limit])


def merged(document: Document, changes: Document) -> Document:
    """The document with the changes in it, at every depth of nested objects; lists are replaced."""
    result = dict(document)
    for name, value in changes.items():
        kept = result.get(name)
        result[name] = merged(kept, value) if isinstance(kept, dict) and isinstance(value, dict) else value
    return result


def digest(secret: str) -> str:
    """What an emulator keeps of a secret that it handed out: enough to know it again, and no more."""
    return hashlib.sha256(secret.encode()).hexdigest()


def document_of(payload: bytes) -> Any:
    """A JSON text; ``None`` where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _wrong(location: tuple[int | str, ...], message: str) -> str:
    """One mistake with its path, for example ``schedule.scheduleType: Input should be 'manual' or 'cron'``."""
    path = ".".join(str(part) for part in location)
    return f"{path}: {message}" if path else message
