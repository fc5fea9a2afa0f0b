"""Values that are known to be wrong: accounts that broke production once, and parts of a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from sophia.esc.evaluation import Evaluated, StackFile
from sophia.esc.findings import Finding, Spot, finding
from sophia.esc.leaves import configured, worked_out, written

RIGHT_ACCOUNT = "ZNB04675"
_WRONG_ACCOUNT = re.compile(
    r"(?<![A-Za-z0-9])(?:scoobyjava[-._/]?vw02766|uhdecno[-._/]?cvb64222|vw02766|cvb64222)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""Leftovers of an older set-up that answer 404. Their last parts are enough: Snowflake names accounts by them as well."""

_GPU = re.compile(r"(?:^|[._/-])n?gpus?(?:[._-](?:count|requests?|limits?|quota|number))?$", re.IGNORECASE)
_QUANTITY = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?P<thousandths>m)?")


def wrong_values(
    evaluated: Evaluated, environ: Mapping[str, str], others: Sequence[StackFile] = ()
) -> Iterator[Finding]:
    """One finding a place. ``environ``: the process's own variables, which reach the program too. ``others``: further
    files of settings.
    """
    told = set[tuple[str, int, str]]()
    for found in _all(evaluated, environ, others):
        if (found.file, found.line, found.what) not in told:
            told.add((found.file, found.line, found.what))
            yield found


def _all(evaluated: Evaluated, environ: Mapping[str, str], others: Sequence[StackFile]) -> Iterator[Finding]:
    leaves = chain(
        *(written(definition) for definition in evaluated.environments.definitions.values()),
        *(configured(file) for file in (*evaluated.stacks, *others)),
        worked_out(evaluated),
    )
    for leaf in leaves:
        yield from _account(leaf.text, leaf.spot)
        yield from _gpu(leaf.name, leaf.text.strip(), leaf.spot)
    for name, value in sorted(environ.items()):
        if name.startswith("SNOWFLAKE_"):
            yield from _account(value, Spot(f"environment variable {name}"))


def _gpu(name: str, text: str, spot: Spot) -> Iterator[Finding]:
    quantity = _QUANTITY.fullmatch(text)
    if quantity is None or not _GPU.search(name):
        return
    if not (float(quantity["number"]) / (1000 if quantity["thousandths"] else 1)).is_integer():
        yield finding(
            "wrong-value",
            spot,
            f"{spot.file} asks for a part of a GPU",
            said=f"{name} is {text}: Kubernetes knows whole GPUs only",
            do="ask for 1, and let NVIDIA's device plugin share a GPU by time-slicing (4 replicas for a quarter)",
        )


def _account(text: str, spot: Spot) -> Iterator[Finding]:
    found = _WRONG_ACCOUNT.search(text)
    if found:
        yield finding(
            "wrong-value",
            spot,
            f"{spot.file} names a Snowflake account that is known to be wrong",
            said=f"{found.group()} is a leftover that answers 404 and once broke production",
            do=f"use {RIGHT_ACCOUNT}",
        )
