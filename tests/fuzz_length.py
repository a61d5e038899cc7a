"""How long the tests with random input go on."""

import os


def for_long(examples: int) -> int:
    """So many examples where HYPOTHESIS_PROFILE is `long`, and half of them in each check."""
    return examples if os.environ.get("HYPOTHESIS_PROFILE") == "long" else examples // 2
