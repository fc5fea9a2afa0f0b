"""Linear: one workspace behind its GraphQL API."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.linear import access, graphql_api
from sandbox.platform import Platform

_routes = Routes("linear", access.admit, access.render)

PLATFORM = Platform(
    name="linear",
    title="Linear",
    routes=[_routes("/graphql", POST=graphql_api.handle)],
    failure=access.failure,
    credentials={"LINEAR_API_URL": "{url}/graphql", "LINEAR_API_KEY": access.API_KEY},
    secret=frozenset({"LINEAR_API_KEY"}),
    simulated=(
        "teams with members, workflow states and Git rules, labels, projects with statuses and milestones, initiatives, "
        "templates, views, issues, signed webhooks, the cost of queries; no cycles, comments, notifications or SLAs"
    ),
)
