"""Where things lie in the repository, so that a test may stand in any folder."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
