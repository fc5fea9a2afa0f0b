"""What the stack file says about Apollo.io (``sophia-ai:apollo``). What stands in an order there is a list here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_names

Name = Annotated[str, Field(min_length=1)]
Email = Annotated[str, matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be an address, such as sales@payready.com")]
Label = Annotated[
    str, Field(min_length=1), matching(r"(?!powerup_).*", "cannot begin with powerup_, which Apollo keeps for itself")
]

_PICKLISTS = ("picklist", "multipicklist")
_TEXTS = ("string", "textarea")
_WITH_EMAIL = ("auto_email", "manual_email", "linkedin_step_message", "linkedin_step_connect", "call")


class OptionSettings(Settings):
    """An option of a picklist. ``formerly`` is its old name, when it is renamed: records that have it keep it."""

    name: Name
    formerly: Name | None = None


class FieldSettings(Adoptable):
    """A custom field of contacts, accounts or opportunities (deals). ``modality`` and ``type`` are for good.

    Apollo's API makes no picklist: a person does, and ``adopt: true`` takes it over. Its options are added and renamed;
    one that is removed here stays in Apollo, because removing it drops what records have of it.
    """

    label: Label
    modality: Literal["contact", "account", "opportunity"]
    type: Literal["string", "textarea", "number", "date", "datetime", "boolean", "picklist", "multipicklist"]
    max_length: Annotated[int | None, Field(ge=1)] = None
    options: list[OptionSettings] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """What belongs to the type, and nothing else."""
        if self.type in _PICKLISTS and not self.options:
            yield Mistake(("options",), f"needs at least one entry: the field is a {self.type}")
        if self.type not in _PICKLISTS and self.options:
            yield Mistake(("options",), f"is for picklists, and the field is of type {self.type}")
        if self.max_length is not None and self.type not in _TEXTS:
            yield Mistake(("max_length",), f"is for string and textarea, and the field is of type {self.type}")
        count = Counter(option.name for option in self.options)
        for index, option in enumerate(self.options):
            if count[option.name] > 1:
                yield Mistake(("options", index, "name"), f'"{option.name}" is there twice')
            if option.formerly in count:
                yield Mistake(("options", index, "formerly"), "is the name of another option of this field")


class ListSettings(Adoptable):
    """A list of contacts or of accounts, by a name that no other list of that ``modality`` has."""

    name: Name
    modality: Literal["contacts", "accounts"]
    book_of_business: bool = False

    def check(self) -> Iterator[Mistake]:
        """Only accounts are a book of business."""
        if self.book_of_business and self.modality != "accounts":
            yield Mistake(("book_of_business",), "is for lists of accounts only")


class EmailSettings(Settings):
    """What a step sends, with Apollo's variables such as ``{{first_name}}``. A reply keeps the subject of its thread."""

    subject: str = ""
    body_html: Name
    thread: Literal["new_thread", "reply_to_thread"] = "new_thread"
    include_signature: bool = True

    def check(self) -> Iterator[Mistake]:
        """A thread begins with a subject."""
        if self.thread == "new_thread" and not self.subject:
            yield Mistake(("subject",), "is needed where a thread begins")


class StepSettings(Settings):
    """A step: ``wait_time`` of ``wait_mode`` after the one before. ``key`` stays when the rest changes: it is the step.

    ``note``, ``priority``, ``email.thread`` and ``email.include_signature`` can be said only when the sequence is made.
    """

    key: Key
    type: Literal[
        "auto_email", "manual_email", "call", "action_item", "linkedin_step_connect", "linkedin_step_message",
        "linkedin_step_view_profile", "linkedin_step_interact_post",
    ]  # fmt: skip
    wait_time: Annotated[int, Field(ge=0)]
    wait_mode: Literal["minute", "hour", "day"]
    auto_skip_in_x_days: Annotated[int | None, Field(ge=1)] = None
    note: Name | None = None
    priority: Literal["high", "medium", "low"] | None = None
    email: EmailSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """Emails are where Apollo has them; a task's priority where there is a task."""
        if self.email is None and self.type in ("auto_email", "manual_email"):
            yield Mistake(("email",), f"is missing: the step is of type {self.type}")
        if self.email is not None and self.type not in _WITH_EMAIL:
            yield Mistake(("email",), f"is for {', '.join(_WITH_EMAIL)}, and the step is of type {self.type}")
        if self.priority is not None and self.type == "auto_email":
            yield Mistake(("priority",), "is a task's, and an automatic email is none")


