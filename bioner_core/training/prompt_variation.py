"""Prompts that differ from batch to batch, so that a model reads what a type is instead of knowing it by its tag.

A varied prompt asks for some of a label set's types, in any order. Each stands under its own tag, or under a free one:
then its definition is any of its wordings in either language, and its name may be another, that of a foreign type, or
missing. Types that mark nothing in any biomedical text come between. Spans of types that are not asked for are left out
of the copy. So the one thing that always tells what to mark is the definition.

Long prompts hold types of other corpora besides. Whether a sentence has any of those is unknown, so the loss judges no
opening of them; what is learned is to find a definition among many. Without, CRAFT's proteins were found with F1 58.6
under a prompt of their own, and not at all as the ninth of eleven types.
"""

import random
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bioner_core.labels.label_set import EntityType, LabelSet
from bioner_core.models.prompt import PROMPT_VERSION, PromptTokens, PromptType, described_types, prompt_tokens
from bioner_core.models.tag_choice import FREE_TAG_COUNT, free_tags
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.moves import UnitSpan
from bioner_core.tagging.render import nest, render_moves
from bioner_core.tagging.scheme import TagScheme, copy_lines
from bioner_core.training.examples import SourceSentence, TaggingExample, line_example

KEPT_SHARE = 0.7
"""How many of its types a varied prompt asks for, on average; at least one."""

FREE_SHARE = 0.5
"""How many of these stand under a free tag, on average."""

MOST_ABSENT = 3
"""Types that mark nothing: from none to so many."""

_Origin = int | Literal["absent", "unmarked"]
"""Where a type of a prompt comes from: its place in the corpus's label set, or none."""

FEWEST_UNMARKED, MOST_UNMARKED = 3, 12
"""Types of other corpora in a long prompt: from so many to so many, as far as there are."""


@dataclass(frozen=True, slots=True)
class BatchPrompt:
    """A prompt in tokens, with what its batch needs: each type's tag index and token id, and where it comes from.

    `type_of` has for each type of the corpus's label set its place in this prompt, None where it is not asked for.
    `unmarked` are the places of types that the corpus may have and does not mark.
    """

    tokens: PromptTokens
    open_rows: tuple[int, ...]
    open_ids: tuple[int, ...]
    type_of: tuple[int | None, ...]
    unmarked: frozenset[int] = frozenset()


def usual_prompt(
    label_set: LabelSet, *, vocabulary: TaggingVocabulary, scheme: TagScheme, version: str = PROMPT_VERSION
) -> BatchPrompt:
    """The prompt of a label set as it is written when the model is used: all types, in order, under their own tags."""
    types = described_types(label_set, [one.tag for one in label_set.types], version=version)
    return _batch_prompt(types, tuple(range(len(types))), vocabulary=vocabulary, scheme=scheme, version=version)


def varied_prompt(
    label_set: LabelSet,
    foreign_names: Sequence[str],
    *,
    vocabulary: TaggingVocabulary,
    chooser: random.Random,
    others: Sequence[LabelSet] = (),
) -> BatchPrompt:
    """A prompt drawn for one batch, for the inline scheme. `foreign_names` are names of types of all label sets.

    With `others` it is a long one: some of their types stand in it, unmarked. They must be of the same language. Of a
    large label set no more types are asked for than there are free tags, less those of types that mark nothing.
    """
    places = [place for place in range(len(label_set.types)) if chooser.random() < KEPT_SHARE]
    places = places or [chooser.randrange(len(label_set.types))]
    if len(places) > FREE_TAG_COUNT - MOST_ABSENT:
        # Each type may need a free tag. For label sets that fit nothing is drawn here: their prompts stay as they were.
        places = sorted(chooser.sample(places, FREE_TAG_COUNT - MOST_ABSENT))
    room = max(0, FREE_TAG_COUNT - MOST_ABSENT - len(places))
    unmarked = _drawn_types(label_set, others, chooser)[:room] if others else []
    free = iter(chooser.sample(free_tags(), len(places) + MOST_ABSENT + len(unmarked)))
    asked: list[tuple[PromptType, _Origin]] = []
    for place in places:
        asked.append((_own_or_free(label_set, place, free, foreign_names, chooser), place))
    for _ in range(chooser.randint(0, MOST_ABSENT)):
        asked.append((_absent(next(free), foreign_names, chooser), "absent"))
    taken = {one.tag for one, _ in asked}
    for other, place in unmarked:
        one = _own_or_free(other, place, free, foreign_names, chooser, taken=taken)
        taken.add(one.tag)
        asked.append((one, "unmarked"))
    chooser.shuffle(asked)
    place_of = {origin: index for index, (_, origin) in enumerate(asked) if isinstance(origin, int)}
    drawn = _batch_prompt(
        [one for one, _ in asked],
        tuple(map(place_of.get, range(len(label_set.types)))),
        vocabulary=vocabulary,
        scheme=TagScheme.INLINE,
    )
    return replace(drawn, unmarked=frozenset(index for index, (_, origin) in enumerate(asked) if origin == "unmarked"))


def under_prompt(example: TaggingExample, prompt: BatchPrompt, *, vocabulary: TaggingVocabulary) -> TaggingExample:
    """An example of the inline scheme as it reads under another prompt; it must have been made from a source."""
    source = example.source
    if source is None:
        raise ValueError("an example without its source sentence cannot be put under another prompt")
    asked = [
        UnitSpan(one.start, one.end, place)
        for one in source.spans
        if (place := prompt.type_of[one.type_index]) is not None
    ]
    return line_example(
        SourceSentence(source.unit_ids, source.spans),
        render_moves(nest(asked).spans, len(source.unit_ids)),
        label_set=example.label_set,
        separator=prompt.tokens.separators[0],
        type_indices=tuple(place for place in range(len(prompt.open_ids)) if place not in prompt.unmarked),
        open_ids=prompt.open_ids,
        close_id=vocabulary.close_id,
    )


