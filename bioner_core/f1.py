"""F1 from counts, one formula for the fits and the tools that compare what was kept. Imports no torch."""


def f1_from_counts(right: int, *, found: int, gold: int) -> float:
    """F1, from 0 to 1, of so many right ones among those `found`, against all `gold` ones; 0 where there are none."""
    return 2 * right / max(found + gold, 1)
