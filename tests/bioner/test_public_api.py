"""What other programs may rely on: `import bioner`."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bioner
from bioner.model import language_of
from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.inference.annotation import AnnotationRequest, RowError, RowResult
from bioner_core.mentions import Candidate
from bioner_core.models.base_model import base_folder
from bioner_core.models.directory import model_folder
from bioner_core.models.model_card import read_card
from bioner_core.records import RejectReason
from bioner_core.store.compaction.compact import compact_store
from bioner_core.store.layout import Store
from bioner_core.text.folding import fold
from devtools.synthetic_store import Scale, make_synthetic_store

REPOSITORY = Path(__file__).resolve().parents[2]
GENIA = bioner.load_label_set("genia")
CMEEE = bioner.load_label_set("cmeee")


class WordFinder:
    """Finds every `CD28` and `肺`, with everything else around it turned down; fails on `broken`."""

    fingerprint = "words"
    thresholds = {"genia": 0.5, "cmeee": 0.5}  # noqa: RUF012
    has_selector = True

    def annotate(self, requests: Any) -> list[RowResult]:
        """One accepted candidate for each word, and one for the sentence that is not accepted."""
        return [self._row(one) for one in requests]

    def _row(self, request: AnnotationRequest) -> RowResult:
        if "broken" in request.text:
            return RowError(RejectReason.ANNOTATION_FAILED, "it is broken")
        kind = "protein" if request.label_set == "genia" else "bod"
        found = [
            Candidate(one.start(), one.end(), kind, 1.0, 0.9, True) for one in re.finditer("CD28|肺", request.text)
        ]
        return (Candidate(0, len(request.text), kind, 0.1, 0.2, False), *found)


@pytest.fixture
def model() -> bioner.Model:
    """A model that finds words."""
    return bioner.Model(WordFinder(), [GENIA, CMEEE])


def test_every_public_name_is_there_and_documented() -> None:
    """Would catch a name that is promised and missing, or that says nothing of itself."""
    for name in bioner.__all__:
        assert name == "__version__" or getattr(bioner, name).__doc__
    assert (Path(bioner.__file__).parent / "py.typed").is_file()


def test_importing_it_loads_no_heavy_library() -> None:
    """Would catch a script that waits for torch only to read a store."""
    code = "import bioner, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert not {"torch", "transformers", "ray", "apache_beam"} & set(done.stdout.split())


def test_offsets_are_those_of_the_whole_text(model: bioner.Model) -> None:
    """Would catch offsets into the sentence, or candidates that were turned down among the mentions."""
    text = "Nothing is here. CD28 binds. And  CD28 again."
    found = model.tag(text)
    assert [(one.start, one.text) for one in found.mentions] == [(17, "CD28"), (34, "CD28")]
    assert all(text[one.start : one.end] == one.text for one in found.candidates)
    assert len(found.candidates) > len(found.mentions)


def test_each_text_is_read_with_the_label_sets_of_its_language(model: bioner.Model) -> None:
    """Would catch Chinese text that is asked for English types, or texts whose answers change places."""
    english, chinese, empty = model.tag_all(["CD28 binds.", "患者肺部感染。", ""])
    assert {one.label_set for one in english.candidates} == {"genia"}
    assert {one.label_set for one in chinese.candidates} == {"cmeee"}
    assert (empty.text, empty.candidates) == ("", ())
    assert [one.type for one in model.tag("肺", lang="en").mentions] == ["protein"]
    texts = ("", "12", "肺 of a patient with a long name", "TNF-α升高", "血清CEA和CA125, CEA")
    assert [language_of(one) for one in texts] == ["en", "en", "en", "zh", "zh"]


def test_a_sentence_that_fails_is_told(model: bioner.Model) -> None:
    """Would catch a failed sentence that looks like one without entities."""
    with pytest.raises(ModelError, match="it is broken"):
        model.tag("This one is broken. CD28 binds.")
    passages = (bioner.Passage("title", "", "en", "CD28 binds. This is broken."),)
    (found,) = model.annotate([bioner.Document("x:1", "x", 1, "en", passages)])
    assert [one.text for one in found.mentions if one.accepted] == ["CD28"]
    assert [one.reject.message for one in found.rejects] == ["it is broken"]


def test_many_documents_keep_their_order(model: bioner.Model) -> None:
    """Would catch answers of one group of documents given to another."""
    texts = [f"Number {number} has CD28{' and CD28' * (number % 3)}." for number in range(150)]
    found = list(model.tag_all(iter(texts)))
    assert [one.text for one in found] == texts
    assert [len(one.mentions) for one in found] == [1 + number % 3 for number in range(150)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda model: model.tag("CD28", lang="EN"), "lang: 'EN'; choose from en, zh"),
        (lambda model: model.tag("CD28", lang="fr"), "lang: 'fr'; choose from en, zh"),
        (lambda _: bioner.Model(WordFinder(), [GENIA]).tag("CD28", lang="zh"), r"\(genia\) none is for it"),
        (lambda model: model.tag_all("CD28"), r"give a list of texts, \[text\]"),
        (lambda model: model.tag_all(b"CD28"), r"give a list of texts, \[text\]"),
        (lambda model: model.tag(None), "text: NoneType; give a str"),
        (lambda model: model.tag(b"CD28"), "text: bytes; give a str"),
        (lambda _: bioner.load_model(label_sets="genia"), r"give a list: label_sets=\['genia'\]"),
        (lambda _: bioner.load_model(label_sets=GENIA), "give a list"),
    ],
)
def test_a_wrong_argument_is_told_at_once(model: bioner.Model, wrong: Callable[[Any], object], said: str) -> None:
    """Would catch an empty answer for a language of no label set, four answers for the four letters of a text, and an
    error that is none of bioner's."""
    with pytest.raises(ConfigurationError, match=said):
        wrong(model)


