"""The policy pack, as the engine starts it (``pulumi up --policy-pack policies``)."""

import sys
from pathlib import Path

# The engine runs this folder, and not the package that it is: what it imports is found one folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))

from policies.crossguard import serve

serve()
