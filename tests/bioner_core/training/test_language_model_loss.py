"""The ordinary language-model loss: every token of the copies, over everything that could stand there."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bioner_core.mentions import Span
from bioner_core.models.tagging_model import TaggingModel
from bioner_core.tagging.moves import CLOSE, COPY, FIRST_OPEN
from bioner_core.tagging.scheme import TagScheme
from bioner_core.training.examples import TaggingExample
from bioner_core.training.language_model_loss import LanguageModelLoss
from bioner_core.training.loss import LegalMoveLoss, training_batch
from bioner_core.training.settings import TrainingLoss
from bioner_core.training.sft import SftRun
from tests.bioner_core.tiny_model import TYPES, tiny_model, tiny_vocabulary
from tests.bioner_core.training.training_samples import SENTENCES, builder_of, prompt_of, tiny_settings

CPU = torch.device("cpu")
VOCABULARY = tiny_vocabulary()


def examples_of(scheme: TagScheme) -> list[TaggingExample]:
    """All samples as examples."""
    builder = builder_of(scheme)
    return [
        one for text, spans in SENTENCES for one in builder.examples(text, frozenset(Span(*span) for span in spans))
    ]


def head_of(model: TaggingModel) -> nn.Linear:
    """A random output layer over the base vocabulary."""
    torch.manual_seed(1)
    return nn.Linear(model.hidden_size, model.base_size, bias=False).requires_grad_(False)


def plain_distribution(model: TaggingModel, head: nn.Linear, state: Tensor) -> Tensor:
    """Probabilities of all token ids at one position, spelt out: base, tags, close, characters."""
    moves = model.move_logits(state[None], model.move_weights(torch.arange(len(TYPES))))[0].softmax(0)
    characters = model.added_rows[len(TYPES) + 1 :] @ state
    words = moves[COPY] * torch.cat((head(state), characters)).softmax(0)
    tags = torch.cat((moves[FIRST_OPEN:], moves[CLOSE : CLOSE + 1]))
    return torch.cat((words[: model.base_size], tags, words[model.base_size :]))


@pytest.mark.parametrize("scheme", list(TagScheme))
def test_it_is_the_likelihood_of_each_token_of_the_copies(scheme: TagScheme) -> None:
    """Would catch tokens of the source in the loss, tokens left out, or a distribution that does not sum to one."""
    model, prefix, examples = tiny_model(2), prompt_of(scheme).prefix, examples_of(scheme)
    head = head_of(model)
    loss = LanguageModelLoss(model, VOCABULARY, head=head)
    found = loss(training_batch(examples, prefix=prefix, open_rows=(0, 1, 2)))
    expected = []
    with torch.no_grad():
        for one in examples:
            ids = torch.tensor([[*prefix, *one.input_ids]])
            places = torch.arange(ids.shape[1])[None]
            hidden = model(ids, attention_mask=torch.ones_like(ids), position_ids=places, cache=None)[0]
            for place in range(len(prefix) + one.copy_start, ids.shape[1]):
                chances = plain_distribution(model, head, hidden[place - 1])
                assert float(chances.sum()) == pytest.approx(1, abs=1e-4)
                expected.append(-float(chances[ids[0, place]].log()))
    assert found.terms == loss.term_count(examples) == len(expected)
    assert float(found.loss.detach()) == pytest.approx(sum(expected) / len(expected), rel=1e-4)


def test_the_counts_of_the_log_are_those_of_the_other_loss() -> None:
    """Would catch a log in which the two losses cannot be compared."""
    model, examples = tiny_model(2), examples_of(TagScheme.INLINE)
    batch = training_batch(examples, prefix=(1, 2), open_rows=(0, 1, 2))
    assert LanguageModelLoss(model, VOCABULARY, head=head_of(model))(batch).tags == LegalMoveLoss(model)(batch).tags


def test_a_run_with_it_learns_to_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a loss whose moves the decoder does not see, or a head that is trained but not saved."""
    chosen = {"loss": TrainingLoss.LANGUAGE_MODEL, "max_tokens": 8_000, "lora_rank": 8, "learning_rate": 0.01}
    log: list[str] = []
    run = SftRun(tiny_settings(tmp_path, monkeypatch, **chosen), tmp_path / "run", log=log.append)
    head = run.trainable.adapted.get_base_model().get_output_embeddings()
    before = head.weight.detach().clone()
    run.train()
    lines = [line.split() for line in log if line.startswith("step ") and "recall" in line]
    assert float(lines[-1][3]) < float(lines[0][3])
    assert float(lines[-1][6]) > 0.8
    assert torch.equal(head.weight, before)