def test_a_text_of_no_label_set_s_language_has_no_mentions() -> None:
    """Would catch a stream of texts that ends at the first one in another language."""
    english, chinese = bioner.Model(WordFinder(), [GENIA]).tag_all(["CD28 binds.", "患者肺部感染。"])
    assert (len(english.mentions), chinese.candidates) == (1, ())


def test_a_model_is_scored(model: bioner.Model, tmp_path: Path) -> None:
    """Would catch scores against types of other names that count as nothing."""
    gold = tmp_path / "gold.jsonl"
    record = {"id": "1", "lang": "en", "text": "CD28 binds.", "entities": [{"start": 0, "end": 4, "type": "Gene"}]}
    gold.write_text(json.dumps(record) + "\n", encoding="utf-8")
    run = bioner.evaluate(model, gold, label_set="genia", new_names={"Gene": "protein"})
    assert (run.evaluation.strict.f1, run.evaluation.strict.support) == (1.0, 1)
    with pytest.raises(ConfigurationError, match="--map"):
        bioner.evaluate(model, gold, label_set="genia")
    with pytest.raises(ConfigurationError, match="loaded with"):
        bioner.evaluate(model, gold, label_set="bc5cdr")


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """Would catch an empty answer to a mistyped path."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(bioner.BionerError, match="is no store"):
            bioner.open_store(path)


def test_a_store_without_a_snapshot_means_by_its_names_what_sql_means(tmp_path: Path) -> None:
    """Would catch withdrawn and superseded documents, or turned-down mentions, among those of a store."""
    scale = Scale(documents=60, mentions=1_200, updated=15, deleted=6)
    make_synthetic_store(Store(tmp_path), scale, records_per_shard=20)

    def told() -> dict[str, list[Any]]:
        store = bioner.open_store(tmp_path)
        documents = sorted((one.doc_id, one.version) for one in store.documents())
        asked = "SELECT doc_id, version FROM documents ORDER BY ALL"
        assert [tuple(one.values()) for one in store.query(asked).to_pylist()] == documents
        found = {
            "mentions": sorted(one.mention_id for one in store.mentions(accepted_only=True)),
            "candidates": sorted(one.mention_id for one in store.mentions()),
        }
        for view, ids in found.items():
            asked = f"SELECT mention_id FROM {view} ORDER BY ALL"  # noqa: S608 - names of views
            assert store.query(asked).column(0).to_pylist() == ids
        return {"documents": documents, **found}

    before = told()
    assert len(before["documents"]) == 60 - 6
    assert sum(version == 2 for _, version in before["documents"]) >= 9
    assert 0 < len(before["mentions"]) < len(before["candidates"])
    compact_store(Store(tmp_path))
    assert bioner.open_store(tmp_path).snapshot_id
    assert told() == before


PAIRS = (
    (
        "Cisplatin raised H2O2 and caused renal failure in rats.",
        "Cisplatin raised H₂O₂ and caused renal failure in rats.",
    ),
    ("Morphine caused nausea in women.", "Ｍｏｒｐｈｉｎｅ ｃａｕｓｅｄ ｎａｕｓｅａ in women."),
    ("Fibrosis and efficacy of lithium.", "Fibrosis and eﬃcacy of li\u00adthium."),
    ("病人有头痛、发热，诊断为肺结核和贫血。", "病人有頭痛、發熱，診斷為肺結核和貧血。"),
)


@pytest.fixture(scope="module")
def default_model() -> bioner.Model:
    """The default model, with label sets of both languages."""
    try:
        base_folder(read_card(model_folder()).base)
    except ModelError as error:
        pytest.skip(str(error))
    return bioner.load_model(label_sets=["bc5cdr", "cmeee"])


@pytest.mark.slow
@pytest.mark.parametrize(("plain", "other"), PAIRS)
def test_other_forms_of_a_text_have_the_same_mentions(default_model: bioner.Model, plain: str, other: str) -> None:
    """Would catch full width, subscripts, ligatures or Traditional Chinese that hide what the plain form shows."""
    expected, found = (one.mentions for one in default_model.tag_all([plain, other]))
    assert [one.type for one in found] == [one.type for one in expected]
    assert [fold(one.text).text for one in found] == [one.text for one in expected]
    assert all(other[one.start : one.end] == one.text for one in found)
    assert expected


@pytest.mark.slow
def test_the_example_of_the_package_runs_and_a_store_is_read(tmp_path: Path) -> None:
    """Would catch an example that nobody ran, and a store that the package cannot read back."""
    try:
        base_folder(read_card(model_folder()).base)
    except ModelError as error:
        pytest.skip(str(error))
    model = bioner.load_model(label_sets=["genia"])
    found = model.tag("Activation of the CD28 surface receptor provides a signal in T cells.")
    assert {"protein", "cell_type"} >= {one.type for one in found.mentions} > set()
    sample = REPOSITORY / "bioner_core" / "samples" / "pmc_article.xml"
    (document,) = [one for one in bioner.read_records(str(sample)) if isinstance(one, bioner.Document)]
    assert document.passages
    words = ("annotate", str(sample), "--store", str(tmp_path / "store"), "--annotator", "null", "--quiet")
    subprocess.run([sys.executable, "-m", "jobs.main", *words], check=True, cwd=REPOSITORY)
    store = bioner.open_store(tmp_path / "store")
    assert [one.doc_id for one in store.documents()] == [document.doc_id]
    assert store.query("SELECT count(*) AS n FROM documents").to_pydict() == {"n": [1]}
    assert (list(store.mentions()), store.snapshot_id) == ([], "")


def test_a_notebook_shows_what_was_found(model: bioner.Model) -> None:
    """Would catch a cell that shows a long line of Python, and text that becomes markup of the notebook."""
    shown = model.tag("CD28 <b>binds</b>.")._repr_html_()
    assert shown.startswith("<div")
    assert ">protein</small>CD28</mark>" in shown
    assert "&lt;b&gt;" in shown