class SequenceSettings(Adoptable):
    """A sequence. It is inactive unless ``active`` is true here and its key stands in ``apollo.sends_real_mail`` as well.

    ``owner`` is an address of the team's: without one it belongs to whomever Apollo lets the key act as. Stages and the
    ``schedule`` are named as in Apollo, where people make them. How it ends and whom it leaves out (``mark_…``,
    ``days_to_wait_…``, ``excluded_…``) can be said only when it is made.
    """

    name: Name
    active: bool = False
    owner: Email | None = None
    visibility: Literal["restricted", "everyone"] = "restricted"
    access: Literal["can_view", "can_edit", "full_access"] | None = None
    schedule: Name | None = None
    max_emails_per_day: Annotated[int | None, Field(ge=1)] = None
    same_account_reply_delay_days: Annotated[int | None, Field(ge=0, le=1000)] = None
    cc_emails: list[Email] = Field(default_factory=list)
    bcc_emails: list[Email] = Field(default_factory=list)
    mark_finished_if_reply: bool = True
    mark_finished_if_click: bool = False
    mark_finished_if_interested: bool = True
    mark_paused_if_ooo: bool = True
    days_to_wait_before_mark_as_response: Annotated[int | None, Field(ge=0)] = None
    excluded_contact_stages: list[Name] = Field(default_factory=list)
    excluded_account_stages: list[Name] = Field(default_factory=list)
    steps: Annotated[list[StepSettings], Field(min_length=1)]

    def check(self) -> Iterator[Mistake]:
        """Steps are there once, a reply has something to reply to, and access is given where everybody sees it."""
        if self.access is not None and self.visibility != "everyone":
            yield Mistake(("access",), "goes with `visibility: everyone`")
        if self.access is None and self.visibility == "everyone":
            yield Mistake(("access",), "is missing: what may everybody do with it?")
        count = Counter(step.key for step in self.steps)
        in_thread = False
        for index, step in enumerate(self.steps):
            if count[step.key] > 1:
                yield Mistake(("steps", index, "key"), f'"{step.key}" is there twice')
            if step.email and step.email.thread == "reply_to_thread" and not in_thread:
                yield Mistake(("steps", index, "email", "thread"), "replies to no thread: no step before it begins one")
            in_thread = in_thread or bool(step.email and step.email.thread == "new_thread")


class ApolloSettings(Settings):
    """``sophia-ai:apollo``. Where it is, APOLLO_BASE_URL says; who asks, APOLLO_API_KEY, a master key of the stage's team.

    ``sends_real_mail`` names the sequences that may be active: each is told so twice, there and by its own ``active``.
    """

    fields: dict[Key, FieldSettings] = Field(default_factory=dict)
    lists: dict[Key, ListSettings] = Field(default_factory=dict)
    sequences: dict[Key, SequenceSettings] = Field(default_factory=dict)
    sends_real_mail: list[str] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """Nothing is there twice, and what sends mail was told so twice."""
        yield from same_object(("fields",), self.fields, "label", "modality")
        yield from same_object(("lists",), self.lists, "name", "modality")
        yield from same_object(("sequences",), self.sequences, "name")
        yield from unknown_names(("sends_real_mail",), self.sends_real_mail, self.sequences, "sequence")
        for key, sequence in self.sequences.items():
            if sequence.active and key not in self.sends_real_mail:
                said = f"sends mail to real people: `sends_real_mail` must name {key} as well, or this must be false"
                yield Mistake(("sequences", key, "active"), said)
