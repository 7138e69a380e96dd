"""Reward models and pair models against naive twins: one text at a time, nothing padded."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting, UserError
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.base import OracleFailure, Question
from mnpo.training.oracles.build import build_oracle
from mnpo.training.oracles.settings import PairModelSettings, RewardModelSettings

TEMPLATE = (
    "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
TEXTS = ("yes", "no, and I can say why: it rains", "", "a" * 60, "yes", "ß🙂")


@pytest.fixture(scope="module")
def tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    specials = ["<s>", "</s>", "<user>", "<system>", "<assistant>"]
    vocab = {token: n for n, token in enumerate([*specials, *letters])}
    backend = Tokenizer(models.BPE(vocab, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    # Like most causal models it puts a BOS before bare text: a chat template must not get it.
    backend.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A $B", [("<s>", 0)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=specials[2:],
    )
    made.chat_template = TEMPLATE
    return made


def tiny_config(tokenizer, **changes):
    from transformers import LlamaConfig

    return LlamaConfig(
        **{
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 256,
            "num_labels": 1,
            "initializer_range": 0.5,  # large: every token matters
            "pad_token_id": None,
            "bos_token_id": 0,
            "eos_token_id": 1,
            **changes,
        }
    )


@pytest.fixture(scope="module")
def saved(tokenizer, tmp_path_factory):
    """Saves a random model of a class; each (class, changes) once."""
    import torch
    import transformers

    made: dict[str, Path] = {}

    def save(kind, **changes) -> Path:
        key = f"{kind}{changes}"
        if key not in made:
            torch.manual_seed(3)
            model = getattr(transformers, kind)(tiny_config(tokenizer, **changes))
            made[key] = tmp_path_factory.mktemp("model")
            model.save_pretrained(made[key])
            tokenizer.save_pretrained(made[key])
        return made[key]

    return save


def questions() -> list[Question]:
    system = Prompt((Message("system", "Be brief."), Message("user", "Does it rain?")))
    return [
        Question(Prompt((Message("user", "Why?"),)), TEXTS),
        Question(system, TEXTS[1:4]),
    ]


@lru_cache
def load(kind, folder):
    import transformers

    return getattr(transformers, kind).from_pretrained(folder).eval()


def naive_rewards(folder, tokenizer, question) -> list[float]:
    """The twin: the template by hand, one row, the head on the last hidden state."""
    import torch

    model = load("LlamaForSequenceClassification", folder)
    rewards = []
    for text in question.responses:
        turns = [*question.prompt.messages, Message("assistant", text)]
        ids = []
        for turn in turns:
            rendered = f"<{turn.role}>{turn.content}</s>"
            ids += tokenizer(rendered, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            hidden = model.model(torch.tensor([ids])).last_hidden_state[0, -1]
            rewards.append(float(model.score.weight[0] @ hidden))
    return rewards


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_rewards_equal_the_naive_twins_in_every_batch(saved, tokenizer, batch_size) -> None:
    folder = saved("LlamaForSequenceClassification")
    oracle = build_oracle(RewardModelSettings(model=str(folder), batch_size=batch_size, scale=2.0))
    asked = questions()
    found = oracle.rewards(asked)
    for question, rewards in zip(asked, found, strict=True):
        expected = naive_rewards(folder, tokenizer, question)
        assert np.ptp(expected) > 0.5  # the responses do differ
        assert rewards == pytest.approx(expected, abs=1e-5)
    assert found[0][0] == found[0][4]  # identical texts, to the last bit
    (p, _) = oracle.compare(asked)
    r = found[0]
    assert p[1, 3] == pytest.approx(1 / (1 + np.exp(-(r[1] - r[3]) / 2)), abs=1e-12)
    assert p[0, 4] == 0.5
    alone = oracle.rewards([Question(asked[0].prompt, TEXTS[3:4])])[0]
    assert alone[0] == pytest.approx(r[3], abs=1e-5)


def test_a_declared_padding_token_is_read_as_the_model_itself_reads_it(saved, tokenizer) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    folder = saved("LlamaForSequenceClassification", pad_token_id=1)  # the end token, as often
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    question = questions()[0]
    rows = [
        tokenizer(f"<user>Why?</s><assistant>{text}</s>", add_special_tokens=False)["input_ids"]
        for text in question.responses
    ]
    with torch.no_grad():
        expected = [float(model(torch.tensor([ids])).logits) for ids in rows]
    (found,) = build_oracle(RewardModelSettings(model=str(folder))).rewards([question])
    assert found == pytest.approx(expected, abs=1e-5)
    # ... which is not the last token: the case is not an empty one.
    assert np.abs(found - naive_rewards(folder, tokenizer, question)).max() > 0.01


def test_an_encoder_reads_a_pair_of_texts(tokenizer, tmp_path) -> None:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    config = BertConfig(
        vocab_size=len(tokenizer), num_attention_heads=2, num_labels=1, **sizes, pad_token_id=4
    )
    model = BertForSequenceClassification(config).eval()
    torch.nn.init.normal_(model.classifier.weight, std=5.0)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (found,) = build_oracle(RewardModelSettings(model=str(tmp_path), reads="pair")).rewards(
        questions()[:1]
    )
    with torch.no_grad():
        expected = [
            float(model(**tokenizer("Why?", text, return_tensors="pt")).logits) for text in TEXTS
        ]
    assert found == pytest.approx(expected, abs=1e-5)


def test_what_is_too_long_is_refused_or_cut_and_counted(saved, tokenizer) -> None:
    folder = str(saved("LlamaForSequenceClassification"))
    question = questions()[0]
    with pytest.raises(OracleFailure, match=r"prompt 'Why\?'.* has 39 tokens, more than 30; raise"):
        build_oracle(RewardModelSettings(model=folder, max_tokens=30)).rewards([question])
    oracle = build_oracle(RewardModelSettings(model=folder, max_tokens=30, over_long="truncate"))
    oracle.rewards([question])
    assert oracle.truncated == 2
    huge = Question(question.prompt, ("a" * 300, "b"))
    with pytest.raises(OracleFailure, match="more than 256"):  # the model's own limit
        build_oracle(RewardModelSettings(model=folder)).rewards([huge])


def test_a_reward_that_is_no_number_names_the_prompt(tokenizer, tmp_path) -> None:
    import torch
    from transformers import LlamaForSequenceClassification

    model = LlamaForSequenceClassification(tiny_config(tokenizer))
    torch.nn.init.constant_(model.score.weight, float("nan"))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(OracleFailure, match=r"prompt 'Why\?' .*the reward of response 0 is nan"):
        build_oracle(RewardModelSettings(model=str(tmp_path))).compare(questions())


def test_what_is_no_reward_model_is_refused_in_one_line(saved, tokenizer, tmp_path) -> None:
    def refusal(folder) -> str:
        with pytest.raises(UserError) as caught:
            build_oracle(RewardModelSettings(model=str(folder)))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    # transformers itself would only warn and give the head random weights.
    assert "no trained weights for score.weight" in refusal(saved("LlamaForCausalLM"))
    two = saved("LlamaForSequenceClassification", num_labels=2)
    assert "is a classifier with 2 labels; a reward model has 1" in refusal(two)
    assert "no such folder" in refusal(tmp_path / "absent")
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    assert "pickled" in refusal(pickled)


def test_a_description_follows_weights_template_and_reading(saved, tokenizer, tmp_path) -> None:
    import shutil

    folder = saved("LlamaForSequenceClassification")
    first = build_oracle(RewardModelSettings(model=str(folder))).describe()
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    same = build_oracle(RewardModelSettings(model=str(copy), batch_size=2)).describe()
    assert json.dumps(first) == json.dumps(same)
    (copy / "chat_template.jinja").write_text(TEMPLATE + " ")
    assert build_oracle(RewardModelSettings(model=str(copy))).describe() != first
    assert build_oracle(RewardModelSettings(model=str(folder), scale=2.0)).describe() != first


def naive_pair(folder, tokenizer, prompt, first, second, answers=("A", "B")) -> float:
    import torch

    model = load("LlamaForCausalLM", folder)
    text = f"<user>{prompt}?{first}!{second}</s><assistant>"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    a, b = (tokenizer.convert_tokens_to_ids(letter) for letter in answers)
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, -1].double()
    return float(torch.softmax(logits[[a, b]], dim=0)[0])


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_pair_probabilities_equal_the_naive_twins(saved, tokenizer, batch_size) -> None:
    folder = saved("LlamaForCausalLM")
    template = "{{ prompt }}?{{ response_a }}!{{ response_b }}"
    oracle = build_oracle(
        PairModelSettings(model=str(folder), template=template, batch_size=batch_size)
    )
    for question, p in zip(questions(), oracle.compare(questions()), strict=True):
        texts = question.responses
        assert np.abs(p + p.T - 1).max() <= 1e-12
        for i in range(len(texts)):
            for j in range(len(texts)):
                if texts[i] == texts[j]:
                    assert p[i, j] == 0.5
                    continue
                asked = question.prompt.text
                first = naive_pair(folder, tokenizer, asked, texts[i], texts[j])
                second = naive_pair(folder, tokenizer, asked, texts[j], texts[i])
                assert p[i, j] == pytest.approx((first + 1 - second) / 2, abs=1e-6)
    assert np.ptp(p) > 0.05


def test_the_own_pair_template_and_plain_text(saved) -> None:
    folder = str(saved("LlamaForCausalLM", max_position_embeddings=512))
    (chat,) = build_oracle(PairModelSettings(model=folder)).compare(questions()[:1])
    (plain,) = build_oracle(PairModelSettings(model=folder, chat=False)).compare(questions()[:1])
    assert (chat != plain).any()


def test_pair_model_mistakes_get_one_line(saved) -> None:
    folder = str(saved("LlamaForCausalLM"))
    with pytest.raises(InvalidSetting, match=r"oracle.answers: 'yes' is 3 tokens .*, not one"):
        build_oracle(PairModelSettings(model=folder, answers=("yes", "no")))
    with pytest.raises(InvalidSetting, match="are the same token"):
        build_oracle(PairModelSettings(model=folder, answers=("A", "A")))
    with pytest.raises(OracleFailure, match=r"prompt 'Why\?' .*tokens, more than 40; raise"):
        build_oracle(PairModelSettings(model=folder, max_tokens=40)).compare(questions())


def test_a_model_without_a_chat_template_says_what_to_do(tokenizer, saved, tmp_path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(saved("LlamaForSequenceClassification"), copy)
    (copy / "chat_template.jinja").unlink()
    oracle = build_oracle(RewardModelSettings(model=str(copy)))
    with pytest.raises(InvalidSetting, match="has no chat template; a reward-model can read text"):
        oracle.rewards(questions())


SCORING = """
from dataclasses import dataclass

