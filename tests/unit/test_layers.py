"""No layer is forgotten: what a platform needs is there in every one of them, under the platform's name."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import pulumi
import pytest
import yaml

from components.estate import Estate
from components.settings import Settings
from health import declared
from providers.base import Resource
from providers.base.survey import resources_of, type_of
from sandbox import official
from sandbox.platforms import EMULATORS, all_platforms

REPOSITORY = Path(__file__).parents[2]
PLATFORMS = sorted(Estate.model_fields)
OFFICIAL = {platform.name for platform in official.PLATFORMS}
BOTH = {"vercel"}
"""Platforms with an official package whose gaps a provider of ours fills."""
UPON = {
    "competitors": "snowflake",
    "dashboard": "snowflake",
    "incidents": "n8n",
    "monitoring": "kubernetes",
    "nmhc": "snowflake",
}
"""Platforms that are objects of another one: it has the package or provider, the emulator and the credentials."""
RECORDED = {"usergems"}
"""Platforms of which no object is confirmed that an API manages: neither provider nor emulator, and nobody can ask them."""
T = TypeVar("T")

STAGES = ("dev", "staging", "prod")
LONGEST_MODULE = 400


def members(module: str, base: type[T]) -> list[type[T]]:
    """The classes that a module defines on top of ``base``."""
    loaded = import_module(module)
    return [c for c in vars(loaded).values() if isinstance(c, type) and issubclass(c, base) and c.__module__ == module]


def stack_file(stage: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())
    return document


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_is_in_every_layer(platform: str) -> None:
    (component,) = members(f"components.{platform}", pulumi.ComponentResource)
    assert component.__name__.lower() == platform.replace("_", "")
    field = Estate.of([platform]).model_fields[platform]
    (settings,) = [
        t for t in getattr(field.annotation, "__args__", ()) if isinstance(t, type) and issubclass(t, Settings)
    ]
    assert settings.asked is (platform not in RECORDED), "monitoring misses what nobody tells of, if it can be told"
    if platform in BOTH:
        assert platform in OFFICIAL
        assert {resource.kind.api.name for resource in members(f"providers.{platform}", Resource)} == {platform}
    elif platform in OFFICIAL:
        assert not (REPOSITORY / "providers" / f"{platform}.py").exists(), "official packages need no provider of ours"
    elif platform in RECORDED:
        assert not (REPOSITORY / "providers" / f"{platform}.py").exists(), "nothing is confirmed that it could manage"
        assert platform not in {emulator.name for emulator in EMULATORS}, "nor imitate"
    elif platform in UPON:
        assert UPON[platform] in OFFICIAL | {emulator.name for emulator in EMULATORS}
    else:
        resources = members(f"providers.{platform}", Resource)
        assert resources, "a platform without an official package has dynamic resources"
        assert {resource.kind.api.name for resource in resources} == {platform}
        assert platform in {emulator.name for emulator in EMULATORS}
    assert (REPOSITORY / "tests" / "unit" / f"test_{platform}.py").is_file()
    assert f"if settings.{platform}:" in (REPOSITORY / "__main__.py").read_text()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_is_rehearsed_in_every_stage(platform: str) -> None:
    for stage in STAGES:
        assert stack_file(stage)["config"].get(f"sophia-ai:{platform}"), f"Pulumi.{stage}.yaml has no {platform}"


@pytest.mark.parametrize("platform", all_platforms(), ids=lambda platform: platform.name)
def test_the_sandbox_says_what_of_a_platform_it_simulates(platform: Any) -> None:
    assert platform.simulated
    assert platform.credentials
    assert platform.secret <= platform.credentials.keys()


def test_a_stack_loads_the_platforms_that_it_has_and_no_others() -> None:
    program = "from components.estate import Estate; Estate.of(['slack']); import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    packages = {name.split(".")[1] for name in loaded.stdout.split() if name.startswith("components.")}
    assert packages & set(PLATFORMS) == {"slack"}


def test_a_provider_is_of_a_platform_of_the_estate() -> None:
    apis = {
        path.stem
        for path in (REPOSITORY / "providers").glob("*.py")
        if path.stem != "__init__" and members(f"providers.{path.stem}", Resource)
    }
    assert apis == set(PLATFORMS) - (OFFICIAL - BOTH) - UPON.keys() - RECORDED


def environment(name: str) -> dict[str, str]:
    """The ``environmentVariables`` of an ESC environment in git."""
    document = yaml.safe_load((REPOSITORY / "esc" / f"{name}.yaml").read_text())
    variables: dict[str, str] = document["values"]["environmentVariables"]
    return variables


def required() -> set[str]:
    """What credentials-<stage> must contain."""
    return set(yaml.safe_load((REPOSITORY / "esc" / "credentials.required.yaml").read_text()))


def test_the_sandbox_gives_the_credentials_that_git_asks_for() -> None:
    given = {name for platform in all_platforms() for name in platform.credentials}
    assert given - environment("base").keys() == required()
    assert not required() & environment("base").keys(), "what is secret does not stand in base"


def read_by_modules(layer: str) -> Iterator[tuple[str, str]]:
    """Every environment variable that a layer's modules read by its name, with the module."""
    for path in sorted((REPOSITORY / layer).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                function = ast.unparse(node.func)
                if function in ("Environment", "base.Environment", "os.environ.get", "os.getenv"):
                    yield str(node.args[0].value), f"{layer}/{path.name}"


def named_in_settings(value: Any) -> Iterator[str]:
    """Every variable that a stack file names as the source of a secret (``environment: NAME``)."""
    if isinstance(value, dict):
        if isinstance(value.get("environment"), str):
            yield value["environment"]
        for item in value.values():
            yield from named_in_settings(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_in_settings(item)


def test_every_variable_that_is_read_is_set_by_an_environment() -> None:
    read = dict(read_by_modules("providers")) | dict(read_by_modules("components")) | dict(read_by_modules("health"))
    assert {"AIRBYTE_SERVER_URL", "OPENROUTER_MANAGEMENT_KEY", "SLACK_BOT_TOKEN"} <= read.keys()
    for stage in STAGES:
        read |= dict.fromkeys(named_in_settings(stack_file(stage)["config"]), f"Pulumi.{stage}.yaml")
    known = environment("base").keys() | required()
    own = {name for name in read if name.startswith("SOPHIA_")}
    assert {name: where for name, where in read.items() if name not in known | own} == {}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_base_and_its_own_credentials_only(stage: str) -> None:
    document = yaml.safe_load((REPOSITORY / "esc" / f"{stage}.yaml").read_text())
    assert document["imports"] == ["sophia-ai/base", f"sophia-ai/credentials-{stage}"]
    assert stack_file(stage)["environment"] == [f"sophia-ai/{stage}"]


def test_modules_of_the_product_stay_short_enough_to_be_read() -> None:
    layers = ("benchmarks", "components", "engine", "esc", "health", "policies", "providers", "sandbox", "sophia")
    modules = [REPOSITORY / "__main__.py", *(p for layer in layers for p in (REPOSITORY / layer).rglob("*.py"))]
    lengths = {str(p.relative_to(REPOSITORY)): len(p.read_text().splitlines()) for p in modules}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_says_how_it_is_asked_for_its_health(platform: str) -> None:
    health = declared.all_of_them().get(platform)
    assert health, f"health/{platform}.py is missing: which request shows that {platform} is well?"
    if platform in RECORDED:
        assert health.unasked, "it is told why nobody can ask it"
        assert health.service is None
        assert health.credentials
        return
    assert health.service, "a platform of the estate can be asked"
    assert not health.unasked
    assert any(probe.credentials for probe in health.probes), "and a credential is shown to it"
    proved = {name for probe in health.probes for name in probe.credentials}
    assert {credential.variable for credential in health.credentials} <= proved, (
        "of every credential it is known if it works"
    )


def test_every_credential_is_declared_by_one_platform() -> None:
    """Who can rotate it, how, and whether it is a secret at all."""
    everything = declared.all_of_them().values()
    secrets = [credential.variable for health in everything for credential in health.credentials]
    identifiers = [name for health in everything for name in health.identifiers]
    assert len({*secrets, *identifiers}) == len(secrets) + len(identifiers)
    assert {*secrets, *identifiers} - {"PULUMI_ACCESS_TOKEN"} == required()
    assert all(credential.rotation for health in everything for credential in health.credentials)


def test_every_secret_that_the_program_mints_is_declared() -> None:
    """A kind of object whose platform shows a value only once has made a credential."""
    minted = {mint.type for health in declared.all_of_them().values() for mint in health.minted}
    kinds = [
        resource
        for platform in set(PLATFORMS) - (OFFICIAL - BOTH) - UPON.keys() - RECORDED
        for resource in resources_of(platform)
    ]
    assert {type_of(one) for one in kinds if any(out.once for out in one.kind.outputs)} <= minted
