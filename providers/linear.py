"""Linear: teams with their workflow, labels, templates and rules, projects, views, webhooks, initiatives.

Source of facts: Linear's GraphQL schema (linear/linear, ``packages/sdk/src/schema.graphql``). How Linear is asked, and how
ids are chosen, is in ``providers/linear_calls.py``.
"""

from __future__ import annotations

import pulumi

from providers import base
from providers import linear_inputs as inputs
from providers.base import Calls, Kind, Listing, Out
from providers.linear_calls import LINEAR, Create, Update, act, flat, graphql, pages, read, update
from providers.linear_rules import RULES, RemoveRules, SetRules, rules_shown
from providers.linear_shapes import (
    bare,
    in_the_bin,
    is_archived,
    is_retired,
    pages_with_bin,
    template_sent,
    template_shown,
)


class Team(base.Resource):
    """A team, which has issues. Deleting archives it, and Linear deletes its issues later: until then declaring it again
    brings it back, with all that it had.
    """

    kind = Kind(
        api=LINEAR,
        title="team",
        setting="teams",
        inputs=inputs.TeamInputs,
        calls=Calls(
            create=Create("team", inputs.TEAM_NODE, ("key",), mark="description"),
            read=read("team", inputs.TEAM_NODE),
            update=update("team", inputs.TEAM_NODE),
            delete=act("teamDelete"),
            listing=pages("teams", inputs.TEAM_NODE, archived=True),
            revive=(act("teamUnarchive"),),
        ),
        identity="id",
        natural_key=("key",),
        mark="description",
        decode=flat,
        hidden=is_archived,
        reset={"cyclesEnabled": False, "triageEnabled": False, "issueEstimationType": "notUsed"},
    )


class WorkflowState(base.Resource):
    """A state of a team's workflow. Linear deletes none: removing archives it, and is refused for the last one of its type
    and while issues that are not archived are in it. A new team has some states already, which are taken over.
    """

    kind = Kind(
        api=LINEAR,
        title="workflow state",
        setting="teams",
        inputs=inputs.WorkflowStateInputs,
        calls=Calls(
            create=Create("workflowState", inputs.STATE_NODE, ("teamId", "name")),
            read=read("workflowState", inputs.STATE_NODE),
            update=update("workflowState", inputs.STATE_NODE),
            delete=act("workflowStateArchive"),
            listing=pages("workflowStates", inputs.STATE_NODE),
        ),
        identity="id",
        natural_key=("team_id", "name"),
        decode=flat,
        hidden=is_archived,
        reset={"description": ""},
    )


class IssueLabel(base.Resource):
    """A label of issues, of one team or of the workspace. Removing retires it: issues keep it, and no other gets it any
    more. Declaring it again restores it.
    """

    kind = Kind(
        api=LINEAR,
        title="label",
        setting="labels",
        inputs=inputs.LabelInputs,
        calls=Calls(
            create=Create("issueLabel", inputs.LABEL_NODE, ("teamId", "name"), mark="description"),
            read=read("issueLabel", inputs.LABEL_NODE),
            update=update("issueLabel", inputs.LABEL_NODE),
            delete=act("issueLabelRetire"),
            listing=pages("issueLabels", inputs.LABEL_NODE),
            revive=(act("issueLabelRestore"),),
        ),
        identity="id",
        natural_key=("team_id", "name"),
        mark="description",
        encode=bare,
        decode=flat,
        hidden=is_retired,
    )


class ProjectLabel(base.Resource):
    """A label of projects. Removing retires it, and declaring it again restores it."""

    kind = Kind(
        api=LINEAR,
        title="project label",
        setting="project_labels",
        inputs=inputs.ProjectLabelInputs,
        calls=Calls(
            create=Create("projectLabel", inputs.PROJECT_LABEL_NODE, ("name",), mark="description"),
            read=read("projectLabel", inputs.PROJECT_LABEL_NODE),
            update=update("projectLabel", inputs.PROJECT_LABEL_NODE),
            delete=act("projectLabelRetire"),
            listing=pages("projectLabels", inputs.PROJECT_LABEL_NODE),
            revive=(act("projectLabelRestore"),),
        ),
        identity="id",
        natural_key=("name",),
        mark="description",
        decode=flat,
        hidden=is_retired,
    )


