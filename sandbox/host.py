"""The sandbox as one web application: the platforms, Pulumi Cloud with ESC, and the control API."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import control_api
from sandbox.faults import Failure, Faults
from sandbox.journal import Journal
from sandbox.platform import Platform
from sandbox.platforms import all_platforms
from sandbox.pulumi_cloud import account, calls, environments, outputs, stacks, tables, updates
from sandbox.pulumi_cloud import secrets as stack_secrets
from sandbox.pulumi_cloud.vault import Vault, owner_only_file
from sandbox.receiver import Receiver
from sandbox.store import Database, Store
from sandbox.traffic import PULUMI, Traffic, platform_of

STAGES = ("dev", "staging", "prod")
ESC_PROJECT = "sophia-ai"
LEASE_SECONDS = 300.0
"""How long an engine holds its stack without renewing, as in Pulumi Cloud."""


def create_app(
    directory: Path,
    *,
    url: str = "http://127.0.0.1:8900",
    lease_seconds: float = LEASE_SECONDS,
    journaling: bool = True,
) -> Starlette:
    """The sandbox whose state is in ``directory``, as it is reached under ``url``.

    ``journaling``: engines that are able to say what each step changed do so, instead of sending the whole state.

    ``app.state`` has: ``database``, ``stores`` (a platform's name -> its Store), ``vault``, ``access_token``,
    ``journal``, ``faults``, ``receiver``, ``platforms``, ``instance`` (another one each time) and ``reset``.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(directory / "sandbox.db")
    (directory / "sandbox.db").chmod(0o600)
    vault = Vault(directory / "vault.key")
    access_token = owner_only_file(directory / "access-token", f"pul-{secrets.token_hex(20)}".encode()).decode()
    journal, faults, platforms = Journal(database), Faults(), all_platforms()
    tables.prepare(database)
    environments.prepare(database)

    failures: dict[str, Failure] = {platform.name: platform.failure for platform in platforms}
    failures[PULUMI] = calls.failure
    app = Starlette(
        routes=[
            Mount("/_sandbox", app=control_api.application(access_token)),
            Mount("/api", app=_pulumi_cloud(access_token)),
            *(Mount(f"/{p.name}", app=_closed(Router(p.routes), p.failure)) for p in platforms if p.routes),
        ],
        middleware=[Middleware(Traffic, journal=journal, faults=faults, failures=failures)],
        exception_handlers={
            calls.ApiError: calls.render_error,
            HTTPException: _renderer(failures),
            Exception: _renderer(failures),
        },
    )
    app.state.database = database
    app.state.stores = _stores(database)
    app.state.vault = vault
    app.state.access_token = access_token
    app.state.journal = journal
    app.state.faults = faults
    app.state.receiver = Receiver(url)
    app.state.platforms = platforms
    app.state.url = url
    app.state.instance = secrets.token_hex(8)
    app.state.lease_seconds = lease_seconds
    app.state.journaling = journaling
    app.state.stack_outputs = outputs.reader(database, vault)
    app.state.reset = lambda platform=None: _reset(app, platform)
    _write_credentials(app)
    return app


def _pulumi_cloud(access_token: str) -> ASGIApp:
    routes = [*account.ROUTES, *stacks.ROUTES, *stack_secrets.ROUTES, *updates.ROUTES, *environments.routes()]
    router = Router(routes, redirect_slashes=False, default=_not_found(calls.failure))
    return calls.Authentication(router, access_token)


def _closed(router: Router, failure: Failure) -> Router:
    router.default = _not_found(failure)
    return router


def _not_found(failure: Failure) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        text = f"Not Found: the sandbox does not have {scope['method']} {scope['path']}"
        await failure(404, text)(scope, receive, send)

    return answer


def _renderer(failures: Mapping[str, Failure]) -> Callable[[Request, Exception], Response]:
    """Errors that no handler rendered, in the shape of the platform that was asked."""

    def render(request: Request, error: Exception) -> Response:
        status, text = 500, f"the sandbox failed: {type(error).__name__}; its log says where"
        if isinstance(error, HTTPException):
            status, text = error.status_code, error.detail
        failure = failures.get(platform_of(request.url.path)[0])
        return failure(status, text) if failure else JSONResponse({"error": text}, status)

    return render


def _stores(database: Database) -> Callable[[str], Store]:
    def store(platform: str) -> Store:
        return Store(database, platform)

    return store


def _write_credentials(app: Starlette) -> None:
    """Each stage's ESC environment ``credentials-<stage>``: how to reach this sandbox's platforms.

    They are written at every start: the address may be another one than last time. What has not changed makes no new
    revision.
    """
    state = app.state
    for stage in STAGES:
        text = credentials_yaml(state.platforms, state.url, stage)
        environments.write_environment(
            state.database, state.vault, account.ORGANIZATION, ESC_PROJECT, f"credentials-{stage}", text
        )


def credentials_yaml(platforms: Sequence[Platform], url: str, stage: str) -> str:
    """The ESC definition that sets every platform's credentials, with the secret ones as ``fn::secret``."""
    values: dict[str, dict[str, object]] = {"environmentVariables": {}, "files": {}}
    for platform in platforms:
        for name, template in platform.credentials.items():
            text = template.replace("{url}", f"{url}/{platform.name}").replace("{stage}", stage)
            section = values["files" if name in platform.files else "environmentVariables"]
            # ESC reads $ as the start of an interpolation, and $$ as the character; a secret is taken as it stands.
            section[name] = {"fn::secret": text} if name in platform.secret else text.replace("$", "$$")
    return yaml.safe_dump({"values": {key: section for key, section in values.items() if section}}, sort_keys=True)


def _reset(app: Starlette, platform: str | None) -> None:
    """Forgets the objects of one platform, or everything: also stacks, environments, the journal and the faults."""
    state = app.state
    with state.database.transaction() as connection:
        if platform is None:
            connection.execute("DELETE FROM objects")
        else:
            connection.execute("DELETE FROM objects WHERE platform = ?", (platform,))
        if platform in (None, PULUMI):
            tables.clear(state.database)
            environments.clear(state.database)
            _write_credentials(app)
        if platform is None:
            state.journal.clear()
            state.faults.remove()
            state.receiver.clear()
            state.receiver.restore()
