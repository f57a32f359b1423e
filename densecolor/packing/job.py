"""The work of one packing: tasks handed out, their results gathered into shards, and the folder completed."""

from densecolor.errors import SourceError
from densecolor.packing.encoder import Item
from densecolor.packing.encoder import PartEncoder
from densecolor.packing.encoder import Task
from densecolor.packing.finisher import Finisher
from densecolor.packing.plan import plan_shards
from densecolor.packing.plan import split_of
from densecolor.packing.plan import without_duplicates
from densecolor.packing.rejected import Rejection
from densecolor.packing.rejected import count_kinds
from densecolor.packing.rejected import in_order
from densecolor.packing.unfinished import Unfinished
from densecolor.shards import REJECTED_NAME
from densecolor.shards import Manifest
from densecolor.shards import write_manifest
from densecolor.shards import write_rejected_rows


class Job:
    """One packing.

    Args:
        listing: Source.
        options: PackOptions.
        record: dict, what shards and manifest say of the options.
        origin: str, what the manifest alone says of where the source is.
        salt: bytes that were mixed into the keys, to be kept until the packing is finished; None for plain keys.
        out: Path of the folder to make.
        progress: function (done, total), or None.

    Attributes:
        resumed: pictures that an earlier, interrupted run had done.
    """

    def __init__(self, listing, options, record, origin, salt, out, progress):
        self._listing = listing
        self._options = options
        self._record = record
        self._origin = origin
        self._salt = salt
        self._out = out
        self._progress = progress
        self.resumed = 0
        self._entries, repeated = without_duplicates(listing.entries)
        self._rejections = [
            Rejection(entry.key, split_of(entry, options.validation_fraction), "duplicate key") for entry in repeated
        ]
        self._rejections += [Rejection(key, "", reason) for key, reason in listing.refused]
        self._plans = plan_shards(self._entries, options.shard_size, options.validation_fraction)
        self._done = 0

    def run(self, open_executor):
        """Do what is not done yet.

        Args:
            open_executor: function (function, tasks, advance) -> executor, see `densecolor.packing.executors`.

        Returns:
            Manifest, as it has been written.

        Raises:
            SourceError: no picture is usable, or the source vanished.
            DensecolorError, OSError: OUT cannot be written, or the workers have failed.
        """
        with Unfinished(self._out, {**self._record, "origin": self._origin}, self._salt) as unfinished:
            self._write_shards(unfinished, open_executor)
            shards = [unfinished.done[plan.name] for plan in self._plans]
            for plan, shard in zip(self._plans, shards, strict=True):
                self._rejections += [Rejection(key, plan.split, reason) for key, reason in shard.rejected]
            write_rejected_rows(self._out, in_order(self._rejections))
            infos = [shard.info for shard in shards]
            manifest = Manifest(
                self._options.image_size,
                self._listing.class_names,
                self._record,
                infos,
                len(self._rejections),
                self._origin,
            )
            if manifest.count():
                write_manifest(self._out, manifest)
        if not manifest.count():
            self._give_up(infos)
        return manifest

    def _write_shards(self, unfinished, open_executor):
        plans = [plan for plan in self._plans if plan.name not in unfinished.done]
        self.resumed = len(self._entries) - sum(len(plan.entries) for plan in plans)
        self._advance(self.resumed)
        writer_options = {
            "image_size": self._options.image_size,
            "class_names": self._listing.class_names,
            "options": self._record,
            "compression": self._options.compression,
            "with_mask": self._options.has_masks,
        }
        encoder = PartEncoder(self._listing.reader, self._options, writer_options, unfinished.folder)
        finisher = Finisher(unfinished, plans, writer_options)
        tasks = sum(len(plan.parts) for plan in plans)
        with finisher, open_executor(encoder, tasks, self._advance) as executor:
            for written in executor.run(self._tasks(plans)):
                finisher.add(written)

    def _tasks(self, plans):
        """Yield every `Task`, each made when it is asked for, so that a million take no memory."""
        locate = self._listing.reader.locate
        for plan in plans:
            for name, entries in plan.parts.items():
                yield Task(name, plan.split, [Item(entry.key, entry.label, locate(entry)) for entry in entries])

    def _advance(self, count):
        self._done += count
        if self._progress is not None:
            self._progress(self._done, len(self._entries))

    def _give_up(self, infos):
        for info in infos:
            (self._out / info.name).unlink()
        kinds = count_kinds(rejection.reason for rejection in self._rejections)
        reasons = ", ".join(f"{kind}: {count}" for kind, count in list(kinds.items())[:5])
        raise SourceError(f"None of the images is usable ({reasons}). See {self._out / REJECTED_NAME}.")
