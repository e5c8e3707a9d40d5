"""What reads signals needs no model: neither the driver nor a worker loads what runs one."""

import subprocess
import sys

_READ = """
import sys
import jobs.driver.run, jobs.workers.postprocessing.tasks
from jobs.settings.config import Settings
from jobs.signals.known import signals_named
import videoxl2.captions
print(sorted({"torch", "transformers", "safetensors"} & sys.modules.keys()))
"""


def test_signals_load_no_torch():
    """Nor anything else of a model's path."""
    done = subprocess.run([sys.executable, "-c", _READ], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
