"""How a machine without Pulumi gets an engine, pinned: `engine.ensure()`.

An engine is the `pulumi` command with the Python language host and the dynamic provider beside it.
"""

from .choose import ensure as ensure
from .model import Attempt as Attempt
from .model import Engine as Engine
from .model import EngineUnavailable as EngineUnavailable
