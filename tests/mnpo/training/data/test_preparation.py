"""Preparing data: what is left out is counted, nothing is in both parts, parts are fresh."""

import json

import pytest

from mnpo.errors import UserError
from mnpo.training.data.embedded import embedded_answers, embedded_prompts
from mnpo.training.data.encoding import encode_prompt
from mnpo.training.data.preparation import prepare
from mnpo.training.data.settings import DataSettings
from mnpo.training.data.splits import split_prompts
from mnpo.training.models.tiny import make_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer(300)


@pytest.fixture
def write(tmp_path):
    def write(name, *texts, **columns):
        path = tmp_path / name
        path.write_text("".join(json.dumps({"prompt": t} | columns) + "\n" for t in texts))
        return str(path)

    return write


def texts(prepared):
    return [item.prompt.text for item in prepared]


def test_embedded_prompts_are_ours_and_distinct() -> None:
    train, held_out = embedded_prompts("train"), embedded_prompts("held-out")
    assert (len(train), len(held_out)) == (160, 40)
    assert len({prompt.key for prompt in train + held_out}) == 200
    for prompt in train + held_out:
        kind, unkind = prompt.completions
        assert prompt.demonstrations == (kind,)
        assert kind != unkind
        thing = prompt.text.rstrip(".?").partition("the ")[2]
        assert all(f"the {thing}" in text.lower() for text in prompt.completions)
        assert all(len(text.split()) <= 20 for text in prompt.completions)
    answers = list(embedded_answers(2))
    assert len(answers) == 320
    assert {p.key for p, _ in answers} == {p.key for p in train}


def test_embedded_kind_answers_are_kinder() -> None:
    analyzer = pytest.importorskip("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    scores = [
        [analyzer.polarity_scores(text)["compound"] for text in prompt.completions]
        for prompt in embedded_prompts("train")
    ]
    assert sum(kind > unkind for kind, unkind in scores) > 140


def test_embedded_data_prepared(tokenizer) -> None:
    data = prepare(DataSettings(), tokenizer)
    assert (len(data.train), len(data.held_out)) == (160, 32)
    assert all(item.ids == encode_prompt(tokenizer, item.prompt) for item in data.train)
    assert prepare(DataSettings(held_out="embedded"), tokenizer) == data
    assert data.report.train.longest == max(len(item.ids) for item in data.train)
    assert data.report.held_out.set_aside == 8
    json.dumps(data.report.describe())


def test_everything_left_out_is_counted(tokenizer, write) -> None:
    path = write("a.jsonl", *"abcdefgh", "a", "x" * 80, "<|end|>")
    held = write("b.jsonl", "A", "B", "C")
    settings = DataSettings(
        prompts=path, held_out=held, held_out_size=2, limit=7, max_prompt_tokens=50
    )
    data = prepare(settings, tokenizer)
    assert texts(data.train) == list("abcdefg")
    assert texts(data.held_out) == ["A", "B"]
    train = data.report.train
    assert (train.rows, train.duplicates, train.over_long, train.set_aside) == (11, 1, 0, 3)
    settings = settings.model_copy(update={"limit": None})
    train = prepare(settings, tokenizer).report.train
    assert (train.control_tokens, train.set_aside, train.used) == (1, 0, 8)
    assert train.line("training") == (
        f"training: 8 prompts, up to {train.longest} tokens; left out of 11 rows: 1 duplicate, "
        "1 too long, 1 with special tokens in their text"
    )
    with pytest.raises(
        UserError, match=r"'x+\.\.\.' has 8\d tokens, data\.max_prompt_tokens is 50"
    ):
        prepare(settings.model_copy(update={"over_long": "refuse"}), tokenizer)


def test_held_out_prompts_are_the_last_ones_where_none_are_given(tokenizer, write) -> None:
    path = write("a.jsonl", *"abcdef")
    data = prepare(DataSettings(prompts=path, held_out_size=2), tokenizer)
    assert (texts(data.train), texts(data.held_out)) == (list("abcd"), list("ef"))
    with pytest.raises(UserError, match="held_out_size is 6 and there are 6 prompts"):
        prepare(DataSettings(prompts=path, held_out_size=6), tokenizer)


def test_held_out_prompts_are_taken_among_the_usable_ones(tokenizer, write) -> None:
    path = write("a.jsonl", *"abcdef", "x" * 80)
    data = prepare(DataSettings(prompts=path, held_out_size=2, max_prompt_tokens=50), tokenizer)
    assert (texts(data.train), texts(data.held_out)) == (list("abcd"), list("ef"))
    assert data.report.held_out.over_long == 1


def test_a_prompt_in_both_parts_is_refused(tokenizer, write) -> None:
    both = DataSettings(prompts=write("a.jsonl", *"abcd"), held_out=write("b.jsonl", *"xcya"))
    with pytest.raises(UserError, match="prompt 'c' and 1 more are both in"):
        prepare(both, tokenizer)
    one = both.model_copy(update={"held_out": (write("c.jsonl", *"xyd"),)})
    with pytest.raises(UserError, match="prompt 'd' is both in"):
        prepare(one, tokenizer)


def test_wanted_completions_must_be_there(tokenizer, write) -> None:
    paths = {"prompts": (write("a.jsonl", "a"), write("b.jsonl", "b", chosen="x", rejected="y"))}
    settings = DataSettings(**paths, held_out="embedded", use_completions=True)
    with pytest.raises(UserError, match="prompt 'a' has none"):
        prepare(settings, tokenizer)
    assert (
        len(prepare(settings.model_copy(update={"use_completions": False}), tokenizer).train) == 2
    )


def test_nothing_left_is_an_error(tokenizer, write) -> None:
    settings = DataSettings(prompts=write("a.jsonl", "a"), held_out="embedded", max_prompt_tokens=2)
    with pytest.raises(UserError, match="no held-out prompt is left: of 40, 40 have more than 2"):
        prepare(settings, tokenizer)


def test_parts_are_disjoint_and_depend_on_seed_and_prompts_alone() -> None:
    prompts = embedded_prompts("train")
    parts = split_prompts(prompts, 3, 50, seed=1)
    assert [len(part) for part in parts] == [50, 50, 50]
    keys = [prompt.key for part in parts for prompt in part]
    assert len(set(keys)) == 150
    assert split_prompts(prompts[::-1], 3, 50, seed=1) == parts
    assert split_prompts(prompts, 3, 50, seed=2) != parts
    assert split_prompts(prompts, 3, 20, seed=1)[0] == parts[0][:20]
    first = {prompt.text.split()[0] for prompt in parts[0]}
    assert first == {"How", "Tell", "What", "Say"}
    with pytest.raises(UserError, match=r"3 iterations of 54 prompts need 162 .* there are 160"):
        split_prompts(prompts, 3, 54, seed=1)
