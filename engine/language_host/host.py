# ruff: noqa: N802 - the methods have the protocol's names
"""The LanguageRuntime service: each call of the engine, answered with the parts beside this module."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeServicer
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from . import VERSION, packages, program
from .dependencies import install_dependencies
from .environment import python_environment
from .errors import HostError
from .plugin import RunningPlugin
from .processes import Processes, end_soon

_Answer = TypeVar("_Answer")


def _readable(
    method: Callable[[LanguageHost, Any, grpc.ServicerContext], _Answer],
) -> Callable[[LanguageHost, Any, grpc.ServicerContext], _Answer]:
    """Sends a HostError back as a gRPC error with its text, which the engine shows."""

    @wraps(method)
    def guarded(self: LanguageHost, request: Any, context: grpc.ServicerContext) -> _Answer:
        try:
            return method(self, request, context)
        except HostError as error:
            context.abort(error.status, str(error))

    return guarded


class LanguageHost(LanguageRuntimeServicer):
    """Answers the engine. `executor` is the SDK's pulumi-language-python-exec."""

    def __init__(self, executor: Path, engine_address: str, processes: Processes) -> None:
        self._executor = executor
        self._engine_address = engine_address
        self._processes = processes

    def Handshake(
        self, request: messages.LanguageHandshakeRequest, _context: grpc.ServicerContext
    ) -> messages.LanguageHandshakeResponse:
        """Learns the engine's address; an engine that attaches to a running host gives it only here."""
        self._engine_address = request.engine_address
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Empty, _context: grpc.ServicerContext) -> PluginInfo:
        """The version of this host."""
        return PluginInfo(version=VERSION)

    @_readable
    def GetRequiredPackages(
        self, request: messages.GetRequiredPackagesRequest, _context: grpc.ServicerContext
    ) -> messages.GetRequiredPackagesResponse:
        """The packages that the program's environment has plugins for, so that the engine can install them."""
        everything = packages.installed(python_environment(request.info))
        return messages.GetRequiredPackagesResponse(packages=packages.required_packages(everything))

    @_readable
    def GetProgramDependencies(
        self, request: messages.GetProgramDependenciesRequest, _context: grpc.ServicerContext
    ) -> messages.GetProgramDependenciesResponse:
        """Everything installed, or only what nothing else requires."""
        everything = packages.installed(python_environment(request.info))
        listed = everything if request.transitiveDependencies else packages.directly_wanted(everything)
        return messages.GetProgramDependenciesResponse(
            dependencies=[messages.DependencyInfo(name=one.name, version=one.version) for one in listed]
        )

    @_readable
    def About(self, request: messages.AboutRequest, _context: grpc.ServicerContext) -> messages.AboutResponse:
        """The interpreter and its version, for `pulumi about`."""
        python = python_environment(request.info).python
        try:
            answer = subprocess.run(  # noqa: S603 - the interpreter that the project names
                [python, "--version"], capture_output=True, text=True, timeout=30, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise HostError(f"{python} does not tell its version: {error}") from None
        return messages.AboutResponse(executable=str(python), version=answer.stdout.removeprefix("Python ").strip())

    @_readable
    def Run(self, request: messages.RunRequest, context: grpc.ServicerContext) -> messages.RunResponse:
        """Runs the program to its end; what it prints goes straight to the engine."""
        if request.attach_debugger:
            raise HostError("this Python language host has no debugger support; run without --attach-debugger")
        environment = python_environment(request.info)
        process = self._processes.start(
            program.command(request, self._engine_address, self._executor, environment),
            variables=program.variables(request, environment, os.environ),
        )
        context.add_callback(lambda: end_soon(process))
        return program.response(self._processes.wait(process), cancelled=self._processes.cancelled)

    def RunPlugin(
        self, request: messages.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.RunPluginResponse]:
        """Runs a policy pack or another plugin written in Python."""
        try:
            plugin = RunningPlugin(request, python_environment(request.info), self._processes, os.environ)
            context.add_callback(plugin.close)
            yield from plugin.messages()
        except HostError as error:
            context.abort(error.status, str(error))

    def InstallDependencies(
        self, request: messages.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.InstallDependenciesResponse]:
        """Installs a requirements.txt into the program's environment."""
        try:
            yield from install_dependencies(request.info, self._processes)
        except HostError as error:
            context.abort(error.status, str(error))

    def RuntimeOptionsPrompts(
        self, _request: messages.RuntimeOptionsRequest, _context: grpc.ServicerContext
    ) -> messages.RuntimeOptionsResponse:
        """Nothing to ask when a project is made."""
        return messages.RuntimeOptionsResponse()

    def Cancel(self, _request: Empty, _context: grpc.ServicerContext) -> Empty:
        """Ends the programs and plugins that run."""
        self._processes.cancel()
        return Empty()
