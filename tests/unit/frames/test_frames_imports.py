"""What importing costs."""

import subprocess
import sys


def _loaded(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_importing_the_package_loads_nothing_heavy():
    """`import videoxl2` is free; the frame reader needs PyAV and numpy and never the model's libraries."""
    heavy = {"av", "numpy", "torch", "transformers", "PIL", "ray", "pyarrow"}
    assert not _loaded("import videoxl2") & heavy
    assert _loaded("import videoxl2.frames") & heavy <= {"av", "numpy"}


def test_captions_load_no_more_than_frames_do():
    """Neither the model's libraries nor ttconv, which only TTML needs."""
    assert _loaded("import videoxl2.captions") & {"torch", "transformers", "PIL", "ttconv"} == set()
