"""Starts the host: serves on a free loopback port, prints it, and ends when told to or when the engine is gone."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from concurrent import futures
from pathlib import Path

import grpc
from pulumi.runtime.proto.language_pb2_grpc import add_LanguageRuntimeServicer_to_server

from . import VERSION
from .host import LanguageHost
from .policy_pack import CHANNEL_OPTIONS
from .processes import Processes, end_own_group

_WORKERS = 16
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_FOR_ANSWERS = 2.0


def main() -> None:
    """The command line that the engine gives: options for tracing, which this host has no use for, and its address."""
    parser = argparse.ArgumentParser(
        prog="pulumi-language-python", description="Runs Pulumi programs in Python", allow_abbrev=False
    )
    parser.add_argument("--version", "-version", action="store_true", help="print the version and exit")
    for ignored in ("--tracing", "-v"):
        parser.add_argument(ignored, help=argparse.SUPPRESS)
    for ignored in ("--logflow", "--logtostderr"):
        parser.add_argument(ignored, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--executor", type=Path, required=True, help="the SDK's pulumi-language-python-exec")
    parser.add_argument("engine_address", nargs="?", default="")
    arguments = parser.parse_args()
    if arguments.version:
        sys.stdout.write(f"{VERSION}\n")
    else:
        serve(arguments.executor, arguments.engine_address)


def serve(executor: Path, engine_address: str) -> None:
    """Serves until SIGINT or SIGTERM, or until the process that started the host is gone."""
    engine = os.getppid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("grpc").addHandler(logging.NullHandler())
    logging.getLogger("grpc").propagate = False
    processes = Processes()
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=CHANNEL_OPTIONS)
    add_LanguageRuntimeServicer_to_server(LanguageHost(executor, engine_address, processes), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        while os.getppid() == engine:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    processes.cancel()
    if os.getppid() != engine:
        end_own_group()
    server.stop(_SECONDS_FOR_ANSWERS).wait()


if __name__ == "__main__":
    main()
