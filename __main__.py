"""Sophia AI: settings in, the components of the estate in the order of their dependencies, outputs out.

What one component makes and another needs is handed over by name: a setting that says ``output: openrouter.web`` gets
what stands under that name in ``handed_over``. A platform is imported where it is deployed: a stack loads what it has.
"""

import pulumi

from components.estate import Estate
from components.settings import Stage, configured, load_settings
from components.takeover import take_over_interrupted
from components.waiting import wait_for_registrations
from components.warehouse import Warehouse

stage = Stage.current()
settings = load_settings(Estate.of(configured()))
handed_over: dict[str, pulumi.Input[str]] = {}
take_over_interrupted()

if settings.slack:
    from components.slack import Slack

    slack = Slack("slack", settings.slack, outputs=handed_over)
    handed_over |= {f"slack.channels.{key}": channel for key, channel in slack.channel_ids.items()}
    handed_over |= {f"slack.usergroups.{key}": group for key, group in slack.usergroup_ids.items()}
    handed_over |= {f"slack.signing_secrets.{key}": secret for key, secret in slack.signing_secrets.items()}
    handed_over |= {f"slack.client_secrets.{key}": secret for key, secret in slack.client_secrets.items()}
    handed_over |= {f"slack.webhooks.{key}": url for key, url in slack.webhook_urls.items()}
    pulumi.export(
        "slack",
        {"channels": slack.channel_ids, "usergroups": slack.usergroup_ids, "install_urls": slack.install_urls},
    )

if settings.openrouter:
    from components.openrouter import OpenRouter

    openrouter = OpenRouter("openrouter", settings.openrouter, outputs=handed_over)
    handed_over |= {f"openrouter.{key}": api_key for key, api_key in openrouter.api_keys.items()}
    handed_over |= {f"openrouter.models.{task}": model for task, model in openrouter.models.items()}
    handed_over |= {f"openrouter.presets.{key}": preset for key, preset in openrouter.presets.items()}
    pulumi.export(
        "openrouter",
        {"workspace_id": openrouter.workspace_id, "models": openrouter.models, "presets": openrouter.presets},
    )

if settings.portkey:
    from components.portkey import Portkey

    portkey = Portkey("portkey", settings.portkey, stage=stage, outputs=handed_over)
    handed_over |= {f"portkey.{key}": api_key for key, api_key in portkey.api_keys.items()}
    handed_over |= {f"portkey.configs.{key}": slug for key, slug in portkey.configs.items()}
    handed_over |= {f"portkey.prompts.{key}": slug for key, slug in portkey.prompts.items()}
    pulumi.export(
        "portkey",
        {"workspace_id": portkey.workspace_id, "configs": portkey.configs, "prompts": portkey.prompts},
    )

if settings.aws:  # Snowflake must be told of its role before that role can trust what Snowflake makes of it
    from components.aws.account import account_of, names

    handed_over |= names(settings.aws, account_of(settings.aws))

warehouse = Warehouse()
if settings.snowflake:
    from components.keys import Keys
    from components.snowflake import Snowflake

    keys = Keys("keys", {key: user.key_generation for key, user in settings.snowflake.users.items()})
    snowflake = Snowflake(
        "snowflake",
        settings.snowflake,
        stage=stage,
        public_keys=keys.public_keys,
        second_public_keys=keys.second_public_keys,
        outputs=handed_over,
    )
    warehouse = Warehouse(snowflake.logins, keys.private_keys, snowflake.schemas)
    handed_over |= {f"snowflake.{user}.private_key": private_key for user, private_key in keys.private_keys.items()}
    handed_over |= {f"snowflake.queues.{pipe}": queue for pipe, queue in snowflake.queues.items()}
    handed_over |= {f"snowflake.trust.{member}": value for member, value in snowflake.trust().items()}
    pulumi.export("snowflake", {"account": snowflake.account, "database": snowflake.database})

if settings.dashboard:
    from components.dashboard import Dashboard

    dashboard = Dashboard("dashboard", settings.dashboard, snowflake=snowflake)
    pulumi.export("dashboard", {"page": dashboard.page, "views": dashboard.views})

if settings.aws:
    from components.aws import AWS

    aws = AWS("aws", settings.aws, stage=stage, account=account_of(settings.aws), outputs=handed_over)
    handed_over |= {f"aws.roles.{key}": role for key, role in aws.roles.items()}
    pulumi.export("aws", {"account": aws.account, "key": aws.key, "roles": aws.roles, "buckets": aws.buckets})

if settings.airbyte:
    from components.airbyte import Airbyte

    airbyte = Airbyte("airbyte", settings.airbyte, stage=stage, warehouse=warehouse, outputs=handed_over)
    pulumi.export("airbyte", {"workspace_id": airbyte.workspace_id, "connections": airbyte.connection_ids})

