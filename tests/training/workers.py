"""Processes that train together, for tests."""

import contextlib
import json
import os
import socket
import subprocess
import sys

HANGS = 900  # seconds after which a test gives up on a process

COMMAND = "from densecolor.cli.train import main; main()"


def free_addresses(count):
    """Addresses of ports on this machine that nothing uses now, "localhost:port"."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [f"localhost:{one.getsockname()[1]}" for one in sockets]


def start(script, *arguments, tf_config=None):
    """Start a Python process; its output goes to pipes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_CONFIG", "SLURM"))}
    if tf_config is not None:
        environment["TF_CONFIG"] = tf_config
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(*processes):
    """Wait for processes; a hanging one fails the test, and none is left behind.

    Returns:
        list of (exit status, stdout, stderr).
    """
    try:
        output = [process.communicate(timeout=HANGS) for process in processes]
        return [(process.returncode, *texts) for process, texts in zip(processes, output, strict=True)]
    finally:
        for process in processes:
            process.kill()


def tf_config(addresses, index):
    """TF_CONFIG for one worker."""
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
