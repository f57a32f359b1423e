"""Sources that several tests make, and what they hold."""

import io
import tarfile


def listed(source):
    """The label and split of every picture, by key."""
    return {entry.key: (entry.label, entry.split) for entry in source.entries}


def touch(folder, *names):
    """Make empty files in a folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def write_files(folder, contents):
    """Write files: a dict, name -> bytes or text."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def tar_bytes(members, kind=tarfile.PAX_FORMAT, mode="w"):
    """A tar of (name, bytes) pairs; in place of the bytes may stand a finished TarInfo."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=kind) as archive:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def write_tar(path, members, kind=tarfile.PAX_FORMAT, mode="w"):
    """Write such a tar to a file."""
    path.write_bytes(tar_bytes(members, kind, mode))
    return path
