"""``python -m providers.survey``: what exists on the platforms that are managed by our dynamic providers, as JSON.

Runs where the stack's ESC environment is (``pulumi env run ORGANIZATION/sophia-ai/dev -- python -m providers.survey``);
``sophia`` does that. It changes nothing. With ``--wanted`` it reads from standard input which resources a plan would create,
and says of each whether it exists. Secrets are not in the answer: no platform shows them, and inputs are all that is told.
A platform that cannot be read is told in its ``error``; what could be read of it before is told as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from typing import Any

from providers.base.errors import PlatformError, ProviderError, Trouble, explain
from providers.base.matching import Match, Wanted, as_planned, match
from providers.base.resource import Resource
from providers.base.survey import Found, can_be_listed, is_platform, platforms, resources_of, survey, type_of

VERSION = 1
"""A new member may come at any time; a changed or removed one makes a new version."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine's plans spell a value that is not known before the run (plugin.UnknownStringValue in its SDK)."""

_SETTINGS_WRONG = 3
"""The exit code, as in every command of ``sophia``."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m providers.survey", description=__doc__)
    parser.add_argument("--platform", action="append", default=[], help="only this one; can be repeated")
    parser.add_argument("--wanted", action="store_true", help="read what is wanted from standard input, and match it")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.platform if not is_platform(name)]
    if unknown:
        json.dump({"error": _unknown(unknown[0])}, sys.stdout)
        return _SETTINGS_WRONG
    request = json.load(sys.stdin) if given.wanted else {}
    json.dump(document(given.platform or platforms(), request), sys.stdout, ensure_ascii=False)
    return 0


def document(names: Iterable[str], request: Mapping[str, Any]) -> dict[str, Any]:
    """The whole answer. ``request``: ``{"stack": "project/stack", "wanted": […], "known": {urn: id}}``, or empty."""
    told, found, unread = [], list[Found](), set[str]()
    names = list(names)
    with ThreadPoolExecutor(max_workers=max(len(names), 1)) as platforms_at_once:
        surveyed = list(platforms_at_once.map(_surveyed, names))
    for name, (objects, error) in zip(names, surveyed, strict=True):
        found += objects
        if error:
            unread.add(name)
        told.append(_platform(name, objects, error))
    types = {type_of(resource): resource for name in names for resource in resources_of(name)}
    wanted = [_wanted(one, types[one["type"]]) for one in request.get("wanted", ()) if one["type"] in types]
    readable = [one for one in wanted if one.resource.kind.api.name not in unread]
    matches = match(readable, found, request.get("known", {}), request.get("stack", ""))
    return {"version": VERSION, "platforms": told, "matches": [_match(one) for one in matches]}


def _unknown(name: str) -> dict[str, str]:
    near = get_close_matches(name, platforms(), n=1)
    return {
        "code": "settings",
        "what": f'the platform "{name}" cannot be surveyed',
        "said": f"those with providers of this project can: {', '.join(platforms())}",
        "setting": "option --platform",
        "do": f'did you mean "{near[0]}"?' if near else "leave the option out for all of them",
    }


def _surveyed(name: str) -> tuple[list[Found], ProviderError | None]:
    """What a platform has, and what went wrong before all of it was read."""
    resources, objects = resources_of(name), list[Found]()
    try:
        for one in survey(resources):
            objects.append(one)
    except PlatformError as error:
        return objects, _blamed(error, resources[0])
    return objects, None


def _blamed(error: PlatformError, resource: type[Resource]) -> ProviderError:
    api = resource.kind.api
    if error.trouble is Trouble.UNREACHABLE:
        where = f"{api.base_url.name}, which the stack's ESC environment sets"
    else:
        where = f"{error.variables or api.auth.variables} in the stack's ESC environment"
    return explain(error, f"{api.title} cannot be surveyed", where)


def _platform(name: str, objects: list[Found], error: ProviderError | None) -> dict[str, Any]:
    resources = resources_of(name)
    return {
        "name": name,
        "title": resources[0].kind.api.title,
        "error": error
        and {"what": error.what, "said": error.said, "setting": error.setting, "do": error.do, "marker": error.marker},
        "kinds": [_kind(resource) for resource in resources],
        "objects": [_object(one) for one in objects],
    }


def _kind(resource: type[Resource]) -> dict[str, Any]:
    kind = resource.kind
    return {
        "type": type_of(resource),
        "title": kind.title,
        "setting": kind.setting,
        "listed": can_be_listed(kind),
        "marked": kind.mark is not None,
        "natural_key": list(kind.natural_key),
        "within": kind.within.kind.title if kind.within else None,
    }


def _object(one: Found) -> dict[str, Any]:
    within = one.kind.within
    return {
        "type": type_of(one.resource),
        "kind": one.kind.title,
        "id": one.id,
        "key": one.key,
        "container": {"kind": within.kind.title, "id": one.container} if within else None,
        "owner": one.owner,
        "hidden": one.hidden,
        "made": one.made,
        "inputs": {name: value for name, value in one.inputs.items() if name not in one.kind.write_only},
    }


def _wanted(told: Mapping[str, Any], resource: type[Resource]) -> Wanted:
    """``{"urn", "type", "inputs", "sources": {input: [urn]}, "needs": [urn]}``, values as in the engine's plan."""
    inputs = {name: as_planned(value, UNKNOWN) for name, value in told["inputs"].items()}
    known = {name: value for name, value in inputs.items() if name in resource.kind.inputs.model_fields}
    sources = {name: tuple(urns) for name, urns in told.get("sources", {}).items()}
    return Wanted(told["urn"], resource, known, sources, tuple(told.get("needs", ())))


def _match(one: Match) -> dict[str, Any]:
    return {
        "urn": one.wanted.urn,
        "verdict": one.verdict,
        "id": one.found.id if one.found else None,
        "hidden": one.found.hidden if one.found else False,
        "differences": [{"path": d.path, "old": d.old, "new": d.new} for d in one.differences],
        "claims": list(one.claims),
        "unseen": list(one.unseen),
        "missing": list(one.missing),
        "reason": one.reason,
        "do": one.do,
    }


if __name__ == "__main__":
    sys.exit(main())
