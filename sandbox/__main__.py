"""``python -m sandbox``: the sandbox in the foreground, until it is told to stop."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import uvicorn

from sandbox import official
from sandbox.faults import BreakableProtocol
from sandbox.host import LEASE_SECONDS, create_app
from sandbox.traffic import official_calls

EXIT_ALREADY_RUNNING = 3


@click.command()
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=".sandbox", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8900, show_default=True, help="0 is any free one.")
@click.option("--or-any-port", is_flag=True, help="Take any free port when that one is in use.")
@click.option(
    "--lease-seconds",
    type=click.FloatRange(min=0.1),
    default=LEASE_SECONDS,
    show_default=True,
    help="How long a stack stays locked by an engine that is gone.",
)
@click.option(
    "--journal/--no-journal",
    "journaling",
    default=True,
    show_default=True,
    help="Let engines say what each step changed, or have them send the whole state after each.",
)
def main(directory: Path, port: int, *, or_any_port: bool, lease_seconds: float, journaling: bool) -> None:
    """Serves every platform, Pulumi Cloud and ESC on 127.0.0.1, with all state in DIRECTORY."""
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    logging.basicConfig(
        filename=directory / "sandbox.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with _only_one(directory), _listener(port, or_any_port=or_any_port) as listener:
        _serve(directory, listener, lease_seconds=lease_seconds, journaling=journaling)


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Two processes on one directory would overwrite each other's state: the second one ends here."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            click.echo(f"a sandbox is already running in {directory}", err=True)
            sys.exit(EXIT_ALREADY_RUNNING)
        yield


@contextmanager
def _listener(port: int, *, or_any_port: bool) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            if not or_any_port:
                raise click.ClickException(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from error
            listener.bind(("127.0.0.1", 0))
        yield listener
    finally:
        listener.close()


def _serve(directory: Path, listener: socket.socket, *, lease_seconds: float, journaling: bool) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(directory, url=url, lease_seconds=lease_seconds, journaling=journaling)
    stand_ins = official.serve(app.state.database, official_calls(app.state.journal))
    server = _Server(
        uvicorn.Config(
            app,
            http=BreakableProtocol,
            log_config=None,
            access_log=False,
            # Longer than the idle time of the engine's and the providers' connections: one that the server closed
            # just as a request came would look like a fault.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=5,
        ),
        lambda: _announce(directory, {"url": url, "instance": app.state.instance, "official_port": stand_ins.port}),
    )
    app.state.stop = server.stop
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        logging.getLogger("sandbox").info("interrupted")
    finally:
        (directory / "sandbox.json").unlink(missing_ok=True)
        stand_ins.stop()
        app.state.database.close()


class _Server(uvicorn.Server):
    """Calls ``when_ready`` once it accepts connections, and can be told to stop from a request."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.when_ready = when_ready

    def stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.when_ready()


def _announce(directory: Path, facts: dict[str, object]) -> None:
    """Writes sandbox.json, whole or not at all, and the one line that this program prints."""
    draft = directory / "sandbox.json.new"
    draft.write_text(json.dumps({**facts, "pid": os.getpid(), "started": time.time()}, indent=2))
    draft.replace(directory / "sandbox.json")
    click.echo(f"sandbox ready at {facts['url']}")


if __name__ == "__main__":
    main()
