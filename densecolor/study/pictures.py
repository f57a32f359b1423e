"""Pictures for a study: matched by name, and copied so that neither name, size nor metadata tell who made them."""

import secrets

from densecolor.errors import StudyError
from densecolor.image_io import encode_image
from densecolor.image_io import find_images_by_name
from densecolor.image_io import read_image
from densecolor.image_io import shrink
from densecolor.image_io import to_rgb8
from densecolor.study.questions import TRUTH

_NAMED = 3  # pictures that an error names


def match_pictures(truth, systems, skip_unmatched=False):
    """Find the versions of every scene.

    Args:
        truth: folder of the true pictures.
        systems: dict of name to folder of the same pictures as that system has coloured them. Names may differ in
            their suffix.
        skip_unmatched: leave out pictures that are not in every folder, instead of an error.

    Returns:
        (scenes, left_out): dict of scene to dict of version to Path, and the number of pictures without a partner.

    Raises:
        StudyError: a picture has no partner, or none has.
        ImageError: a folder is missing or holds no picture.
    """
    folders = {TRUTH: truth, **systems}
    found = {version: find_images_by_name(folder) for version, folder in folders.items()}
    scenes = [scene for scene in found[TRUTH] if all(scene in pictures for pictures in found.values())]
    missing = [
        f"{folders[version]} has no {scene}"
        for scene in sorted({scene for pictures in found.values() for scene in pictures})
        for version, pictures in found.items()
        if scene not in pictures
    ]
    if not scenes:
        raise StudyError(
            f"No picture of {truth} is in every system's folder. Give pictures of one name but for .suffix."
        )
    if missing and not skip_unmatched:
        more = f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise StudyError(
            f"Every picture must be there of every system and of the truth. {'; '.join(missing[:_NAMED])}{more}. Add "
            "or remove them, or use --skip-unmatched to leave them out."
        )
    return {scene: {version: pictures[scene] for version, pictures in found.items()} for scene in scenes}, len(missing)


def copy_scene(versions, folder, max_side):
    """Copy the versions of one scene as PNG under random names.

    Args:
        versions: dict of version to Path; all pictures of one size.
        folder: Path for the copies.
        max_side: pixels; what is larger is reduced.

    Returns:
        dict of version to (file name, width, height).

    Raises:
        StudyError: the versions differ in size.
        ImageError: a picture cannot be read.
    """
    copies = {}
    first = None
    for version, path in versions.items():
        rgb = to_rgb8(read_image(path).pixels)  # alpha is left aside
        first = first or (path, rgb.shape)
        if rgb.shape != first[1]:
            raise StudyError(
                f"{path} is {rgb.shape[1]} x {rgb.shape[0]} pixels, {first[0]} {first[1][1]} x {first[1][0]}. Bring "
                "both to one size first: people would tell them apart by it."
            )
        rgb = shrink(rgb, max_side)
        name = f"{secrets.token_hex(12)}.png"
        (folder / name).write_bytes(encode_image(rgb, ".png"))
        copies[version] = name, rgb.shape[1], rgb.shape[0]
    return copies
