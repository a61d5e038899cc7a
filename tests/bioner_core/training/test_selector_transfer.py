"""Leaving one corpus out: what is fitted, on what, and for whom."""

import dataclasses
import math

import pytest
import torch

from bioner_core.errors import ModelError
from bioner_core.models.loading import LoadedModel, load_model
from bioner_core.models.tag_choice import is_free
from bioner_core.selector.samples import SpanSamples
from bioner_core.selector.selector import new_selector
from bioner_core.training.borrowed_candidates import of_tags
from bioner_core.training.selector_candidates import CorpusCandidates
from bioner_core.training.selector_fitting import fit_selector, judged
from bioner_core.training.selector_settings import SelectorSettings
from bioner_core.training.selector_transfer import RULES, best_rule, leave_one_out
from bioner_core.training.sft import SftRun
from tests.bioner_core.training.training_samples import tiny_settings

SETTINGS = SelectorSettings(sft_settings="not read", development={}, epochs=4, dropout=0.0, learning_rate=0.01)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model with free tags, hardly trained."""
    folder = tmp_path_factory.mktemp("transfer")
    with pytest.MonkeyPatch.context() as monkeypatch:
        SftRun(tiny_settings(folder, monkeypatch, max_tokens=60), folder / "run", log=lambda _: None).train()
        return load_model(folder / "run", precision="float32")


def samples(loaded: LoadedModel, tag: int, seed: int, *, shift: float = 2.0) -> SpanSamples:
    """Candidates of one tag: the states of right ones lie apart from those of wrong ones, the same for every tag."""
    chooser = torch.Generator().manual_seed(seed)
    is_right = torch.rand(80, generator=chooser) < 0.5
    features = torch.randn(80, 3 * loaded.network.hidden_size, generator=chooser)
    features[is_right, :8] += shift
    scores = torch.rand(80, generator=chooser)
    return SpanSamples(features, torch.full((80,), tag), scores, is_right, {tag: int(is_right.sum()) + 5}, "x", (tag,))


def corpora(loaded: LoadedModel) -> list[CorpusCandidates]:
    """Three corpora, the last of a tag that the others do not mark."""
    return [
        CorpusCandidates(
            f"corpus{place}", "x", 0.0, 0.5, (samples(loaded, tag, 10 + place),), samples(loaded, tag, 20 + place)
        )
        for place, tag in enumerate((0, 0, 1))
    ]


def test_a_left_out_corpus_gains_from_what_the_others_show(loaded: LoadedModel) -> None:
    """Would catch unknown types whose similarity is that of an untrained point, and thresholds that keep everything."""
    rule, lines = leave_one_out(loaded, corpora(loaded), settings=SETTINGS)
    assert [one.corpus for one in lines] == ["corpus0", "corpus1", "corpus2"]
    for one in lines:
        assert one.with_selector.f1 > one.without.f1 + 0.1, one
        assert one.with_selector.precision > one.without.precision
        assert one.with_selector.f1 > one.by_tag_score.f1
        assert set(one.rules) == {str(each) for each in RULES}
    mean = {each: sum(one.rules[str(each)] for one in lines) for each in RULES}
    assert mean[rule] == pytest.approx(max(mean.values()), abs=1e-3)


def test_a_rule_that_hurts_a_corpus_is_not_taken() -> None:
    """Would catch a selector that gains on most corpora, and costs the users of another one ten points."""
    keen, careful, idle = RULES[0], RULES[5], RULES[-1]
    low = dict.fromkeys(RULES, 0.0)
    first = {**low, keen: 0.9, careful: 0.72, idle: 0.7}
    second = {**low, keen: 0.6, careful: 0.698, idle: 0.7}
    assert best_rule([first, second], [0.7, 0.7]) == careful
    assert best_rule([first, {**second, careful: 0.65}], [0.7, 0.7]) == idle
    assert best_rule([first, {**low, careful: 0.5, keen: 0.4}], [0.7, 0.7]) == careful


def test_a_gain_by_chance_is_no_reason_to_turn_down_more() -> None:
    """Would catch a threshold that gains a tenth of a point on known corpora and costs five on an unknown one."""
    careful, idle = RULES[5], RULES[-1]
    plain = dict.fromkeys(RULES, 0.7)
    assert best_rule([{**plain, careful: 0.701}, plain], [0.7, 0.7]) == idle
    assert best_rule([{**plain, careful: 0.706}, plain], [0.7, 0.7]) == careful


def test_the_left_out_corpus_itself_changes_nothing_of_its_judge(loaded: LoadedModel) -> None:
    """Would catch a corpus that trains or calibrates its own judge: its probabilities would follow its labels."""
    own = corpora(loaded)
    turned = own[2].development
    turned = dataclasses.replace(turned, is_right=~turned.is_right)
    other = [*own[:2], dataclasses.replace(own[2], development=turned, training=(turned,))]
    plain, changed = (leave_one_out(loaded, one, settings=SETTINGS)[1][2] for one in (own, other))
    kept = plain.with_selector.precision * plain.calibration_error
    assert math.isfinite(kept)
    right, wrong = plain.with_selector.precision, changed.with_selector.precision
    # The same candidates are kept; what was right among them is wrong now.
    assert right + wrong == pytest.approx(1.0)


def test_the_same_text_in_other_words_is_no_other_corpus(loaded: LoadedModel) -> None:
    """Would catch a corpus that is judged by a selector of its own sentences, or one without any other."""
    own = corpora(loaded)
    free = next(index for index, tag in enumerate(loaded.card.tags) if is_free(tag))
    strange = dataclasses.replace(
        own[2], label_set="x in other words", development=samples(loaded, free, 25), is_borrowed=True
    )
    turned = dataclasses.replace(strange, training=(samples(loaded, free, 26, shift=-9.0),))
    plain, changed = (leave_one_out(loaded, [*own, one], settings=SETTINGS)[1][2] for one in (strange, turned))
    assert plain.calibration_error == changed.calibration_error
    alone = [dataclasses.replace(one, corpus="the only one") for one in own]
    assert leave_one_out(loaded, alone, settings=SETTINGS) == (RULES[0], ())


def test_a_model_that_finds_nothing_under_new_words_has_a_selector(loaded: LoadedModel) -> None:
    """Would catch hours of decoding that end in an error, since there is nothing to calibrate free tags on."""
    free = next(index for index, tag in enumerate(loaded.card.tags) if is_free(tag))
    nothing = dataclasses.replace(samples(loaded, free, 1), open_rows=(free,), gold_counts={free: 3})
    nothing = of_tags(nothing, [])
    plain = corpora(loaded)
    strange = CorpusCandidates("other", "x in other words", 0.0, 0.0, (nothing,), nothing, is_borrowed=True)
    torch.manual_seed(1)
    selector = new_selector(loaded)
    fit_selector(selector, [*plain, strange], settings=SETTINGS, log=lambda _: None)
    assert len(judged(selector, nothing).probability) == 0
    assert selector.free_calibration.bias.item() != 0.0


def test_free_tags_are_one_kind_of_entity(loaded: LoadedModel) -> None:
    """Would catch free tags that are judged by 24 random points: the number on a tag would decide what is right."""
    torch.manual_seed(1)
    selector = new_selector(loaded)
    fit_selector(selector, corpora(loaded), settings=SETTINGS, log=lambda _: None)
    free = [index for index, tag in enumerate(loaded.card.tags) if is_free(tag)]
    first, last = (judged(selector, samples(loaded, tag, 30)).probability for tag in (free[0], free[-1]))
    assert torch.equal(first, last)
    right = samples(loaded, free[0], 30).is_right
    assert first[right].mean() > first[~right].mean() + 0.3


def test_a_model_that_finds_nothing_is_told_so(loaded: LoadedModel) -> None:
    """Would catch hours of decoding that end in an error of torch, and a judge that is fitted on nothing."""
    first, second, third = corpora(loaded)
    empty = dataclasses.replace(first, development=of_tags(first.development, []))
    selector = new_selector(loaded)
    with pytest.raises(ModelError, match="the model tagged nothing in the sentences to calibrate on of corpus0"):
        fit_selector(selector, [empty], settings=SETTINGS, log=lambda _: None)
    untrained = dataclasses.replace(second, training=())
    with pytest.raises(ModelError, match="nothing in the sentences to train on of corpus1"):
        fit_selector(selector, [untrained], settings=SETTINGS, log=lambda _: None)
    _, lines = leave_one_out(loaded, [empty, untrained], settings=SETTINGS)
    assert lines == ()
    _, lines = leave_one_out(loaded, [empty, third], settings=SETTINGS)
    assert [one.corpus for one in lines] == ["corpus0"]