if settings.estuary:
    from components.estuary import Estuary

    estuary = Estuary("estuary", settings.estuary, stage=stage, warehouse=warehouse, outputs=handed_over)
    handed_over |= {f"estuary.{key}": api_key for key, api_key in estuary.api_keys.items()}
    pulumi.export("estuary", {"prefix": estuary.prefix})

if settings.hubspot:
    from components.hubspot import HubSpot

    hubspot = HubSpot("hubspot", settings.hubspot, stage=stage)
    handed_over |= {f"hubspot.properties.{key}": name for key, name in hubspot.property_names.items()}
    handed_over |= {f"hubspot.pipelines.{key}": pipeline for key, pipeline in hubspot.pipeline_ids.items()}
    handed_over |= {f"hubspot.stages.{key}": stage_id for key, stage_id in hubspot.stage_ids.items()}
    handed_over |= {f"hubspot.lists.{key}": list_id for key, list_id in hubspot.list_ids.items()}
    pulumi.export(
        "hubspot",
        {
            "portal_id": hubspot.portal_id,
            "object_types": hubspot.object_type_ids,
            "pipelines": hubspot.pipeline_ids,
            "stages": hubspot.stage_ids,
            "association_types": hubspot.association_type_ids,
            "lists": hubspot.list_ids,
        },
    )

if settings.pinecone:
    from components.pinecone import Pinecone

    pinecone = Pinecone("pinecone", settings.pinecone, stage=stage)
    handed_over |= {f"pinecone.{key}": api_key for key, api_key in pinecone.api_keys.items()}
    handed_over |= {f"pinecone.hosts.{key}": host for key, host in pinecone.hosts.items()}
    pulumi.export("pinecone", {"project_id": pinecone.project_id, "hosts": pinecone.hosts})

if settings.qdrant:
    from components.qdrant import Qdrant

    qdrant = Qdrant("qdrant", settings.qdrant, stage=stage, outputs=handed_over)
    handed_over |= {f"qdrant.{key}": api_key for key, api_key in qdrant.api_keys.items()}
    handed_over |= {f"qdrant.addresses.{key}": where for key, where in qdrant.addresses.items()}
    handed_over |= {f"qdrant.management_keys.{key}": api_key for key, api_key in qdrant.management_keys.items()}
    pulumi.export("qdrant", {"addresses": qdrant.addresses})

if settings.lambda_labs:
    from components.lambda_labs import LambdaLabs

    lambda_labs = LambdaLabs("lambda-labs", settings.lambda_labs, stage=stage, outputs=handed_over)
    pulumi.export("lambda_labs", {"addresses": lambda_labs.addresses, "placements": lambda_labs.placements})

if settings.gong:  # what runs in the cluster checks what Gong sends
    from components.gong import Gong

    gong = Gong("gong", settings.gong)
    handed_over |= {f"gong.webhook_keys.{key}": public_key for key, public_key in gong.webhook_keys.items()}
    pulumi.export("gong", {"workspaces": gong.workspace_ids, "profiles": gong.profile_ids})

if settings.kubernetes:
    from components.kubernetes import Kubernetes

    kubernetes = Kubernetes("kubernetes", settings.kubernetes, stage=stage, outputs=handed_over)
    pulumi.export("kubernetes", {"namespace": kubernetes.namespace})

if settings.figma:  # n8n is handed the passcodes that it compares
    from components.figma import Figma

    figma = Figma("figma", settings.figma, stage=stage)
    handed_over |= {f"figma.passcodes.{key}": passcode for key, passcode in figma.passcodes.items()}
    pulumi.export("figma", {"webhooks": figma.webhook_ids, "files": figma.file_names})

if settings.linear:
    from components.linear import Linear

    linear = Linear("linear", settings.linear, stage=stage)
    handed_over |= {f"linear.teams.{key}": team for key, team in linear.team_ids.items()}
    handed_over |= {f"linear.states.{key}": state for key, state in linear.state_ids.items()}
    handed_over |= {f"linear.labels.{key}": label for key, label in linear.label_ids.items()}
    handed_over |= {f"linear.templates.{key}": template for key, template in linear.template_ids.items()}
    handed_over |= {f"linear.webhooks.{key}": secret for key, secret in linear.webhook_secrets.items()}
    pulumi.export("linear", {"teams": linear.team_ids, "projects": linear.project_urls})

if settings.usergems:  # n8n is handed the secrets that it compares
    from components.usergems import UserGems

    usergems = UserGems("usergems", settings.usergems)
    handed_over |= {f"usergems.webhooks.{key}": secret for key, secret in usergems.secrets.items()}
    pulumi.export("usergems", usergems.record)

