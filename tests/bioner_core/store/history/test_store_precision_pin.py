"""The file in which a store keeps its precision."""

from pathlib import Path

from bioner_core.store.history.model_notes import read_pin, write_pin
from bioner_core.store.layout import Store


def test_a_pin_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Catches a pin that loses its reason or its time, or leaves a temporary file behind."""
    assert read_pin(Store(tmp_path)) is None
    assert read_pin(Store(tmp_path / "none")) is None
    write_pin(Store(tmp_path), precision="float32", reason="measured here", processor="one")
    pin = read_pin(Store(tmp_path))
    assert pin is not None
    assert (pin.precision, pin.reason, pin.processor) == ("float32", "measured here", "one")
    assert pin.since.endswith("+00:00")
    assert [path.name for path in tmp_path.iterdir()] == ["precision.json"]
