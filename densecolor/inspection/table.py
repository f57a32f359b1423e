"""What `densecolor-inspect` shows on screen."""

import json

import rich.box
import rich.console
import rich.table
import rich.text

MAX_ROWS = 20  # of shards, and of classes


def inspection_table(inspection):
    """A summary, the splits, the shards and the classes of an `Inspection`.

    Args:
        inspection: Inspection.

    Returns:
        A group of rich renderables.
    """
    parts = [_summary(inspection), _splits(inspection), *_shards(inspection)]
    if inspection.class_names:
        parts += _classes(inspection)
    return rich.console.Group(*parts)


def _summary(inspection):
    table = _new_table("", "", show_header=False)
    side = inspection.image_size
    masks = sum(shard.count for shard in inspection.shards if shard.has_masks)
    rows = {
        "Pictures": f"{inspection.count():,} of {side} x {side} pixels, {_megabytes(inspection.bytes)} MB",
        "Labelled": f"{inspection.labelled:,}, {len(inspection.class_names):,} classes",
        "With masks": f"{masks:,}",
        "Rejected": _rejected(inspection),
        "Original height": _extent(inspection.heights),
        "Original width": _extent(inspection.widths),
        "Options": _options(inspection.options),
    }
    for name, value in rows.items():
        table.add_row(name, rich.text.Text(value))
    return table


def _rejected(inspection):
    if inspection.rejected is None:
        return "only the manifest of the folder knows"
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in inspection.reasons.items())
    return f"{inspection.rejected:,}{f' ({reasons})' if reasons else ''}"


def _extent(extent):
    if extent is None:
        return ""
    return f"from {extent.min:,} to {extent.max:,} pixels, median {extent.median:,.0f}"


def _options(options):
    merged = options.get("merged")
    if merged is not None:
        return "\n".join([f"merged from {len(merged)} folders:", *map(_options, merged)])
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in options.items()
    )


def _splits(inspection):
    table = _new_table("Split", "Pictures", "Shards", "Labelled", "MB")
    for split in inspection.splits:
        shards = [shard for shard in inspection.shards if shard.split == split]
        labelled = sum(shard.labelled for shard in shards)
        size = _megabytes(sum(shard.bytes for shard in shards))
        table.add_row(split, f"{inspection.count(split):,}", f"{len(shards):,}", f"{labelled:,}", size)
    return table


def _shards(inspection):
    table = _new_table("Shard", "Pictures", "Labelled", "MB", "Masks")
    for shard in inspection.shards[:MAX_ROWS]:
        masks = "yes" if shard.has_masks else "no"
        name = rich.text.Text(shard.name)
        table.add_row(name, f"{shard.count:,}", f"{shard.labelled:,}", _megabytes(shard.bytes), masks)
    return [table, *_note_of_rest(len(inspection.shards), "shards")]


def _classes(inspection):
    splits = inspection.splits
    table = _new_table("Class", "Label", *splits)
    rows = inspection.class_rows()
    for row in rows[:MAX_ROWS]:
        table.add_row(rich.text.Text(row["name"]), str(row["label"]), *(f"{row[split]:,}" for split in splits))
    totals = [(sum(row[split] for split in splits), row["name"]) for row in rows]
    (fewest, rarest), (most, commonest) = min(totals), max(totals)
    range_of_counts = f"From {fewest:,} pictures of {rarest!r} to {most:,} of {commonest!r}."
    return [table, *_note_of_rest(len(rows), "classes"), rich.text.Text(range_of_counts)]


def _note_of_rest(count, things):
    if count <= MAX_ROWS:
        return []
    return [rich.text.Text(f"... and {count - MAX_ROWS:,} more {things}; --json lists them all.", style="dim")]


def _megabytes(size):
    return f"{size / 1e6:,.1f}"


def _new_table(first, *others, show_header=True):
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, show_header=show_header)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right" if show_header else "left", overflow="fold")
    return table
