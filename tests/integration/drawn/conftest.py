"""The generator and the recipe are scripts in infra/small; tests import them from there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "infra" / "small"))
