"""ImageNet's synsets: what they are called, in the files that are distributed with it."""

import collections

SYNSET_FILES = ("LOC_synset_mapping.txt", "synset_words.txt", "words.txt")  # `n01440764 tench, Tinca tinca`


def human_names(wnids, words):
    """The first synonym of each class, with its wnid where another class has the same ("crane").

    Args:
        wnids: list of str such as "n02012849".
        words: dict, wnid -> synonyms with commas between them; without an entry, the wnid is the name.

    Returns:
        list of str.
    """
    names = [words.get(wnid, wnid).split(",")[0] for wnid in wnids]
    times = collections.Counter(names)
    return [name if times[name] == 1 else f"{name} ({wnid})" for name, wnid in zip(names, wnids, strict=True)]


def parse_synsets(text):
    """The lines of one of `SYNSET_FILES` as a dict, wnid -> synonyms, in their order."""
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return {line[0]: line[1].strip() for line in lines if len(line) == 2}
