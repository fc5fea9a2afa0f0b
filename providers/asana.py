"""Asana: teams, projects with their sections, members and fields, custom fields, tags, webhooks.

Source of facts: Asana's OpenAPI description (``asana_oas.yaml``) and its guides on rate limits and webhooks. What takes
more than one request is in ``providers/asana_calls.py``, the inputs are in ``providers/asana_inputs.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from providers import base
from providers.asana_calls import (
    ASANA,
    FIELD,
    WEBHOOK,
    ArrangeOptions,
    ArrangeSections,
    DeleteSection,
    Establish,
    ReadOrder,
    ask,
    gid_of,
    listing,
)
from providers.asana_inputs import (
    CustomFieldInputs,
    FieldSettingInputs,
    PersonInputs,
    ProjectInputs,
    ProjectMemberInputs,
    SectionInputs,
    SectionOrderInputs,
    TagInputs,
    TeamInputs,
    WebhookInputs,
    WorkspaceInputs,
)
from providers.base import Calls, Inputs, Json, Kind, Out, Within

_WORKSPACE = "name,is_organization"
_WORKSPACES = listing("/workspaces", _WORKSPACE)
_USER = "name,email"
_USERS = listing("/users", _USER, workspace="{workspace}")
_TEAM = "name,description,visibility,organization"
_PROJECT = (
    "name,notes,color,default_view,privacy_setting,default_access_level,archived,workspace,team,permalink_url,"
    "created_at"
)
_SETTING = "is_important,custom_field,project"
_TAG = "name,color,notes,workspace"


def _references(*names: str) -> Callable[[Json], Json]:
    """A document in which these members are the gids of what they refer to."""
    return lambda document: {**document, **{name: gid_of(document[name]) for name in names if name in document}}


def _without(*names: str) -> Callable[[Json, Inputs], Json]:
    """A payload without inputs that stand in the path, or only tell how to write another one."""
    return lambda payload, _wanted: {name: value for name, value in payload.items() if name not in names}


class Workspace(base.Resource):
    """A workspace or organisation that is there: by its name, or by its gid. It is looked up, and never made or changed.

    Declare it with ``adopt=True``, always: there is nothing of it that a deployment could overwrite.
    """

    kind = base.asserted(
        api=ASANA,
        title="workspace",
        setting="workspace",
        inputs=WorkspaceInputs,
        listing=_WORKSPACES,
        read=ask("GET", "/workspaces/{id}", _WORKSPACE),
        identity="gid",
        natural_key=("name", "gid"),
        show="name",
        do="name one of those, or invite the token's account to the workspace",
    )


def _person_shown(document: Json) -> Json:
    return {**document, "email": str(document.get("email", "")).lower()}


class Person(base.Resource):
    """A member of the workspace, by the address. Looked up, never invited or removed: that is an administrator's affair.

    Declare it with ``adopt=True``, always.
    """

    kind = base.asserted(
        api=ASANA,
        title="person",
        setting="people",
        inputs=PersonInputs,
        listing=_USERS,
        read=ask("GET", "/users/{id}", _USER),
        identity="gid",
        natural_key=("email",),
        within=Within("workspace", Workspace.kind),
        decode=_person_shown,
        show="email",
        do="invite them in Asana's admin console first, or correct the address",
    )


class Team(base.Resource):
    """A team of an organisation. Asana has no call to delete one: destroying it forgets it, with a warning.

    Its description ends with the stack that manages it. Its members are people's own affair, and are not managed.
    """

    kind = Kind(
        api=ASANA,
        title="team",
        setting="teams",
        inputs=TeamInputs,
        calls=Calls(
            create=ask("POST", "/teams", _TEAM),
            read=ask("GET", "/teams/{id}", _TEAM),
            update=ask("PUT", "/teams/{id}", _TEAM),
            delete=base.StaysThere("team"),
            listing=listing("/workspaces/{workspace}/teams", _TEAM),
        ),
        identity="gid",
        natural_key=("name",),
        within=Within("workspace", Workspace.kind),
        mark="description",
        decode=_references("organization"),
        irreplaceable="its projects do not move with it: declare another team under another key",
    )


class Project(base.Resource):
    """A project. Its description ends with the stack that manages it.

    Names are not unique in Asana: one is found by its team and its name, and two of both are an error that names them.
    Destroying it deletes it, with the tasks that are in no other project.
    """

    permalink_url: pulumi.Output[str]

    kind = Kind(
        api=ASANA,
        title="project",
        setting="projects",
        inputs=ProjectInputs,
        calls=Calls(
            create=ask("POST", "/projects", _PROJECT, setting="projects"),
            read=ask("GET", "/projects/{id}", _PROJECT),
            update=ask("PUT", "/projects/{id}", _PROJECT, setting="projects"),
            delete=ask("DELETE", "/projects/{id}"),
            listing=listing("/projects", _PROJECT, workspace="{workspace}"),
        ),
        identity="gid",
        natural_key=("name", "team"),
        within=Within("workspace", Workspace.kind),
        outputs=(Out("permalink_url", "permalink_url"),),
        mark="notes",
        decode=_references("workspace", "team"),
        irreplaceable=(
            "the project has tasks, which do not move with the setting. Declare another project under another key, move "
            "the tasks there in Asana, then remove this one"
        ),
    )


class ProjectMember(base.Resource):
    """A person's or a team's access to a project. There is no room for a mark; it is found by project and member."""

    kind = Kind(
        api=ASANA,
        title="project member",
        setting="projects",
        inputs=ProjectMemberInputs,
        calls=Calls(
            create=ask("POST", "/memberships"),
            read=ask("GET", "/memberships/{id}"),
            update=ask("PUT", "/memberships/{id}"),
            delete=ask("DELETE", "/memberships/{id}"),
            listing=listing("/memberships", parent="{project}"),
        ),
        identity="gid",
        natural_key=("member",),
        within=Within("project", Project.kind),
        decode=_references("parent", "member"),
    )


class Section(base.Resource):
    """A section of a project, or a column of its board. There is no room for a mark; it is found by project and name.

    Asana deletes none that has tasks in it, nor a project's last one: it stays then, with a warning.
    """

    kind = Kind(
        api=ASANA,
        title="section",
        setting="projects",
        inputs=SectionInputs,
        calls=Calls(
            create=ask("POST", "/projects/{project}/sections", "name,project"),
            read=ask("GET", "/sections/{id}", "name,project"),
            update=ask("PUT", "/sections/{id}", "name,project"),
            delete=DeleteSection(),
            listing=listing("/projects/{project}/sections", "name,project"),
        ),
        identity="gid",
        natural_key=("name",),
        within=Within("project", Project.kind),
        encode=_without("project"),
        decode=_references("project"),
        irreplaceable="the tasks in it do not move with the setting: move the section's tasks in Asana",
    )


class SectionOrder(base.Resource):
    """The order of a project's sections, of those that are managed: a section that people add stays where they put it.

    Every project has an order. Declare it with ``adopt=True``, always.
    """

    kind = Kind(
        api=ASANA,
        title="order of sections",
        setting="projects",
        inputs=SectionOrderInputs,
        calls=Calls(create=ArrangeSections(), read=ReadOrder(), update=ArrangeSections()),
        identity="{project}",
        natural_key=("project",),
        encode=_without("project"),
    )


def _field_shown(document: Json) -> Json:
    shown = _references("workspace")(document)
    if "enum_options" not in shown:
        return shown
    options = [{"name": one["name"], "color": one["color"]} for one in shown["enum_options"] if one["enabled"]]
    return {**shown, "enum_options": options}


class CustomField(base.Resource):
    """A custom field of the workspace's library. Its name is unique there; its description ends with who manages it.

    Options are never deleted: one that is no longer wanted is disabled, and tasks that have it keep it. ``renamed`` says
    under which name an option was known. A field of another type is another field.
    """

    options: pulumi.Output[list[dict[str, Any]]]

    kind = Kind(
        api=ASANA,
        title="custom field",
        setting="fields",
        inputs=CustomFieldInputs,
        calls=Calls(
            create=ask("POST", "/custom_fields", FIELD, setting="fields"),
            read=ask("GET", "/custom_fields/{id}", FIELD, setting="fields"),
            update=ask("PUT", "/custom_fields/{id}", FIELD, setting="fields"),
            delete=ask("DELETE", "/custom_fields/{id}", setting="fields"),
            listing=listing("/workspaces/{workspace}/custom_fields", FIELD, setting="fields"),
            setters={"enum_options": ArrangeOptions()},
        ),
        identity="gid",
        natural_key=("name",),
        within=Within("workspace", Workspace.kind),
        outputs=(Out("options", "enum_options"),),
        mark="description",
        encode=_without("renamed"),
        decode=_field_shown,
        irreplaceable=(
            "tasks have values in the field, which would be lost. Declare another field under another key, bring the "
            "values over in Asana, then remove this one"
        ),
    )


class FieldSetting(base.Resource):
    """A custom field's being used in a project.

    Whether it is shown in lists, and after which other one it stands, is said once, when it comes to the project: Asana
    has no call that changes either, and people do it in its pages.
    """

    kind = Kind(
        api=ASANA,
        title="field of a project",
        setting="projects",
        inputs=FieldSettingInputs,
        calls=Calls(
            create=ask("POST", "/projects/{project}/addCustomFieldSetting", _SETTING, setting="fields"),
            delete=base.Call(
                "POST",
                "/projects/{project}/removeCustomFieldSetting",
                body={"data": {"custom_field": "{custom_field}"}},
                repeatable=True,
            ),
            listing=listing("/projects/{project}/custom_field_settings", _SETTING, setting="fields"),
        ),
        identity="gid",
        natural_key=("custom_field",),
        within=Within("project", Project.kind),
        encode=_without("project"),
        decode=_references("project", "custom_field"),
    )


class Tag(base.Resource):
    """A tag. Names are not unique in Asana; its notes end with the stack that manages it."""

    kind = Kind(
        api=ASANA,
        title="tag",
        setting="tags",
        inputs=TagInputs,
        calls=Calls(
            create=ask("POST", "/tags", _TAG),
            read=ask("GET", "/tags/{id}", _TAG),
            update=ask("PUT", "/tags/{id}", _TAG),
            delete=ask("DELETE", "/tags/{id}"),
            listing=listing("/tags", _TAG, workspace="{workspace}"),
        ),
        identity="gid",
        natural_key=("name",),
        within=Within("workspace", Workspace.kind),
        mark="notes",
        decode=_references("workspace"),
    )


class Webhook(base.Resource):
    """A webhook. Its receiver must be up when it is made: Asana calls it, and wants its secret back, before it answers.

    ``secret`` is what signs its deliveries (``X-Hook-Signature``, hex HMAC-SHA256 of the body); Asana shows it once and
    never changes it. Another secret takes another webhook, with another ``target``: a query in the address is enough, and
    the new one is made before the old one goes. Asana deletes one whose receiver fails for a day; the next run makes it
    again. There is no room for a mark; it is found by resource and target, among those of the same token.
    """

    secret: pulumi.Output[str]

    kind = Kind(
        api=ASANA,
        title="webhook",
        setting="webhooks",
        inputs=WebhookInputs,
        calls=Calls(
            create=Establish(),
            read=ask("GET", "/webhooks/{id}", WEBHOOK),
            update=ask("PUT", "/webhooks/{id}", WEBHOOK),
            delete=ask("DELETE", "/webhooks/{id}"),
            listing=listing("/webhooks", WEBHOOK, workspace="{workspace}"),
        ),
        identity="gid",
        natural_key=("resource", "target"),
        within=Within("workspace", Workspace.kind),
        outputs=(Out("secret", "X-Hook-Secret", once=True),),
        encode=_without("workspace"),
        decode=_references("resource"),
        reset={"filters": []},
    )
