"""Sophia AI: settings in, the components of the estate in the order of their dependencies, outputs out.

What one component makes and another needs is handed over by name: a setting that says ``output: openrouter.web`` gets
what stands under that name in ``handed_over``.
"""

import pulumi

from components.airbyte import Airbyte
from components.estate import Estate
from components.estuary import Estuary
from components.github import GitHub
from components.keys import Keys
from components.kubernetes import Kubernetes
from components.openrouter import OpenRouter
from components.pinecone import Pinecone
from components.portkey import Portkey
from components.qdrant import Qdrant
from components.settings import Stage, load_settings
from components.slack import Slack
from components.snowflake import Snowflake
from components.takeover import take_over_interrupted
from components.vercel import Vercel
from components.waiting import wait_for_registrations
from components.warehouse import Warehouse

stage = Stage.current()
settings = load_settings(Estate)
handed_over: dict[str, pulumi.Input[str]] = {}
take_over_interrupted()

if settings.slack:
    slack = Slack("slack", settings.slack)
    handed_over |= {f"slack.channels.{key}": channel for key, channel in slack.channel_ids.items()}
    pulumi.export("slack", {"channels": slack.channel_ids, "install_urls": slack.install_urls})

if settings.openrouter:
    openrouter = OpenRouter("openrouter", settings.openrouter, outputs=handed_over)
    handed_over |= {f"openrouter.{key}": api_key for key, api_key in openrouter.api_keys.items()}
    handed_over |= {f"openrouter.models.{task}": model for task, model in openrouter.models.items()}
    handed_over |= {f"openrouter.presets.{key}": preset for key, preset in openrouter.presets.items()}
    pulumi.export(
        "openrouter",
        {"workspace_id": openrouter.workspace_id, "models": openrouter.models, "presets": openrouter.presets},
    )

if settings.portkey:
    portkey = Portkey("portkey", settings.portkey, stage=stage, outputs=handed_over)
    handed_over |= {f"portkey.{key}": api_key for key, api_key in portkey.api_keys.items()}
    handed_over |= {f"portkey.configs.{key}": slug for key, slug in portkey.configs.items()}
    handed_over |= {f"portkey.prompts.{key}": slug for key, slug in portkey.prompts.items()}
    pulumi.export(
        "portkey",
        {"workspace_id": portkey.workspace_id, "configs": portkey.configs, "prompts": portkey.prompts},
    )

warehouse = Warehouse()
if settings.snowflake:
    keys = Keys("keys", {key: user.key_generation for key, user in settings.snowflake.users.items()})
    snowflake = Snowflake(
        "snowflake",
        settings.snowflake,
        stage=stage,
        public_keys=keys.public_keys,
        second_public_keys=keys.second_public_keys,
    )
    warehouse = Warehouse(snowflake.logins, keys.private_keys, snowflake.schemas)
    handed_over |= {f"snowflake.{user}.private_key": private_key for user, private_key in keys.private_keys.items()}
    pulumi.export("snowflake", {"account": snowflake.account, "database": snowflake.database})

if settings.airbyte:
    airbyte = Airbyte("airbyte", settings.airbyte, stage=stage, warehouse=warehouse, outputs=handed_over)
    pulumi.export("airbyte", {"workspace_id": airbyte.workspace_id, "connections": airbyte.connection_ids})

if settings.estuary:
    estuary = Estuary("estuary", settings.estuary, stage=stage, warehouse=warehouse, outputs=handed_over)
    handed_over |= {f"estuary.{key}": api_key for key, api_key in estuary.api_keys.items()}
    pulumi.export("estuary", {"prefix": estuary.prefix})

if settings.pinecone:
    pinecone = Pinecone("pinecone", settings.pinecone, stage=stage)
    handed_over |= {f"pinecone.{key}": api_key for key, api_key in pinecone.api_keys.items()}
    handed_over |= {f"pinecone.hosts.{key}": host for key, host in pinecone.hosts.items()}
    pulumi.export("pinecone", {"project_id": pinecone.project_id, "hosts": pinecone.hosts})

if settings.qdrant:
    qdrant = Qdrant("qdrant", settings.qdrant, stage=stage, outputs=handed_over)
    handed_over |= {f"qdrant.{key}": api_key for key, api_key in qdrant.api_keys.items()}
    handed_over |= {f"qdrant.addresses.{key}": where for key, where in qdrant.addresses.items()}
    handed_over |= {f"qdrant.management_keys.{key}": api_key for key, api_key in qdrant.management_keys.items()}
    pulumi.export("qdrant", {"addresses": qdrant.addresses})

if settings.kubernetes:
    kubernetes = Kubernetes("kubernetes", settings.kubernetes, stage=stage, outputs=handed_over)
    pulumi.export("kubernetes", {"namespace": kubernetes.namespace})

if settings.vercel:
    vercel = Vercel("vercel", settings.vercel, stage=stage, outputs=handed_over)
    pulumi.export("vercel", {"projects": vercel.project_ids, "urls": vercel.urls})

if settings.github:
    github = GitHub("github", settings.github, stage=stage, outputs=handed_over)
    pulumi.export("github", {"repositories": github.full_names})

wait_for_registrations()
