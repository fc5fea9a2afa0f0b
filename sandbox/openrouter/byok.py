"""Keys of our own at models' providers (BYOK). Of the key itself only a label is kept, and shown."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.openrouter.access import now
from sandbox.openrouter.workspaces import paged, placed
from sandbox.store import Document

_PROVIDERS = """
    ai21 aion-labs akashml alibaba amazon-bedrock amazon-nova ambient anthropic arcee-ai atlas-cloud avian azure baidu
    baseten black-forest-labs byteplus cerebras chutes cirrascale clarifai cloudflare cohere coreweave crusoe darkbloom
    databricks decart deepgram deepinfra deepseek dekallm digitalocean featherless fireworks fish-audio friendli gmicloud
    google-ai-studio google-vertex groq heygen inception inceptron inferact-vllm inference-net infermatic inflection io-net
    ionstream krea liquid makora mancer mara meta minimax mistral modal modelrun modular moonshotai morph ncompass nebius
    nex-agi nextbit novita nvidia open-inference openai parasail perceptron perplexity phala poolside quiver recraft reka
    relace runway sail-research sakana sakana-ai sambanova seed siliconflow sourceful stepfun streamlake switchpoint tencent
    tenstorrent thinkingmachines together upstage venice wafer wandb wandb-legacy xai xiaomi z-ai
"""

_Hash = Annotated[str, Field(pattern=r"^[a-f0-9]{64}$")]


class CredentialUpdate(Body):
    name: str | None = Field(None, max_length=255)
    key: str = Field("", min_length=1)
    disabled: bool = False
    is_fallback: bool = False
    allowed_models: list[str] | None = Field(None, max_length=100)
    allowed_api_key_hashes: list[_Hash] | None = Field(None, min_length=1, max_length=100)
    allowed_user_ids: list[str] | None = Field(None, max_length=100)
    # The vendor's SDK insists on the following in answers, which are newer than its specification's last issue.
    declared_region: str | None = None
    declared_zdr: bool | None = None
    is_byok_only: bool = False
    is_required: bool = False


class CredentialCreate(CredentialUpdate):
    provider: str
    key: str = Field(min_length=1)
    workspace_id: UUID | None = None


def list_credentials(call: Call) -> Response:
    workspace, provider = placed(call.store, call.query("workspace_id")), call.query("provider")
    if provider is not None:
        _check_provider(provider)
    found = call.store.all("byok", workspace_id=workspace)
    return paged(call, [one for one in found if provider in (None, one["provider"])])


def create_credential(call: Call) -> Response:
    """Names are not unique. Credentials of a provider are tried in the order in which they were made."""
    sent = call.body(CredentialCreate)
    _check_provider(sent.provider)
    workspace = placed(call.store, sent.workspace_id)
    before = call.store.all("byok", workspace_id=workspace, provider=sent.provider)
    credential = {
        "id": str(uuid4()),
        **CredentialUpdate().model_dump(exclude={"key"}),
        "provider": sent.provider,
        "workspace_id": workspace,
        "sort_order": len(before),
        "created_at": now(),
    }
    return answer({"data": _written(call, credential, sent)}, 201)


def read_credential(call: Call) -> Response:
    return answer({"data": _credential(call)})


def update_credential(call: Call) -> Response:
    return answer({"data": _written(call, _credential(call), call.body(CredentialUpdate))})


def delete_credential(call: Call) -> Response:
    call.store.delete("byok", _credential(call)["id"])
    return answer({"deleted": True})


def _credential(call: Call) -> Document:
    credential = call.store.get("byok", call.path("id"))
    if credential is None:
        raise ApiError(404, "BYOK credential not found")
    return credential


def _written(call: Call, credential: Document, sent: CredentialUpdate) -> Document:
    changes = {k: v for k, v in sent.sent().items() if k not in ("key", "workspace_id")}
    if sent.key:
        changes["label"] = f"{sent.key[:3]}...{sent.key[-3:]}"
    for key in changes.get("allowed_api_key_hashes") or []:
        if call.store.latest.get("key", key) is None:
            raise ApiError(400, f"allowed_api_key_hashes: there is no API key {key}")
    return call.store.put("byok", credential["id"], credential | changes)


def _check_provider(provider: str) -> None:
    if provider not in _PROVIDERS.split():
        raise ApiError(400, f"provider: {provider} is no provider")
