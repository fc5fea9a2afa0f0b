"""Apollo.io's REST API: custom fields, lists and sequences, a team for each stage."""

from __future__ import annotations

from sandbox.apollo import access, fields, labels, sequences, team
from sandbox.http import Routes
from sandbox.platform import Platform

_routes = Routes("apollo", access.admit, access.render)

PLATFORM = Platform(
    name="apollo",
    title="Apollo",
    routes=[
        _routes("/fields", GET=fields.list_fields, POST=fields.create_field, PATCH=fields.update_field),
        _routes("/labels", GET=labels.list_labels, POST=labels.create_label),
        _routes("/labels/{id}", PATCH=labels.update_label),
        _routes("/sequences", POST=sequences.create_sequence),
        _routes("/sequences/{id}", PUT=sequences.update_sequence),
        _routes("/emailer_campaigns/search", POST=sequences.search_sequences),
        _routes("/emailer_campaigns/{id}/approve", POST=sequences.approve_sequence),
        _routes("/emailer_campaigns/{id}/abort", POST=sequences.abort_sequence),
        _routes("/emailer_campaigns/{id}/archive", POST=sequences.archive_sequence),
        _routes("/emailer_schedules", GET=team.list_schedules),
        _routes("/contact_stages", GET=team.list_contact_stages),
        _routes("/account_stages", GET=team.list_account_stages),
        _routes("/users/search", GET=team.search_users),
        _routes("/users/api_profile", GET=team.read_profile),
        _routes("/usage_stats/api_usage_stats", POST=team.read_limits),
        _routes("/usage_stats/credit_usage_stats", POST=team.read_credits),
    ],
    failure=access.failure,
    credentials={"APOLLO_BASE_URL": "{url}", "APOLLO_API_KEY": access.api_key("{stage}")},
    secret=frozenset({"APOLLO_API_KEY"}),
    simulated=(
        "custom fields, lists, sequences with their steps and emails, scopes of keys, plans, limits by minute, hour, day; "
        "no contacts, accounts or deals, and nothing is ever sent"
    ),
)
