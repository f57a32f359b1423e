"""Read and write `rejected.csv`, the list of inputs that a packed folder does not hold: a key, a split, a reason."""

import csv
import io
from pathlib import Path

from densecolor.atomic import write_atomically
from densecolor.errors import ShardError

REJECTED_NAME = "rejected.csv"
REJECTED_COLUMNS = ("key", "split", "reason")


def read_rejected(folder, count):
    """Read the rows of `rejected.csv`.

    Args:
        folder: a packed folder.
        count: how many rows there must be, as the manifest says. Where it is 0, the file may be missing.

    Returns:
        list of (key, split, reason), three str.

    Raises:
        ShardError: the file is missing, damaged, or has another number of rows.

    Example:
        >>> read_rejected("packed", read_manifest("packed").rejected)
        [('n01443537/empty.JPEG', 'train', 'the file is empty')]
    """
    path = Path(folder) / REJECTED_NAME
    if not path.is_file():
        if count:
            raise ShardError(f"{path} is missing; the manifest says that {count} inputs were rejected.")
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
    except (csv.Error, ValueError) as error:
        raise ShardError(f"{path} is damaged ({error}).") from None
    if tuple(header) != REJECTED_COLUMNS or any(len(row) != len(REJECTED_COLUMNS) for row in rows):
        raise ShardError(f"{path} is damaged or foreign: it has other columns than {', '.join(REJECTED_COLUMNS)}.")
    if len(rows) != count:
        raise ShardError(f"{path} lists {len(rows)} inputs; the manifest says {count}.")
    return [tuple(row) for row in rows]


def write_rejected_rows(folder, rows):
    """Write `rejected.csv`, atomically; it has its header even when nothing was rejected.

    Args:
        folder: a packed folder.
        rows: iterable of (key, split, reason), three str; bytes that are no UTF-8 are escaped.

    Example:
        >>> write_rejected_rows("packed", [("n01443537/empty.JPEG", "train", "the file is empty")])
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(REJECTED_COLUMNS)
    table.writerows(rows)
    write_atomically(Path(folder) / REJECTED_NAME, text.getvalue().encode("utf-8", "backslashreplace"))