import torch
from torch import nn
from transformers import LlamaConfig, LlamaModel, LlamaPreTrainedModel
from transformers.utils import ModelOutput


@dataclass
class Scored(ModelOutput):
    score: torch.Tensor | None = None
    logits: torch.Tensor | None = None


class Scorer(LlamaPreTrainedModel):
    config_class = LlamaConfig

    def __init__(self, config):
        super().__init__(config)
        self.model = LlamaModel(config)
        self.regression = nn.Linear(config.hidden_size, 3, bias=False)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, **unused):
        hidden = self.model(input_ids, attention_mask=attention_mask).last_hidden_state
        last = attention_mask.sum(dim=1) - 1
        parts = self.regression(hidden[torch.arange(len(last)), last])
        return Scored(score=parts.sum(dim=-1), logits=parts)
"""


def test_a_custom_head_is_read_by_its_score_when_its_code_is_allowed(
    saved, tokenizer, tmp_path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    source = saved("LlamaForSequenceClassification")
    folder = tmp_path / "scorer"
    folder.mkdir()
    tensors = load_file(source / "model.safetensors")
    head = tensors.pop("score.weight")
    tensors["regression.weight"] = torch.cat([head, 2 * head, -0.5 * head])  # sums to 2.5 heads
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text())
    config["architectures"] = ["Scorer"]
    config["auto_map"] = {"AutoModelForSequenceClassification": "scoring_code.Scorer"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "scoring_code.py").write_text(SCORING)
    tokenizer.save_pretrained(folder)
    settings = RewardModelSettings(model=str(folder), head="score", trust_remote_code=True)
    question = questions()[0]
    (found,) = build_oracle(settings).rewards([question])
    assert found == pytest.approx(
        2.5 * np.array(naive_rewards(source, tokenizer, question)), abs=1e-4
    )
    with pytest.raises(InvalidSetting):  # without permission its code does not run
        build_oracle(RewardModelSettings(model=str(folder)))


def test_a_head_that_is_code_is_not_run_unasked() -> None:
    with pytest.raises(InvalidSetting, match="is code that comes with the model; look at it"):
        build_oracle(RewardModelSettings(model="m", head="score"))
