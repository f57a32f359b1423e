"""Layout `glob`: the pictures that a pattern such as "scans/**/*.png" names."""

from densecolor.errors import SourceError
from densecolor.packing.files import PatternFiles
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import PictureReader
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.base import refused_images


def list_glob(location):
    """List the pictures that a pattern names, or one picture. They have no classes.

    Returns:
        Source; keys are paths below the part of the pattern that has no wildcard.

    Raises:
        SourceError: the location is neither a pattern nor a picture.
    """
    files = location.container
    if not isinstance(files, PatternFiles):
        raise SourceError(f"Layout glob wants a pattern or a picture. Received: {location.path}.")
    entries = [Entry(escape_undecodable(name), name) for name in files.names if is_image_name(name)]
    return Source("glob", PictureReader(files), entries, [], refused=refused_images(files))
