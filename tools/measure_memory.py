"""Peak memory of a command and all the processes that it starts.

    python tools/measure_memory.py COMMAND...

Prints the highest sum of their proportional set sizes (pages that several share count once in all) and the highest
resident set of a single process, looked at 20 times a second. Linux only.
"""

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

INTERVAL = 0.05  # seconds


def memory_of_group(group):
    """Memory of all processes of a process group.

    Returns:
        (sum of the proportional set sizes, largest resident set), in bytes.
    """
    total = largest = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ProcessLookupError):  # it has ended meanwhile
            if os.getpgid(int(folder.name)) == group:
                sizes = dict(re.findall(r"(\w+): +(\d+) kB", (folder / "smaps_rollup").read_text()))
                total += 1024 * int(sizes["Pss"])
                largest = max(largest, 1024 * int(sizes["Rss"]))
    return total, largest


def main():
    """Run the command and print its peaks."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    process = subprocess.Popen(sys.argv[1:], start_new_session=True)
    peak = peak_of_one = 0
    while process.poll() is None:
        total, largest = memory_of_group(process.pid)
        peak, peak_of_one = max(peak, total), max(peak_of_one, largest)
        time.sleep(INTERVAL)
    print(f"peak: {peak / 1e6:,.0f} MB in all, {peak_of_one / 1e6:,.0f} MB resident in one process")
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
