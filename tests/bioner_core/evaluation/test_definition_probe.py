"""The probe of definitions, on annotators that read them and that do not."""

from collections.abc import Sequence

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.evaluation.corpora import GoldRecord
from bioner_core.evaluation.definition_probe import WRONG_DEFINITION, probe_definition, probe_label_sets
from bioner_core.inference.annotation import AnnotationRequest, RowResult
from bioner_core.labels.label_set import load_label_set
from bioner_core.mentions import Candidate, Span

BC5CDR = load_label_set("bc5cdr")
RECORDS = [GoldRecord("1", "en", "Gout follows aspirin.", frozenset({Span(0, 4, "Disease"), Span(13, 20, "Chemical")}))]


class Reader:
    """Marks a disease where the label set's definition speaks of one, and the chemical always."""

    fingerprint = "reader"

    def __init__(self) -> None:
        wrong, renamed = probe_label_sets(BC5CDR, "Disease")
        self.label_sets = {one.name: one for one in (BC5CDR, wrong, renamed)}

    def reads(self, name: str) -> bool:
        """Whether the definition under this label set is one of diseases."""
        (disease,) = self.label_sets[name].restricted_to(("Disease",)).types
        return WRONG_DEFINITION[0] not in disease.definition_en

    def annotate(self, requests: Sequence[AnnotationRequest]) -> list[RowResult]:
        """Candidates of each request, none accepted: a selector knows nothing of made-up label sets."""
        chemical = Candidate(13, 20, "Chemical", 1.0, 0.5, accepted=False)
        disease = Candidate(0, 4, "Disease", 1.0, 0.5, accepted=False)
        return [(disease, chemical) if self.reads(one.label_set) else (chemical,) for one in requests]


class Ignorer(Reader):
    """Knows a disease by its tag, whatever is said of it."""

    def reads(self, name: str) -> bool:
        """As if every definition were the right one."""
        return True


def test_a_reader_is_told_from_one_that_ignores_definitions() -> None:
    """Catches a probe that scores other types too, only accepted candidates, or one label set three times."""
    found = probe_definition(Reader(), RECORDS, label_set=BC5CDR, type_name="Disease")
    assert (found.f1, found.f1_wrong_definition, found.f1_new_name) == (1.0, 0.0, 1.0)
    found = probe_definition(Ignorer(), RECORDS, label_set=BC5CDR, type_name="Disease")
    assert found.f1_wrong_definition == 1.0


def test_the_other_types_keep_their_words() -> None:
    """Catches a probe that changes more than one type, or the type's name in the output."""
    wrong, renamed = probe_label_sets(BC5CDR, "Disease")
    for changed in (wrong, renamed):
        assert changed.type_names == BC5CDR.type_names
        assert [one for one in changed.types if one.name != "Disease"] == [
            one for one in BC5CDR.types if one.name != "Disease"
        ]
    (before,), (after,) = (one.restricted_to(("Disease",)).types for one in (BC5CDR, renamed))
    assert after.definition_en == before.definition_en
    assert after.en != before.en


def test_a_type_that_is_not_there_is_named() -> None:
    """Catches a probe of nothing that reports a score."""
    with pytest.raises(ConfigurationError, match="Diseases"):
        probe_label_sets(BC5CDR, "Diseases")
