"""Names in a sentence."""

from collections.abc import Sequence


def listed_names(names: Sequence[str], *, most: int = 5) -> str:
    """A few names and how many more there are, for a sentence."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
