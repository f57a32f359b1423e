import hashlib
import stat

import pytest

from densecolor.errors import SourceError
from densecolor.packing.anonymous import anonymise
from densecolor.packing.anonymous import read_salt
from densecolor.packing.anonymous import write_mapping
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source

SALT = bytes(range(32))


def make_source():
    entries = [
        Entry("Zweistein/1.dcm", "Zweistein/1.dcm", split="train", group="P1"),
        Entry("Zweistein/2.dcm#0001", "Zweistein/2.dcm", frame=1, group="P1"),
        Entry("Ärztin\n/3.dcm", "Ärztin\n/3.dcm"),
    ]
    return Source("dicom", None, entries, [], is_private=True, refused=[("../Zweistein", "leads out")])


def test_keys_are_salted_hashes():
    hidden, pairs = anonymise(make_source(), SALT)
    # BLAKE2b with the salt as its key: without it, hashes of likely names could be compared.
    expected = hashlib.blake2b(b"Zweistein/1.dcm", key=SALT, digest_size=16).hexdigest()
    assert hidden.entries[0].key == expected
    assert pairs[0] == (expected, "Zweistein/1.dcm")
    assert [key for _, key in pairs] == [entry.key for entry in make_source().entries] + ["../Zweistein"]
    assert len({key for key, _ in pairs}) == 4
    assert hidden.refused == [(pairs[3][0], "leads out")]


def test_groups_are_hashed_and_stay_groups():
    first, second, alone = anonymise(make_source(), SALT)[0].entries
    assert first.group == second.group != "P1"
    assert alone.group is None
    assert (first.split, second.frame, second.path) == ("train", 1, "Zweistein/2.dcm")


def test_another_salt_gives_other_keys():
    one, two = (anonymise(make_source(), salt)[0].entries for salt in (SALT, SALT[::-1]))
    assert not {entry.key for entry in one} & {entry.key for entry in two}
    assert one == anonymise(make_source(), SALT)[0].entries


def test_mapping_is_private_and_gives_the_salt_back(tmp_path):
    path = tmp_path / "mapping.csv"
    _, pairs = anonymise(make_source(), SALT)
    write_mapping(path, SALT, pairs)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_salt(path) == SALT
    assert path.read_bytes().decode().count("Zweistein") == 3
    assert list(tmp_path.iterdir()) == [path]


def test_mapping_that_others_could_read_becomes_private(tmp_path):
    path = tmp_path / "mapping.csv"
    write_mapping(path, SALT, [])
    path.chmod(0o644)
    write_mapping(path, SALT, [("ab", "x")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_mapping_keeps_the_rows_of_earlier_packings(tmp_path):
    path = tmp_path / "mapping.csv"
    _, pairs = anonymise(make_source(), SALT)
    write_mapping(path, SALT, pairs)
    before = path.read_bytes()
    write_mapping(path, SALT, pairs)
    assert path.read_bytes() == before
    write_mapping(path, SALT, [("ab", "new\r\nname")])
    assert path.read_bytes().startswith(before)
    write_mapping(path, SALT, [("ab", "new\r\nname")])
    assert path.read_bytes().count(b"new") == 1


@pytest.mark.parametrize(
    "content", [b"", b"key,path\r\n", b"key,path\r\nsalt,xyz\r\n", b"a,b\r\nsalt,00\r\n", b"\xff\xfe", b"key,path\n1\n"]
)
def test_another_file_is_no_mapping_and_stays_as_it_is(tmp_path, content):
    path = tmp_path / "thesis.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"thesis\.csv is no mapping that densecolor-pack wrote"):
        read_salt(path)
    with pytest.raises(SourceError, match="is no mapping"):
        write_mapping(path, SALT, [("ab", "x")])
    assert path.read_bytes() == content


@pytest.mark.parametrize("salt", ["", "ab", "00" * 65, "xyz"])
def test_a_salt_that_does_not_hide_is_refused(tmp_path, salt):
    path = tmp_path / "mapping.csv"
    path.write_text(f"key,path\nsalt,{salt}\n")
    with pytest.raises(SourceError, match="is no mapping"):
        read_salt(path)
