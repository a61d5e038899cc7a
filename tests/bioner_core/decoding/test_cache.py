"""The ragged cache: a row sees its own kept tokens at their own positions, and nothing else."""

import pytest
import torch
from torch import Tensor

from bioner_core.decoding.cache import RaggedCache
from bioner_core.decoding.decoder import PromptCaches
from bioner_core.models.tagging_model import TaggingModel
from tests.bioner_core.tiny_model import tiny_label_set, tiny_model

PREFIX = [77, 97, 114, 107]


@pytest.fixture(scope="module")
def model() -> TaggingModel:
    """A small random model."""
    return tiny_model(5)


def plain(model: TaggingModel, tokens: list[int]) -> Tensor:
    """Hidden states of prefix and tokens in one pass, those of the tokens only."""
    ids = torch.tensor([[*PREFIX, *tokens]])
    positions = torch.arange(ids.shape[1])[None]
    hidden: Tensor = model(ids, attention_mask=torch.ones_like(ids), position_ids=positions, cache=None)
    return hidden[0, len(PREFIX) :]


def start(model: TaggingModel, rows: int) -> RaggedCache:
    """A cache after the prefix."""
    prompt = RaggedCache(model, 1)
    prompt.feed([PREFIX])
    return prompt.repeated(rows)


def feed(cache: RaggedCache, blocks: list[list[int]]) -> list[Tensor]:
    """Feed one block per row; one tensor of states per row."""
    return list(cache.feed(blocks).split([len(block) for block in blocks]))


def assert_close(one: Tensor, other: Tensor) -> None:
    """Equal but for the order of additions."""
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_blocks_of_unequal_length_are_read_as_if_alone(model: TaggingModel) -> None:
    """Would catch padding that is attended to, or positions that count it."""
    cache = start(model, 3)
    first, second = [[1, 2, 3, 4, 5], [6], []], [[7], [8, 9], [10]]
    one, two = feed(cache, first), feed(cache, second)
    for row in range(3):
        expected = plain(model, [*first[row], *second[row]])
        assert_close(one[row], expected[: len(first[row])])
        assert_close(two[row], expected[len(first[row]) :])


@torch.inference_mode()
def test_dropped_tokens_leave_no_trace(model: TaggingModel) -> None:
    """Would catch a rejected draft that later tokens still see, or positions that count it."""
    cache = start(model, 2)
    begin = len(PREFIX)
    feed(cache, [[1, 2, 3, 4, 5], [6, 7]])
    cache.cut([begin + 2, begin + 2])
    feed(cache, [[8, 9, 10], [11]])
    cache.cut([begin + 3, begin + 2])
    last = feed(cache, [[12], [13, 14]])
    assert_close(last[0], plain(model, [1, 2, 8, 12])[3:])
    assert_close(last[1], plain(model, [6, 7, 13, 14])[2:])
    assert cache.lengths == [begin + 4, begin + 4]


@torch.inference_mode()
def test_a_cache_that_grows_keeps_what_it_holds(model: TaggingModel) -> None:
    """Would catch slots lost or moved when a row outgrows the room it was given."""
    cache = start(model, 2)
    long = [(7 * index) % 250 for index in range(90)]
    feed(cache, [[1, 2], [3]])
    feed(cache, [long, [4]])
    last = feed(cache, [[5], [6]])
    assert_close(last[0], plain(model, [1, 2, *long, 5])[92:])
    assert_close(last[1], plain(model, [3, 4, 6])[2:])


@torch.inference_mode()
def test_selected_rows_go_on_in_the_order_asked_for(model: TaggingModel) -> None:
    """Would catch the mask or the positions of one row used with the keys of another."""
    cache = start(model, 3)
    feed(cache, [[1, 2, 3], [4], [5, 6]])
    cache.select([2, 0])
    last = feed(cache, [[7], [8]])
    assert_close(last[0], plain(model, [5, 6, 7])[2:])
    assert_close(last[1], plain(model, [1, 2, 3, 8])[3:])


@torch.inference_mode()
def test_a_prompt_is_read_once_and_never_grows(model: TaggingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would catch a prompt that is read for each batch, or that one batch leaves longer for the next."""
    prompts, label_set = PromptCaches(model), tiny_label_set()
    first = feed(prompts.start(label_set, 2), [[1, 2], [3]])
    calls = []
    monkeypatch.setattr(type(model), "forward", lambda self, ids, **rest: calls.append(ids.shape))
    again = prompts.start(label_set, 1)
    assert calls == []
    monkeypatch.undo()
    assert_close(feed(again, [[1, 2]])[0], first[0])
    assert torch.equal(prompts.move_weights(label_set).rows, prompts.model.move_rows)