class ProjectStatus(base.Resource):
    """A status that projects can have, in the whole workspace. Removing archives it, which Linear refuses for the last one
    of a type and while a project has it.
    """

    kind = Kind(
        api=LINEAR,
        title="project status",
        setting="project_statuses",
        inputs=inputs.ProjectStatusInputs,
        calls=Calls(
            create=Create("projectStatus", inputs.STATUS_NODE, ("name",), mark="description", shown="status"),
            read=read("projectStatus", inputs.STATUS_NODE),
            update=update("projectStatus", inputs.STATUS_NODE, "status"),
            delete=act("projectStatusArchive"),
            listing=pages("projectStatuses", inputs.STATUS_NODE, archived=True),
            revive=(act("projectStatusUnarchive"),),
        ),
        identity="id",
        natural_key=("name",),
        mark="description",
        hidden=is_archived,
        reset={"indefinite": False},
    )


class Project(base.Resource):
    """A project of one or several teams. Removing moves it to the trash; declaring it again fetches it from there."""

    url: pulumi.Output[str]

    kind = Kind(
        api=LINEAR,
        title="project",
        setting="projects",
        inputs=inputs.ProjectInputs,
        calls=Calls(
            create=Create("project", inputs.PROJECT_NODE, ("name",), mark="description"),
            read=read("project", inputs.PROJECT_NODE),
            update=Update(update("project", inputs.PROJECT_NODE)),
            delete=act("projectDelete"),
            listing=pages_with_bin("projects", inputs.PROJECT_NODE),
            revive=(act("projectUnarchive"),),
        ),
        identity="id",
        natural_key=("name",),
        mark="description",
        outputs=(Out("url", "url"),),
        decode=flat,
        hidden=in_the_bin,
        reset={"priority": 0, "members": [], "labelIds": []},
    )


class ProjectMilestone(base.Resource):
    """A milestone of a project. Deleting it leaves its issues in the project."""

    kind = Kind(
        api=LINEAR,
        title="milestone",
        setting="projects",
        inputs=inputs.MilestoneInputs,
        calls=Calls(
            create=Create("projectMilestone", inputs.MILESTONE_NODE, ("projectId", "name"), mark="description"),
            read=read("projectMilestone", inputs.MILESTONE_NODE),
            update=update("projectMilestone", inputs.MILESTONE_NODE),
            delete=act("projectMilestoneDelete"),
            listing=pages("projectMilestones", inputs.MILESTONE_NODE),
        ),
        identity="id",
        natural_key=("project_id", "name"),
        mark="description",
        decode=flat,
        hidden=is_archived,
    )


class Initiative(base.Resource):
    """What several projects are for. Removing moves it to the trash; declaring it again fetches it from there."""

    kind = Kind(
        api=LINEAR,
        title="initiative",
        setting="initiatives",
        inputs=inputs.InitiativeInputs,
        calls=Calls(
            create=Create("initiative", inputs.INITIATIVE_NODE, ("name",), mark="description"),
            read=read("initiative", inputs.INITIATIVE_NODE),
            update=Update(update("initiative", inputs.INITIATIVE_NODE)),
            delete=act("initiativeDelete"),
            listing=pages_with_bin("initiatives", inputs.INITIATIVE_NODE),
            revive=(act("initiativeUnarchive"),),
        ),
        identity="id",
        natural_key=("name",),
        mark="description",
        decode=flat,
        hidden=in_the_bin,
        reset={"status": "Planned"},
    )


class InitiativeProject(base.Resource):
    """That a project is part of an initiative."""

    kind = Kind(
        api=LINEAR,
        title="initiative's project",
        setting="initiatives",
        inputs=inputs.InitiativeProjectInputs,
        calls=Calls(
            create=Create("initiativeToProject", inputs.LINK_NODE, ("initiativeId", "projectId")),
            read=read("initiativeToProject", inputs.LINK_NODE),
            delete=act("initiativeToProjectDelete"),
            listing=pages("initiativeToProjects", inputs.LINK_NODE),
        ),
        identity="id",
        natural_key=("initiative_id", "project_id"),
        decode=flat,
        hidden=is_archived,
    )


