"""Text that turns the direction of what stands beside it."""

import pytest

from bioner_core.viewer.marks import spelled_out


@pytest.mark.parametrize("code", [0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069])
def test_turning_characters_are_spelled_out(code: int) -> None:
    """Would catch an override that makes `exe.txt` of `txt.exe` on a page."""
    assert spelled_out(f"a{chr(code)}b") == f"a[U+{code:04X}]b"


def test_right_to_left_text_stays() -> None:
    """Would catch Arabic or Hebrew that is no longer readable."""
    text = "سرطان \u200f(1) סרטן\u200e"
    assert spelled_out(text) == text
