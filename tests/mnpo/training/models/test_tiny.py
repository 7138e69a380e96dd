"""The embedded model: it speaks in short sentences, it varies, and it is always the same one."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from mnpo.training.data.embedded import embedded_prompts
from mnpo.training.data.encoding import encode_prompt
from mnpo.training.models import tiny
from mnpo.training.models.hashing import hash_policy
from mnpo.training.models.resolve import resolve
from mnpo.training.tokens import contract_of, decode


def test_the_same_seed_gives_the_same_weights_whatever_the_thread_count(
    monkeypatch, tmp_path
) -> None:
    for name, value in {"ANSWERS": 1, "EPOCHS": 1}.items():
        monkeypatch.setattr(tiny, name, value)
    before = torch.get_rng_state()
    hashes = []
    threads = torch.get_num_threads()
    try:
        for number, (seed, used) in enumerate([(0, 1), (0, 2), (1, 1)]):
            torch.set_num_threads(used)
            torch.rand(number)  # the state of the global generator must not matter
            state = torch.get_rng_state()
            model, tokenizer = tiny.make_tiny(seed)
            assert torch.equal(torch.get_rng_state(), state)
            assert torch.get_num_threads() == used
            model.save_pretrained(tmp_path / str(number))
            hashes.append((hash_policy(tmp_path / str(number)), contract_of(tokenizer)))
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(before)
    assert hashes[0] == hashes[1]
    assert hashes[0][0] != hashes[2][0]
    assert hashes[0][1] == hashes[2][1]


def test_it_is_as_small_as_it_says() -> None:
    tokenizer = tiny.make_tokenizer()
    assert len(tokenizer) == tiny.VOCABULARY
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(tiny.make_config(tokenizer))
    assert 0.5e6 < model.num_parameters() < 1e6
    assert model.config.tie_word_embeddings


@pytest.mark.slow
def test_it_answers_in_short_sentences_that_end(tmp_path) -> None:
    checkpoint = resolve("tiny", tmp_path)
    from mnpo.training.models.loading import load_policy, load_tokenizer
    from mnpo.training.models.settings import ModelSettings

    model = load_policy(checkpoint, ModelSettings(), "cpu", for_training=False)
    tokenizer = load_tokenizer(checkpoint)
    torch.manual_seed(0)
    ended = about = kind = 0
    answers = []
    for prompt in embedded_prompts("held-out")[::4]:
        ids = torch.tensor([encode_prompt(tokenizer, prompt)] * 16)
        drawn = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=24
        )
        for row in drawn[:, ids.shape[1] :].tolist():
            text = decode(tokenizer, row)
            answers.append(text)
            ended += tokenizer.eos_token_id in row
            about += prompt.text.rstrip("?.").rpartition("the ")[2] in text
            kind += any(word in text for word in ("love", "like", "happy", "enjoy", "Thank"))
    assert ended / len(answers) > 0.9
    assert about / len(answers) > 0.8
    assert len(set(answers)) / len(answers) > 0.5  # preferences have something to choose from
    assert 0.1 < kind / len(answers) < 0.9
    words = {word for text in answers for word in text.split()}
    known = {word for _, text in tiny.embedded_answers(16) for word in text.split()}
    assert len(words & known) / len(words) > 0.5
