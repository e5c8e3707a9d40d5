"""What a piece of work needed at most, on a CPU: the process's own high water mark."""

import sys

import pytest
import torch

from videoxl2.network.memory import PeakMemory, device_name

CPU = torch.device("cpu")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the mark")
def test_the_peak_is_that_of_the_work_at_hand():
    """What was freed meanwhile counts; what came before does not."""
    memory = PeakMemory(CPU)
    memory.begin()
    before = memory.num_bytes()
    block = torch.ones(100 << 20, dtype=torch.uint8)
    del block
    assert 90 << 20 < memory.num_bytes() - before < 160 << 20
    memory.begin()
    assert memory.num_bytes() - before < 60 << 20


def test_a_device_has_a_name():
    """For the table `attempts`."""
    assert device_name(CPU) == "cpu"