def _batch_prompt(
    types: Sequence[PromptType],
    type_of: tuple[int | None, ...],
    *,
    vocabulary: TaggingVocabulary,
    scheme: TagScheme,
    version: str = PROMPT_VERSION,
) -> BatchPrompt:
    lines = copy_lines(scheme, len(types))
    tokens = prompt_tokens(types, lines, vocabulary=vocabulary, scheme=scheme, version=version)
    tags = [one.tag for one in types]
    return BatchPrompt(tokens, tuple(map(vocabulary.tags.index, tags)), tuple(map(vocabulary.open_id, tags)), type_of)


def _drawn_types(label_set: LabelSet, others: Sequence[LabelSet], chooser: random.Random) -> list[tuple[LabelSet, int]]:
    """Types of other label sets that this one does not have, drawn: each with its set, and its place there."""
    own = {one.definition_en for one in label_set.types}
    known = [
        (other, place) for other in others for place, one in enumerate(other.types) if one.definition_en not in own
    ]
    return chooser.sample(known, min(chooser.randint(FEWEST_UNMARKED, MOST_UNMARKED), len(known)))


def _own_or_free(
    label_set: LabelSet,
    place: int,
    free: Iterator[str],
    foreign_names: Sequence[str],
    chooser: random.Random,
    *,
    taken: Container[str] = (),
) -> PromptType:
    """A type as its label set has it, or in other words under the next free tag, as it must be where its is `taken`."""
    if label_set.types[place].tag in taken or chooser.random() < FREE_SHARE:
        return _reworded(label_set.types[place], next(free), foreign_names, chooser)
    return described_types(label_set, [one.tag for one in label_set.types], version=PROMPT_VERSION)[place]


def _reworded(one: EntityType, tag: str, foreign_names: Sequence[str], chooser: random.Random) -> PromptType:
    definition = chooser.choice([one.definition_en, one.definition_zh, *one.other_definitions])
    names = [one.en, one.zh, *one.other_names]
    name = chooser.choice([chooser.choice(names), chooser.choice(names), chooser.choice(foreign_names), ""])
    return PromptType(tag, name if definition else one.en, definition or one.en)


def _absent(tag: str, foreign_names: Sequence[str], chooser: random.Random) -> PromptType:
    name, *definitions = chooser.choice(ABSENT_TYPES)
    return PromptType(tag, chooser.choice([name, chooser.choice(foreign_names), ""]), chooser.choice(definitions))


ABSENT_TYPES: tuple[tuple[str, str, str], ...] = (
    ("person", "names of people", "人名"),
    ("painting", "titles of paintings and sculptures", "绘画和雕塑作品的名称"),
    ("sport", "kinds of sports and games", "体育运动和比赛项目"),
    ("team", "names of football and basketball teams", "足球队和篮球队的名称"),
    ("currency", "currencies and amounts of money", "货币和金额"),
    ("vehicle", "cars, ships, trains and aircraft", "汽车、轮船、火车和飞机"),
    ("music", "songs, symphonies and musical instruments", "歌曲、交响乐和乐器"),
    ("film", "titles of films and television series", "电影和电视剧的名称"),
    ("language", "human languages and dialects", "人类的语言和方言"),
    ("religion", "religions, deities and holy books", "宗教、神祇和经书"),
    ("star", "stars, planets and galaxies", "恒星、行星和星系"),
    ("weapon", "guns, bombs and other weapons", "枪炮和其他武器"),
    ("war", "wars, battles and treaties", "战争、战役和条约"),
    ("law", "laws, courts and offences", "法律、法院和罪行"),
    ("party", "political parties and elections", "政党和选举"),
    ("software", "operating systems and programming languages", "操作系统和编程语言"),
    ("phone", "brands of telephones and computers", "手机和电脑的品牌"),
    ("furniture", "tables, chairs and other furniture", "桌椅和其他家具"),
    ("clothing", "garments, shoes and jewellery", "服装、鞋和首饰"),
    ("dish", "dishes of a restaurant's menu", "餐馆菜单上的菜名"),
    ("beer", "brands of beer and wine", "啤酒和葡萄酒的品牌"),
    ("building", "towers, bridges and palaces", "塔、桥梁和宫殿"),
    ("airline", "airlines, airports and flight numbers", "航空公司、机场和航班号"),
    ("bank", "banks, shares and stock exchanges", "银行、股票和证券交易所"),
    ("newspaper", "newspapers and broadcasting stations", "报纸和广播电台"),
    ("novel", "titles of novels and poems", "小说和诗歌的名称"),
    ("emperor", "kings, emperors and dynasties", "国王、皇帝和朝代"),
    ("festival", "festivals and public holidays", "节日和公共假期"),
    ("weather", "storms, rain and other weather", "风暴、降雨等天气现象"),
    ("toy", "toys and dolls", "玩具和玩偶"),
    ("chess", "openings and pieces of chess", "国际象棋的开局和棋子"),
    ("dance", "dances and ballets", "舞蹈和芭蕾舞剧"),
    ("tool", "hammers, saws and other hand tools", "锤子、锯子等手工工具"),
    ("road", "streets and motorways", "街道和高速公路"),
    ("e-mail", "e-mail and web addresses", "电子邮件和网址"),
    ("colour", "names of colours of paint", "油漆颜色的名称"),
)
"""Each with its name and its definition in English and in Chinese. None is of a kind of place: probes are."""
