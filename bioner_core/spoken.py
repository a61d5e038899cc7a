"""Counts and lengths of time for a person."""

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def spoken_count(number: int, noun: str) -> str:
    """A number with its noun, whose plural has an s: '1 shard', '2 shards', '0 files', '3 entities', '12 rows of text'.

    Of a noun with words behind it, as in 'row of text', the first word takes the s.
    """
    if number == 1:
        return f"{number} {noun}"
    first, space, rest = noun.partition(" ")
    plural = f"{first[:-1]}ies" if first.endswith("y") and first[-2] not in "aeiou" else f"{first}s"
    return f"{number} {plural}{space}{rest}"


def spoken_duration(seconds: float) -> str:
    """Two units at most: '45 s', '12 min 30 s', '16 h 40 min', '3 d 4 h'."""
    left, words = round(seconds), []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {name}")
        if len(words) == 2 or (words and not count):
            break
    return " ".join(words) or "0 s"