if settings.n8n:
    from components.n8n import N8n

    n8n = N8n("n8n", settings.n8n, stage=stage, outputs=handed_over)
    handed_over |= {f"n8n.tokens.{key}": token for key, token in n8n.tokens.items()}
    pulumi.export("n8n", {"workflows": n8n.workflow_ids})

if settings.nmhc:
    from components.nmhc import NMHC

    nmhc = NMHC(
        "nmhc",
        settings.nmhc,
        stage=stage,
        snowflake=snowflake,
        warehouse=warehouse,
        connections=settings.airbyte.connections if settings.airbyte else {},
        n8n=n8n if settings.n8n else None,
    )
    pulumi.export("nmhc", {"table": nmhc.table, "opportunities": nmhc.opportunities, "workflows": nmhc.workflow_ids})

if settings.asana:  # its webhooks are answered by n8n while they are made
    from components.asana import Asana

    asana = Asana("asana", settings.asana, stage=stage, receivers=[n8n] if settings.n8n else [])
    handed_over |= {f"asana.projects.{key}": project for key, project in asana.project_ids.items()}
    handed_over |= {f"asana.sections.{key}": section for key, section in asana.section_ids.items()}
    handed_over |= {f"asana.fields.{key}": field for key, field in asana.field_ids.items()}
    handed_over |= {f"asana.webhooks.{key}": secret for key, secret in asana.webhook_secrets.items()}
    pulumi.export("asana", {"workspace_id": asana.workspace_id, "projects": asana.project_ids})

if settings.apollo:
    from components.apollo import Apollo

    apollo = Apollo("apollo", settings.apollo)
    handed_over |= {f"apollo.fields.{key}": field for key, field in apollo.field_ids.items()}
    handed_over |= {f"apollo.lists.{key}": list_id for key, list_id in apollo.list_ids.items()}
    handed_over |= {f"apollo.sequences.{key}": sequence for key, sequence in apollo.sequence_ids.items()}
    pulumi.export("apollo", {"fields": apollo.field_ids, "lists": apollo.list_ids, "sequences": apollo.sequence_ids})

if settings.vercel:
    from components.vercel import Vercel

    vercel = Vercel("vercel", settings.vercel, stage=stage, outputs=handed_over)
    handed_over |= {f"vercel.tokens.{key}": token for key, token in vercel.tokens.items()}
    handed_over |= {f"vercel.webhooks.{key}": secret for key, secret in vercel.webhook_secrets.items()}
    handed_over |= {f"vercel.drains.{key}": secret for key, secret in vercel.drain_secrets.items()}
    handed_over |= {f"vercel.bypasses.{key}": secret for key, secret in vercel.bypasses.items()}
    pulumi.export("vercel", {"projects": vercel.project_ids, "urls": vercel.urls})

if settings.github:
    from components.github import GitHub

    github = GitHub("github", settings.github, stage=stage, outputs=handed_over)
    handed_over |= {f"github.webhooks.{key}": secret for key, secret in github.webhook_secrets.items()}
    pulumi.export("github", {"repositories": github.full_names, "teams": github.team_ids})

if settings.incidents:
    from components.incidents import Incidents

    incidents = Incidents(
        "incidents",
        settings.incidents,
        stage=stage,
        teams=settings.monitoring.teams if settings.monitoring else {},
        templates=settings.linear,
        slack=slack if settings.slack else None,
        linear=linear if settings.linear else None,
        asana=asana if settings.asana else None,
        n8n=n8n if settings.n8n else None,
        github=github if settings.github else None,
        vercel=vercel if settings.vercel else None,
        repositories={key: its.name for key, its in settings.github.repositories.items()} if settings.github else {},
        outputs=handed_over,
    )
    pulumi.export("incidents", {"workflows": incidents.workflow_ids, "reminders": incidents.reminders})

if settings.competitors:
    from components.competitors import Competitors

    competitors = Competitors(
        "competitors",
        settings.competitors,
        stage=stage,
        snowflake=snowflake,
        warehouse=warehouse,
        n8n=n8n,
        slack=slack,
    )
    handed_over |= {f"competitors.views.{key}": view for key, view in competitors.views.items()}
    pulumi.export(
        "competitors", {"workflows": competitors.workflow_ids, "findings": competitors.views["open-findings"]}
    )

if settings.monitoring:  # Alertmanager is handed the token that n8n asks for
    from components.monitoring import Monitoring

    carried = settings.incidents.alerts if settings.incidents else None
    monitoring = Monitoring(
        "monitoring",
        settings.monitoring,
        stage=stage,
        workloads=kubernetes.workloads,
        platforms=["pulumi", *(name for name, its in settings if its is not None and its.asked)],
        outputs=handed_over,
        carried=carried.severities if carried else (),
        incidents_token=incidents.alert_token if carried else None,
    )
    pulumi.export("monitoring", {"addresses": monitoring.addresses})

wait_for_registrations()
