"""What in the current folder would be imported instead of what is installed.

Workers never look there by themselves (`jobs.cluster.joining`); an entry of PYTHONPATH can still lead them to
it, an empty one included, as `export PYTHONPATH=$PYTHONPATH:/opt/x` makes one.
"""

import os
from pathlib import Path

IMPORTED = ("av", "boto3", "duckdb", "numpy", "pyarrow", "ray", "torch", "transformers")


def names_in_the_way() -> list[str]:
    """Libraries that a run needs and that would come from this folder, as PYTHONPATH names it."""
    entries = os.environ.get("PYTHONPATH", "")
    here = Path.cwd()
    if not entries or all(Path(entry).absolute() != here for entry in entries.split(os.pathsep)):
        return []
    return [name for name in IMPORTED if (here / name).is_dir() or (here / f"{name}.py").is_file()]
