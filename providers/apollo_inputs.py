"""The inputs of Apollo's kinds. Source of facts: Apollo's OpenAPI description (``apollo_rest_api_openapi.json``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from providers.base import Carried, Immutable, Inputs, Unordered, Unseen

PICKLISTS = ("picklist", "multipicklist")
"""Types that people make only: Apollo's create call does not take them."""


def _not_reserved(label: str) -> str:
    if label.startswith("powerup_"):
        raise ValueError("cannot begin with powerup_, which Apollo keeps for itself")
    return label


class ScheduleInputs(Inputs):
    name: Immutable[str]


class StageInputs(Inputs):
    name: Immutable[str]


class UserInputs(Inputs):
    email: Immutable[Annotated[str, AfterValidator(str.lower)]]


class CustomFieldInputs(Inputs):
    modality: Immutable[Literal["contact", "account", "opportunity"]]
    type: Immutable[Literal["string", "textarea", "number", "date", "datetime", "boolean", "picklist", "multipicklist"]]
    label: Annotated[str, AfterValidator(_not_reserved)] = Field(min_length=1)
    max_length: int | None = Field(default=None, ge=1)
    options: dict[str, bool] | None = Field(default=None, description="the names that are there, in no order")
    renamed: Carried[dict[str, str]] = Field(
        default_factory=dict, description="what options were called, by their new names"
    )


class ListInputs(Inputs):
    modality: Immutable[Literal["contacts", "accounts"]]
    name: str = Field(min_length=1)
    book_of_business: Unseen[bool] = False


class Email(BaseModel):
    """What a step sends. ``thread`` and ``include_signature`` are said when the step is made, and never again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: str = ""
    body_html: str = Field(min_length=1)
    thread: Literal["new_thread", "reply_to_thread"] = "new_thread"
    include_signature: bool = False


class Step(BaseModel):
    """A step of a sequence; ``key`` is ours, and says which one it is when steps come and go.

    ``note`` and ``priority`` are said when the step is made, and never again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    type: Literal[
        "auto_email",
        "manual_email",
        "call",
        "action_item",
        "linkedin_step_connect",
        "linkedin_step_message",
        "linkedin_step_view_profile",
        "linkedin_step_interact_post",
    ]
    wait_time: int = Field(ge=0)
    wait_mode: Literal["minute", "hour", "day"]
    auto_skip_in_x_days: int | None = None
    note: str | None = None
    priority: Literal["high", "medium", "low"] | None = None
    email: Email | None = None


class Sharing(BaseModel):
    """Who of the team sees a sequence, and what they may do with it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    visibility: Literal["restricted", "everyone"] = "restricted"
    access_type: Literal["can_view", "can_edit", "full_access"] | None = None


class SequenceInputs(Inputs):
    name: str = Field(min_length=1)
    sends_real_mail: Carried[bool] = Field(default=False, description="said a second time where `active` is true")
    active: bool = False
    emailer_schedule_id: str | None = None
    user_id: str | None = Field(default=None, description="whose it is")
    sharing_permission: Sharing | None = None
    max_emails_per_day: int | None = Field(default=None, ge=0)
    same_account_reply_delay_days: int | None = Field(default=None, ge=0, le=1000)
    cc_emails: str | None = None
    bcc_emails: str | None = None
    mark_finished_if_reply: Immutable[bool | None] = None
    mark_finished_if_click: Immutable[bool | None] = None
    mark_finished_if_interested: Immutable[bool | None] = None
    mark_paused_if_ooo: Immutable[bool | None] = None
    days_to_wait_before_mark_as_response: Immutable[int | None] = None
    excluded_contact_stage_ids: Immutable[Unordered[str] | None] = None
    excluded_account_stage_ids: Immutable[Unordered[str] | None] = None
    steps: Unseen[list[Step]] = Field(alias="emailer_steps", default_factory=list)

    @field_validator("active")
    @classmethod
    def _said_twice(cls, active: bool, info: ValidationInfo) -> bool:
        """Whatever program declares it: one word is not enough to send mail. What Apollo shows may be otherwise."""
        if active is True and not info.data.get("sends_real_mail"):
            raise ValueError("sends mail to real people: `sends_real_mail` has to say so a second time")
        return active
