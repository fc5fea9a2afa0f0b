"""What happens to every request on its way to a platform: a fault, if a rule says so, and a line in the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import Failure, Faults, Hit, serve_broken
from sandbox.journal import Journal
from sandbox.official import Call

PULUMI = "pulumi"
"""What the journal and the faults call Pulumi Cloud and ESC."""


def platform_of(path: str) -> tuple[str, str]:
    """The platform that a path belongs to, and the path as the platform knows it."""
    name, slash, rest = path.removeprefix("/").partition("/")
    return (PULUMI, path) if name == "api" else (name, slash + rest or "/")


_READING = (".list", ".info", ".members", ".export")
"""How the names of those Slack methods end that only read: by its HTTP method, every call is a POST."""

_HTTP_METHODS = {"Create": "POST", "Read": "GET", "Update": "PATCH", "Delete": "DELETE"}
_STATUSES = {"ok": 200, "gone": 404, "refused": 400, "failed": 500}


def official_calls(journal: Journal) -> Callable[[Call], None]:
    """Journals the calls of the official packages' stand-in as the requests that they stand for."""

    def record(call: Call) -> None:
        journal.record(
            call.platform,
            _HTTP_METHODS.get(call.method, call.method),
            f"/{call.type}/{call.name}",
            status=_STATUSES[call.outcome],
            milliseconds=call.seconds * 1000,
        )

    return record


class Traffic:
    """ASGI middleware around the platforms. ``failures`` holds how each of them says no."""

    def __init__(self, app: ASGIApp, journal: Journal, faults: Faults, failures: Mapping[str, Failure]) -> None:
        self.app = app
        self.journal = journal
        self.faults = faults
        self.failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        platform, path = platform_of(scope.get("path", "/"))
        if scope["type"] != "http" or platform not in self.failures:
            await self.app(scope, receive, send)
            return
        hit = self.faults.take(platform, scope["method"], path)
        entry = _Entry(self.journal, platform, path, scope, hit)

        async def watched(message: Message) -> None:
            entry.watch(message)
            await send(message)

        try:
            with self._seen(hit, scope["method"], path):
                if hit is None:
                    await self.app(scope, receive, watched)
                else:
                    failure = self.failures[platform]
                    await serve_broken(hit, failure, self.app, scope, receive, watched, before_break=entry.broken)
        except Exception:
            entry.crashed()
            raise

    def _seen(self, hit: Hit | None, method: str, path: str) -> AbstractContextManager[None]:
        """How the request sees what others have made, or how others see what it makes."""
        if method in ("GET", "HEAD") or path.endswith(_READING):
            return self.faults.lateness.reading()
        if hit and hit.rule.is_late:
            return self.faults.lateness.writing(hit.rule.late, hit.rule.late_seconds)
        return nullcontext()


class _Entry:
    """A request's line in the journal, written once: before the client has the end of its answer, or sees that there
    is none, so that whoever has been answered finds it there."""

    def __init__(self, journal: Journal, platform: str, path: str, scope: Scope, hit: Hit | None) -> None:
        self.journal = journal
        self.platform = platform
        self.path = path
        self.scope = scope
        self.fault = hit.rule.label if hit else None
        self.started = time.perf_counter()
        self.status: int | None = None
        self.written = False

    def watch(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif not message.get("more_body"):
            self._write()

    def broken(self) -> None:
        self.status = None
        self._write()

    def crashed(self) -> None:
        self.status = self.status or 500
        self._write()

    def _write(self) -> None:
        if self.written:
            return
        self.written = True
        self.journal.record(
            self.platform,
            self.scope["method"],
            self.path,
            query=self.scope["query_string"].decode("latin-1"),
            status=self.status,
            milliseconds=(time.perf_counter() - self.started) * 1000,
            fault=self.fault,
        )
