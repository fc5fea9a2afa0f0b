"""The chosen models against a list of what is offered: gone, too dear, unable, about to go; and what would do for less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from health.models import Task, alternatives, offers_of, problems, retention_problems, tasks_of
from health.openrouter import HEALTH
from sandbox.openrouter.catalogue import MODELS
from sophia.display.models import advice, lines
from sophia.health import Trouble
from sophia.models import Chosen, Models, Price
from sophia.models import Task as Read

SETTINGS: dict[str, Any] = {
    "models": {
        "conversation": {
            "model": "anthropic/claude-sonnet-4.5",
            "fallbacks": ["openai/gpt-5.2"],
            "ceiling": {"input": 3, "output": 15},
            "needs": {"context": 200000, "tools": True, "structured_output": True, "zero_data_retention": True},
        }
    }
}


def listed(*without: str, **changed: dict[str, Any]) -> dict[str, Any]:
    """The sandbox's list, without some models and with others as they are not there."""
    documents = [model.document() for model in MODELS if model.slug not in without]
    return {"data": [{**document, **changed.get(document["id"].partition("/")[2], {})} for document in documents]}


def task(**changes: Any) -> Task:
    (found,) = tasks_of({"models": {"conversation": {**SETTINGS["models"]["conversation"], **changes}}})
    return found


def told(document: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    return [(problem.verdict, problem.said) for problem in problems([task(**changes)], offers_of(document))]


def test_models_that_are_as_they_were_chosen_are_no_problem() -> None:
    assert told(listed()) == []
    assert told(listed(), model="openai/gpt-5.2-20251211") == [], "a canonical slug is the same model"


def test_a_model_that_is_gone_fails_and_a_fallback_only_degrades() -> None:
    assert told(listed("anthropic/claude-sonnet-4.5")) == [
        ("failing", "anthropic/claude-sonnet-4.5 is not offered any more (conversation)")
    ]
    assert [verdict for verdict, _ in told(listed("openai/gpt-5.2"))] == ["degraded"]


def test_prices_are_told_as_people_compare_them() -> None:
    dearer = listed(**{"claude-sonnet-4.5": {"pricing": {"prompt": "0.0000033", "completion": "0.0000165"}}})
    ((verdict, said),) = told(dearer)
    assert verdict == "degraded"
    assert said.endswith("costs 3.3 / 16.5 USD a million tokens, the ceiling of conversation is 3 / 15")


@pytest.mark.parametrize(
    ("needs", "lacks"),
    [
        ({"context": 2000000}, "a context of 2,000,000 tokens (it has 1,000,000)"),
        ({"inputs": ["text", "audio"]}, "audio as input"),
        ({"outputs": ["image"]}, "image as output"),
    ],
)
def test_what_a_model_cannot_do_is_said(needs: dict[str, Any], lacks: str) -> None:
    assert told(listed(), needs=needs, fallbacks=[]) == [
        ("failing", f"anthropic/claude-sonnet-4.5 lacks {lacks} (conversation)")
    ]
    blind = listed(**{"claude-sonnet-4.5": {"supported_parameters": ["max_tokens"]}})
    assert "lacks tools and structured output" in told(blind)[0][1]


def test_a_model_that_goes_within_a_month_is_told_before() -> None:
    def going(days: int) -> list[tuple[str, str]]:
        day = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        return told(listed(**{"claude-sonnet-4.5": {"expiration_date": day}}))

    assert [verdict for verdict, _ in going(10)] == ["degraded"]
    assert going(60) == []


def test_retention_is_asked_of_those_tasks_that_need_none() -> None:
    private = offers_of({"data": [model.document() for model in MODELS if model.zdr]})
    assert list(retention_problems([task()], private)) == []
    (problem,) = retention_problems([task(model="x-ai/grok-4")], private)
    assert problem.said == "no provider runs x-ai/grok-4 without retaining data (conversation)"
    assert list(retention_problems([task(model="x-ai/grok-4", needs={})], private)) == []


def test_what_would_do_for_less_meets_every_need_and_is_dearer_in_nothing() -> None:
    offers, private = offers_of(listed()), [model.slug for model in MODELS if model.zdr]
    cheaper = alternatives(task(), offers, private)
    assert [offer.slug for offer in cheaper] == [
        "openai/gpt-5-nano", "google/gemini-2.5-flash-lite", "openai/gpt-4.1-mini"
    ]  # fmt: skip
    assert "x-ai/grok-4-fast" in [
        offer.slug for offer in alternatives(task(needs={"context": 1500000}), offers, private)
    ]
    assert alternatives(task(model="openai/gpt-5-nano"), offers, private) == []
    embedding = task(model="openai/text-embedding-3-large", needs={"outputs": ["embeddings"]})
    assert [offer.slug for offer in alternatives(embedding, offers, private)] == [
        "qwen/qwen3-embedding-8b", "openai/text-embedding-3-small"
    ]  # fmt: skip
    assert not [offer for offer in alternatives(task(needs={}), offers, private) if ":free" in offer.slug]


def test_where_the_model_is_gone_the_ceiling_says_what_may_be_spent() -> None:
    offers = offers_of(listed("anthropic/claude-sonnet-4.5"))
    cheapest = alternatives(task(ceiling={"input": 0.1, "output": 0.4}), offers, offers)
    assert [offer.slug for offer in cheapest] == ["openai/gpt-5-nano", "google/gemini-2.5-flash-lite"]


def test_a_router_without_a_price_of_its_own_is_not_chosen() -> None:
    auto = {**MODELS[0].document(), "id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    assert "openrouter/auto" not in offers_of({"data": [auto]})


def test_health_asks_for_models_only_where_some_are_chosen() -> None:
    from health.base import Subject

    def asked(settings: dict[str, Any]) -> list[str]:
        return [probe.proves for probe in HEALTH.probes if probe.needed(Subject(settings))]

    everything = asked({**SETTINGS, "guardrails": {"residents": {"members": ["user_1"]}}})
    assert everything == ["management key", "credits", "models and their prices", "zero retention", "members"]
    assert asked({}) == ["management key", "credits"]


def test_people_read_a_line_a_model_and_what_to_do() -> None:
    gone = Trouble(
        "m/a is not offered any more (summary)", "choose another", "openrouter.models.summary.model", "failing"
    )
    chosen = (Chosen("m/a", "model", None, (gone,)), Chosen("m/b", "fallback", Price(0.25, 2), ()))
    found = Models("dev", (Read("summary", Price(1, 5), chosen, (("m/c", Price(0.05, 0.4)),)),), ())
    text = [line.plain for line in lines(found)]
    assert text[1].split() == ["summary", "m/a", "not", "offered", "1", "/", "5", "failing"]
    assert text[2].split() == ["fallback", "m/b", "0.25", "/", "2", "well"]
    assert text[3].split() == ["cheaper", "m/c", "0.05", "/", "0.4"]
    assert "\n".join(line.plain for line in advice(found)) == (
        "m/a is not offered any more (summary)\n  setting  openrouter.models.summary.model\n  do       choose another"
    )
