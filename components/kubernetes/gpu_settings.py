"""``kubernetes.gpu``: how GPUs are offered to pods."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.kubernetes.values import Image, LabelName, LabelValue, Resources
from components.settings import Settings


class GpuSettings(Settings):
    """The NVIDIA device plugin with time-slicing. ``replicas`` is into how many one GPU is divided: 4 make quarters.

    ``nodes`` are the labels of the nodes with GPUs: those that the stage's own instances join the cluster with, so that
    the plugins of two stages in one cluster never meet on a node. Pods that ask for a GPU run on the same nodes.
    """

    image: Image
    replicas: Annotated[int, Field(ge=1, le=32)] = 4
    nodes: Annotated[dict[LabelName, LabelValue], Field(min_length=1)]
    resources: Resources = Resources(cpu_request="50m", memory_request="64Mi", cpu_limit="200m", memory_limit="256Mi")
