"""A project's settings in the words of the official package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    import pulumiverse_vercel as vercel

    from components.vercel.settings import ProjectSettings, ProtectionSettings


def arguments(settings: ProjectSettings, password: pulumi.Input[str] | None) -> dict[str, Any]:
    """The arguments of the package's project, without its name; what is not said is left to Vercel.

    Pull requests from forks wait for a member in any case: a stranger's would be built with the project's variables.
    """
    said = {
        "framework": settings.framework,
        "node_version": settings.node_version,
        "root_directory": settings.root_directory,
        "install_command": settings.install_command,
        "build_command": settings.build_command,
        "output_directory": settings.output_directory,
        "ignore_command": settings.ignore_command,
        "build_machine_type": settings.build_machine,
        "skew_protection": settings.skew_protection,
        "git_repository": _repository(settings),
        "git_provider_options": _git_options(settings),
        "resource_config": _functions(settings),
        "git_fork_protection": True,
        **_protection(settings.protection, password),
    }
    return {name: value for name, value in said.items() if value is not None}


def _repository(settings: ProjectSettings) -> vercel.ProjectGitRepositoryArgsDict | None:
    if settings.git is None:
        return None
    return {
        "type": "github",
        "repo": settings.git.repository,
        "production_branch": settings.git.production_branch,
    }


def _git_options(settings: ProjectSettings) -> vercel.ProjectGitProviderOptionsArgsDict | None:
    if settings.git is None or settings.git.verified_commits is None:
        return None
    return {"require_verified_commits": settings.git.verified_commits}


def _functions(settings: ProjectSettings) -> vercel.ProjectResourceConfigArgsDict | None:
    if settings.functions is None:
        return None
    said: vercel.ProjectResourceConfigArgsDict = {"function_default_regions": list(settings.functions.regions)}
    if settings.functions.cpu is not None:
        said["function_default_cpu_type"] = settings.functions.cpu
    if settings.functions.timeout_seconds is not None:
        said["function_default_timeout"] = settings.functions.timeout_seconds
    return said


def _protection(settings: ProtectionSettings, password: pulumi.Input[str] | None) -> dict[str, Any]:
    said: dict[str, Any] = {"vercel_authentication": {"deployment_type": settings.authentication}}
    if settings.password is not None:
        said["password_protection"] = {"password": password, "deployment_type": settings.password.deployments}
    if settings.trusted_ips is not None:
        addresses = [{"value": address, "note": note} for address, note in settings.trusted_ips.addresses.items()]
        said["trusted_ips"] = {"addresses": addresses, "deployment_type": settings.trusted_ips.deployments}
    return said
