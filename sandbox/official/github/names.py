"""GitHub's one organisation in the sandbox: its names, its plan, and the words in which it refuses.

What somebody may set of the organisation is one object of the type ``ORGANIZATION`` with the id ``OWNER`` (the control
API puts it there): ``plan`` (free, team, enterprise), ``secretProtection``, ``codeSecurity`` (whether they are paid for),
``members`` (logins; without it every login exists), ``twoFactorRequirementEnabled``, ``defaultRepositoryPermission``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, random_id, text
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown

OWNER = "sophia-sandbox"
API = "https://api.github.com"

ORGANIZATION = "github:account/organization:Organization"
REPOSITORY = "github:index/repository:Repository"
ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
TEAM = "github:index/team:Team"
ALERTS = "github:index/repositoryVulnerabilityAlerts:RepositoryVulnerabilityAlerts"

_DEFAULTS = {"plan": "enterprise", "secretProtection": True, "codeSecurity": True}
_ACCOUNT = Reference(ORGANIZATION, (OWNER,), f"GET {API}/orgs/{OWNER}: 404 Not Found", WhenGone.STAYS)

References = Callable[[Properties], Iterable[Reference]]
Refusals = Callable[[Draft], Iterable[str]]


def refused(method: str, path: str, status: int, said: str) -> str:
    """An error as GitHub's client library writes it, which the provider passes on."""
    return f"{method} {API}/{path}: {status} {said}"


def invalid(method: str, path: str, resource: str, field: str, said: str) -> str:
    """A 422 for one field."""
    problem = f"{{Resource:{resource} Field:{field} Code:custom Message:{said}}}"
    return refused(method, path, 422, f"Validation Failed [{problem}]")


def of_account(draft: Draft, member: str) -> Any:
    """What the organisation has; every kind whose references end with the account may ask."""
    return draft.referred[-1].get(member, _DEFAULTS.get(member))


def with_account(references: References) -> References:
    """``references``, and the organisation as the last."""

    def found(properties: Properties) -> Iterator[Reference]:
        yield from references(properties)
        yield _ACCOUNT

    return found


def no_references(_: Properties) -> tuple[()]:
    return ()


def no_refusals(_: Draft) -> tuple[()]:
    return ()


def repository_reference(name: str) -> Reference:
    return Reference(REPOSITORY, (name.lower(),), refused("GET", f"repos/{OWNER}/{name}", 404, "Not Found"))


def of_repository(properties: Properties) -> Iterator[Reference]:
    yield repository_reference(text(properties, "repository"))


def of_environment(properties: Properties) -> Iterator[Reference]:
    repository, environment = text(properties, "repository"), text(properties, "environment")
    yield repository_reference(repository)
    missing = refused("GET", f"repos/{OWNER}/{repository}/environments/{environment}", 404, "Not Found")
    yield Reference(ENVIRONMENT, (repository.lower(), environment), missing)


def team_reference(team: str, missing: str = "", when_gone: WhenGone = WhenGone.GOES_TOO) -> Reference:
    """``team``: its id or its slug, as the provider takes both."""
    said = missing or refused("GET", f"orgs/{OWNER}/teams/{team}", 404, "Not Found")
    return Reference(TEAM, (team.lower(),), said, when_gone)


def team_number(slug: str) -> str:
    """The id of the team that was made with this slug: teams and their members' lists have the same one."""
    return str(1_000_000 + zlib.crc32(slug.encode()) % 9_000_000)


def slug_of(name: str) -> str:
    return "-".join("".join(c if c.isalnum() or c in "_-" else " " for c in name.lower()).split())


def repository_id(properties: Properties, *names: str) -> str:
    """The provider's ids of what is in a repository: its parts with colons between them."""
    return ":".join(text(properties, name).replace(":", "??") for name in ("repository", *names))


def in_repository(references: References = of_repository, refusals: Refusals = no_refusals, **rules: Any) -> Kind:
    """Something in a repository: it goes with it, and an archived repository takes nothing."""

    def all_refusals(draft: Draft) -> Iterator[str]:
        if draft.parent.get("archived"):
            where = f"repos/{OWNER}/{text(draft.asked, 'repository')}"
            yield refused("PUT", where, 403, "Repository was archived so is read-only.")
        yield from refusals(draft)

    defaults: dict[str, Any] = {
        "identity": lambda properties: (text(properties, "repository").lower(),),
        "make_id": lambda properties: text(properties, "repository"),
        "duplicate": None,
    }
    return Kind(references=with_account(references), refusals=all_refusals, **{**defaults, **rules})


def private(repository: Properties) -> bool:
    return repository.get("visibility") != "public"


def upgrade(draft: Draft, path: str) -> Iterator[str]:
    """What private repositories of a free plan do not have."""
    if private(draft.parent) and of_account(draft, "plan") == "free":
        said = "Upgrade to GitHub Team or make this repository public to enable this feature."
        yield refused("POST", path, 403, said)


def one_of(properties: Properties, where: str, allowed: Iterable[str]) -> Iterator[Failure]:
    """A failure if there is a value at the dotted path ``where``, and it is none of the ``allowed``."""
    value = text(properties, *where.split("."))
    options = list(allowed)
    if value and not is_unknown(value) and value not in options:
        yield Failure(where, f"expected {where} to be one of {options}, got {value}")


def objects(value: Any) -> list[Properties]:
    """The objects in a list whose members may still be unknown."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(_: Properties) -> str:
    return str(int.from_bytes(random_id(4).encode()) % 900_000_000 + 100_000_000)


def organization_setting(**rules: Any) -> Kind:
    """A setting that an organisation has once."""
    defaults: dict[str, Any] = {
        "identity": lambda _: (OWNER,),
        "make_id": lambda _: OWNER,
        "duplicate": None,
        "references": with_account(no_references),
    }
    return Kind(**{**defaults, **rules})


def account() -> Kind:
    """The organisation itself: it is there from the start, and no resource type makes it."""
    return Kind(identity=_one, make_id=lambda _: OWNER, existing=frozenset({(OWNER,)}))


def _one(_: Properties) -> Identity:
    return (OWNER,)
