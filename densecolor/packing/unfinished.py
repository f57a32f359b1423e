"""The state of a packing that is not finished: the folder `unfinished` inside OUT, which goes when all is done.

`run.json` says what is packed, and how: the same command goes on, another is refused. For each shard that is done, a
file like `train-00000-of-00012.h5.json` holds its line of the manifest, and what was rejected. All else are shards and
parts in the making, of no use to the next run.
"""

import contextlib
import dataclasses
import fcntl
import json
import shutil
from pathlib import Path

from densecolor.atomic import remove_partial_files
from densecolor.atomic import rename_durably
from densecolor.atomic import sync
from densecolor.atomic import write_atomically
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.shards import REJECTED_NAME
from densecolor.shards import ShardInfo
from densecolor.shards import read_manifest
from densecolor.shards.manifest import MANIFEST_NAME

FOLDER_NAME = "unfinished"
RUN_NAME = "run.json"
SALT_NAME = "salt.json"  # gone with the folder: then nobody can tell a name from its hash
LOCK_NAME = "lock"


@dataclasses.dataclass(frozen=True)
class DoneShard:
    """A shard that is finished, under its final name and on the disk.

    Attributes:
        info: ShardInfo.
        rejected: list of (key, reason).
    """

    info: ShardInfo
    rejected: list


class Unfinished:
    """The state of one packing; use it in a `with` statement, which keeps other processes out of OUT.

    Args:
        out: Path of OUT.
        record: dict, all that decides the contents of the shards, and `origin`.
        salt: bytes to keep for the next run, for this user's eyes only, or None.

    Attributes:
        folder: Path where files in the making belong.
        done: dict, name -> DoneShard.

    Raises:
        DensecolorError: OUT holds anything else than this packing; if another one is unfinished there, the message
            says what differs. Or another process is at work there.
    """

    def __init__(self, out, record, salt=None):
        self._out = out
        self.folder = out / FOLDER_NAME
        self._record = record
        self._salt = salt
        self.done = {}

    def __enter__(self):
        self._check_out()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.folder / LOCK_NAME, "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise DensecolorError(f"Another process is packing into {self._out}. Let it finish, or stop it.") from None
        except OSError:  # a network file system without locks
            pass
        if self._salt is not None:
            write_atomically(self.folder / SALT_NAME, json.dumps(self._salt.hex()), mode=0o600)
        if not (self.folder / RUN_NAME).exists():
            write_atomically(self.folder / RUN_NAME, json.dumps(self._record, indent=1))
        self._remove_scraps()
        self.done = dict(self._read_done())
        return self

    def __exit__(self, error_type, *error):
        with contextlib.suppress(OSError):  # a disk that is full or gone, which is being reported already
            self._remove_scraps()
        if error_type is None:
            shutil.rmtree(self.folder)
        self._lock.close()

    def finish_shard(self, path, info, rejected):
        """Make a shard in the making a finished one: on the disk, on record, then under its final name."""
        sync(path)
        line = {"info": dataclasses.asdict(info), "rejected": rejected}
        write_atomically(self._line_path(info.name), json.dumps(line))
        rename_durably(path, self._out / info.name)
        self.done[info.name] = DoneShard(info, rejected)

    def _line_path(self, name):
        return self.folder / f"{name}.json"

    def _read_done(self):
        for path in self.folder.glob("*.h5.json"):
            with contextlib.suppress(ValueError, KeyError, TypeError):  # damaged: then the shard is made again
                line = json.loads(path.read_text(encoding="utf-8"))
                info, rejected = ShardInfo(**line["info"]), [tuple(rejection) for rejection in line["rejected"]]
                shard = self._out / info.name
                if shard.is_file() and shard.stat().st_size == info.bytes:
                    yield info.name, DoneShard(info, rejected)

    def _remove_scraps(self):
        remove_partial_files(self._out)
        for path in self.folder.iterdir():
            if path.suffix != ".json" and path.name != LOCK_NAME:
                path.unlink(missing_ok=True)

    def _check_out(self):
        out = self._out
        if out.exists() and not out.is_dir():
            raise DensecolorError(f"{out} is a file. Name a folder to be made.")
        run = self.folder / RUN_NAME
        if run.is_file():
            before = _read_json(run)
            if before != self._record:
                raise DensecolorError(
                    f"{out} holds an unfinished packing with other options ({differences(before, self._record)}). Give "
                    "the same command as then to go on, or delete the folder, or name another."
                )
        elif out.is_dir() and not {path.name for path in out.iterdir()} <= {FOLDER_NAME, REJECTED_NAME}:
            raise DensecolorError(f"{out} holds files that are no packing of ours. Name another folder, or empty it.")


def kept_salt(out):
    """The salt of a packing that is not finished, as bytes, or None."""
    path = Path(out) / FOLDER_NAME / SALT_NAME
    return bytes.fromhex(_read_json(path)) if path.is_file() else None


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DensecolorError(f"{path} is damaged. Delete {path.parent.parent} and pack again.") from None


def read_finished(out, record, ignored=()):
    """The manifest of a packing that is finished already, if it is this one; None where OUT has no manifest.

    Args:
        out: Path of OUT.
        record: dict, as for `Unfinished`.
        ignored: names in it that may differ.

    Raises:
        DensecolorError: OUT holds another packed dataset; the message says what differs.
        ShardError: its manifest or one of its shards is damaged or missing.
    """
    if not (Path(out) / MANIFEST_NAME).is_file():
        return None
    manifest = read_manifest(out)
    before = {**manifest.options, "origin": manifest.origin or record["origin"]}
    was, now = ({name: value for name, value in r.items() if name not in ignored} for r in (before, record))
    if was != now:
        raise DensecolorError(
            f"{out} holds a packed dataset with other options ({differences(was, now)}). Delete it, or "
            "name another folder."
        )
    for shard in manifest.shards:
        path = Path(out) / shard.name
        if not path.is_file() or path.stat().st_size != shard.bytes:
            raise ShardError(f"{out} was packed, but {path} is missing or damaged since. Delete {out} to pack again.")
    return manifest


def differences(before, now):
    """What differs between two dicts, in words; of the origin, only that it does.

    Example:
        >>> differences({"image_size": 64, "fit": "crop"}, {"image_size": 128, "fit": "crop"})
        'image_size was 64 and is 128'
    """
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(
        "the source or its masks lay elsewhere"
        if name == "origin"
        else f"{name} was {before.get(name)} and is {now.get(name)}"
        for name in names
    )
