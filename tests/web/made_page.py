"""A server process of the page, and a client that knows no browser."""

import contextlib
import json
import os
import subprocess
import sys

import httpx

# The model is made by the server's process, which has Keras in any case: importing it takes longest.
SERVE = """
import pathlib, sys
from densecolor.checkpoint import save_model
from densecolor.cli.web import main
from densecolor.models import MaskGuidedColorizer
path = pathlib.Path(sys.argv.pop(1))
if not path.exists():
    save_model(MaskGuidedColorizer("unet", {"filters": [4, 8]}, mask_width=4), path)
main()
"""


@contextlib.contextmanager
def serving(*options, folder):
    """A server process that offers the default model and an untrained mask-guided one, "models/guided.keras".

    Args:
        options: of the command.
        folder: `pathlib.Path` for its temporary files.

    Yields:
        the address that it prints. It is ended by SIGTERM, after which nothing must be left.
    """
    model = folder / "models" / "guided.keras"
    model.parent.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(model), "--model", str(model), "--port", "0", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if line.startswith("Open "):
                break
        assert "".join(lines[-1:]).startswith("Open "), "".join(lines)
        yield lines[-1].split()[1]
    finally:
        process.terminate()
        rest = process.stderr.read()
        process.wait()
        process.stderr.close()
    assert rest.strip() == "Stopped, and everything that was uploaded is removed."
    # TensorFlow leaves modules where a signal ends it, and Gradio an empty folder of its own.
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("__autograph")]
    assert {path.parent for path in files} == {model.parent}


class Client:
    """One person without scripts.

    Args:
        address: with the token.
    """

    def __init__(self, address):
        self.base, _, self.token = address.partition("/?token=")
        self.http = httpx.Client(base_url=self.base, timeout=None)
        self.http.get("/", params={"token": self.token} if self.token else None, follow_redirects=True)
        config = self.http.get("/config").json()
        self.inputs = {}
        for each in config["dependencies"]:
            self.inputs.setdefault(each["api_name"], each)
        self.components = {each["id"]: each for each in config["components"]}

    def upload(self, name, data):
        """The server's path of an uploaded file, or the response where it was refused."""
        response = self.http.post("/gradio_api/upload", files={"files": (name, data)})
        return response.json()[0] if response.status_code == 200 else response

    def colorize(self, *paths, **changed):
        """Press the button: (output by label, None) or (None, message).

        Args:
            paths: what `upload` returned.
            changed: values of inputs by their label, in place of those that the page starts with.
        """
        return self.join("colorize", {"pictures": [as_file(path) for path in paths], **changed})

    def join(self, name, changed, session="person"):
        """Call one of the page's functions as its scripts do."""
        wanted = self.inputs[name]
        data = [self._value(number, changed) for number in wanted["inputs"]]
        joined = self.http.post(
            "/gradio_api/queue/join", json={"data": data, "fn_index": wanted["id"], "session_hash": session}
        )
        if joined.status_code != 200:
            return None, joined
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as events:
            for line in events.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") == "process_completed":
                    break
        if not message["success"]:
            return None, message["output"]["error"]
        return dict(zip(map(self._key, wanted["outputs"]), message["output"]["data"], strict=True)), None

    def _value(self, number, changed):
        return changed.get(self._key(number), self.components[number]["props"].get("value"))

    def _key(self, number):
        return self.components[number]["props"].get("elem_id") or self.components[number]["type"]

    def fetch(self, file):
        """The bytes of a file that an output names."""
        return self.http.get(f"/gradio_api/file={file['path']}")


def as_file(path):
    """A file as the page's scripts name it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
