"""Where a source's bytes come from: a folder, a pattern, or an archive that is read without unpacking it.

All have `names`, a sorted list of paths with "/" separators; `place(name)`, which says in few bytes where a file is, so
that workers need no list; `read(place)`, which raises OSError whatever goes wrong with one file, never naming it;
`refused`, what must not or cannot be read, with the reason; and `is_there()`. Hidden files and folders (".git",
"._cat.jpg") and macOS's __MACOSX are not among the names. All are sent to workers without lists and open handles.
"""

from densecolor.packing.files.folder import FolderFiles
from densecolor.packing.files.names import escape_undecodable
from densecolor.packing.files.open import open_files
from densecolor.packing.files.pattern import PatternFiles
from densecolor.packing.files.pattern import fixed_part
from densecolor.packing.files.tar import TarFiles
from densecolor.packing.files.zip import ZipFiles

__all__ = ["FolderFiles", "PatternFiles", "TarFiles", "ZipFiles", "escape_undecodable", "fixed_part", "open_files"]
