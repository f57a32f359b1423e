"""A process ends by itself while an iterator that reads ahead is alive."""

import subprocess
import sys

LOOP = """
import sys
from densecolor.dataset import load
batches = iter(load(sys.argv[1], batch_size=4, repeat=True, augment=True))
for _ in range(3):
    next(batches)
print("the last line", flush=True)
"""


def test_an_endless_iterator_does_not_keep_the_process(packed):
    command = [sys.executable, "-c", LOOP, packed]
    # Without a limit, a process that does not end would never fail; ending takes half a second.
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert (result.stdout, result.returncode) == ("the last line\n", 0)
    assert "Error" not in result.stderr
    assert "StopIteration" not in result.stderr
