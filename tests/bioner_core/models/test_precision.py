"""The names of the precisions, and what torch calls them."""

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.models.precision import AUTO, check_precision, number_format
from bioner_core.training.settings import CorpusMix, SftSettings


def test_an_unknown_precision_is_refused_with_all_names() -> None:
    """Would catch a format that passes the first check and fails at the first tensor."""
    with pytest.raises(ConfigurationError, match="precision: 'int4'; choose from auto, bfloat16, float32"):
        check_precision("int4")
    with pytest.raises(ConfigurationError, match="precision: 'auto'; choose from bfloat16, float32"):
        number_format(AUTO)


def test_training_in_int8_is_refused() -> None:
    """Would catch a run whose settings pass and whose steps change nothing that eight bits can tell."""
    with pytest.raises(ConfigurationError, match="precision: 'int8'; choose from auto, bfloat16, float32"):
        SftSettings(corpora=(CorpusMix("f", "genia"),), precision="int8")


def test_training_chooses_like_annotation() -> None:
    """Would catch a training run that is bfloat16 unless told otherwise, on any processor."""
    assert SftSettings(corpora=(CorpusMix("f", "genia"),)).precision == AUTO
