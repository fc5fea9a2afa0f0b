"""An object of every kind of the real platforms: as it is asked for, and as its vendor shows it."""

from __future__ import annotations

from tests.unit.shown import (
    airbyte,
    apollo,
    asana,
    estuary,
    figma,
    gong,
    hubspot,
    lambda_labs,
    linear,
    n8n,
    openrouter,
    pinecone,
    qdrant,
    slack,
    vercel,
)
from tests.unit.shown.example import Examples

SHOWN: Examples = {
    **airbyte.SHOWN,
    **apollo.SHOWN,
    **asana.SHOWN,
    **estuary.SHOWN,
    **figma.SHOWN,
    **gong.SHOWN,
    **hubspot.SHOWN,
    **lambda_labs.SHOWN,
    **linear.SHOWN,
    **n8n.SHOWN,
    **openrouter.SHOWN,
    **pinecone.SHOWN,
    **qdrant.SHOWN,
    **slack.SHOWN,
    **vercel.SHOWN,
}