class Template(base.Resource):
    """What a new issue, project or document starts with, in one team or in all."""

    kind = Kind(
        api=LINEAR,
        title="template",
        setting="templates",
        inputs=inputs.TemplateInputs,
        calls=Calls(
            create=Create("template", inputs.TEMPLATE_NODE, ("teamId", "type", "name"), mark="description"),
            read=read("template", inputs.TEMPLATE_NODE),
            update=update("template", inputs.TEMPLATE_NODE),
            delete=act("templateDelete"),
            listing=Listing(graphql(f"query {{ templates {{ {inputs.TEMPLATE_NODE} }} }}"), items="data.templates"),
        ),
        identity="id",
        natural_key=("team_id", "type", "name"),
        mark="description",
        encode=template_sent,
        decode=template_shown,
        hidden=is_archived,
    )


class CustomView(base.Resource):
    """A list of issues by a filter, shared with everybody unless said otherwise. It belongs to the person of the API key."""

    kind = Kind(
        api=LINEAR,
        title="view",
        setting="views",
        inputs=inputs.CustomViewInputs,
        calls=Calls(
            create=Create("customView", inputs.VIEW_NODE, ("teamId", "name"), mark="description"),
            read=read("customView", inputs.VIEW_NODE),
            update=update("customView", inputs.VIEW_NODE),
            delete=act("customViewDelete"),
            listing=pages("customViews", inputs.VIEW_NODE),
        ),
        identity="id",
        natural_key=("team_id", "name"),
        mark="description",
        encode=bare,
        decode=flat,
        hidden=is_archived,
    )


class Webhook(base.Resource):
    """What is told of changes, signed with ``secret``, which is ours: another one takes the place of the old at once.

    Only an administrator's key may manage webhooks. One that fails for long is switched off by Linear, which drift shows.
    """

    kind = Kind(
        api=LINEAR,
        title="webhook",
        setting="webhooks",
        inputs=inputs.WebhookInputs,
        calls=Calls(
            create=Create("webhook", inputs.WEBHOOK_NODE, ("url", "teamId"), mark="label"),
            read=read("webhook", inputs.WEBHOOK_NODE),
            update=update("webhook", inputs.WEBHOOK_NODE),
            delete=act("webhookDelete"),
            listing=pages("webhooks", inputs.WEBHOOK_NODE),
        ),
        identity="id",
        natural_key=("url", "team_id"),
        mark="label",
        encode=bare,
        decode=flat,
        hidden=is_archived,
    )


class TeamMembership(base.Resource):
    """That a person is in a team, and whether as its owner. The person of the API key is in every team that it makes."""

    kind = Kind(
        api=LINEAR,
        title="team member",
        setting="teams",
        inputs=inputs.TeamMembershipInputs,
        calls=Calls(
            create=Create("teamMembership", inputs.MEMBERSHIP_NODE, ("teamId", "userId")),
            read=read("teamMembership", inputs.MEMBERSHIP_NODE),
            update=update("teamMembership", inputs.MEMBERSHIP_NODE),
            delete=act("teamMembershipDelete"),
            listing=pages("teamMemberships", inputs.MEMBERSHIP_NODE),
        ),
        identity="id",
        natural_key=("team_id", "user"),
        decode=flat,
        hidden=is_archived,
    )


class GitAutomation(base.Resource):
    """To which state an issue goes when its pull request is opened, reviewed, merged: a team's rules for all branches.

    Events that are not named stay as they are. Rules for single branches are made in Linear.
    """

    kind = Kind(
        api=LINEAR,
        title="Git automation",
        setting="teams",
        inputs=inputs.GitAutomationInputs,
        calls=Calls(create=SetRules(), read=RULES, delete=RemoveRules(), setters={"states": SetRules()}),
        identity="{team_id}",
        natural_key=("team_id",),
        decode=rules_shown,
    )
