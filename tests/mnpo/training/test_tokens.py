"""The token contract: which tokenizer, which template, what ends a response."""

import copy
import json

import pytest
from tokenizers import processors
from transformers import AutoTokenizer

from mnpo.errors import UserError
from mnpo.training.models.tiny import END, PAD, TEMPLATE, make_tokenizer
from mnpo.training.tokens import (
    TokenDrift,
    check_retokenized,
    contract_of,
    decode,
    special_ids,
    turn_end_id,
)


@pytest.fixture(scope="module")
def made():
    return make_tokenizer(400)


@pytest.fixture
def tokenizer(made):
    return copy.deepcopy(made)


def test_contract_of_the_embedded_tokenizer(tokenizer) -> None:
    contract = contract_of(tokenizer)
    vocabulary = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["vocab"]
    assert contract.end_ids == (vocabulary[END],)
    assert contract.pad_id == vocabulary[PAD]
    assert special_ids(tokenizer) == {
        vocabulary[mark] for mark in (PAD, END, "<|system|>", "<|user|>", "<|assistant|>")
    }


def test_contract_survives_saving_and_the_last_call(tokenizer, tmp_path) -> None:
    before = contract_of(tokenizer)
    tokenizer.save_pretrained(tmp_path)
    assert contract_of(AutoTokenizer.from_pretrained(tmp_path)) == before
    tokenizer(["a", "bc"], padding=True, truncation=True, max_length=4)
    assert json.loads(tokenizer.backend_tokenizer.to_str())["truncation"] is not None
    assert contract_of(tokenizer) == before


def test_another_word_or_another_template_is_another_contract(tokenizer) -> None:
    before = contract_of(tokenizer)
    tokenizer.add_tokens(["zebra"])
    after = contract_of(tokenizer)
    assert after.tokenizer != before.tokenizer
    assert after.template == before.template
    with pytest.raises(TokenDrift, match=f"{before.tokenizer[:12]}.*{after.tokenizer[:12]}"):
        before.require_same(after, "the policy", "the reference")
    tokenizer.chat_template = TEMPLATE + " "
    spaced = contract_of(tokenizer)
    assert spaced.tokenizer == after.tokenizer
    with pytest.raises(TokenDrift, match="chat template"):
        after.require_same(spaced, "the policy", "the reference")


def test_the_mark_after_a_turn_ends_a_response_beside_eos(tokenizer) -> None:
    tokenizer.add_special_tokens({"eos_token": "<|text-end|>"})
    eos, turn_end = tokenizer.convert_tokens_to_ids(["<|text-end|>", END])
    assert turn_end_id(tokenizer) == turn_end
    assert contract_of(tokenizer).end_ids == (eos, turn_end)
    assert contract_of(tokenizer, (3, turn_end, 2)).end_ids == (eos, turn_end, 2, 3)


def test_pad_falls_back_to_eos(tokenizer) -> None:
    tokenizer.pad_token = None
    assert contract_of(tokenizer).pad_id == tokenizer.eos_token_id


def test_without_end_token_or_template_it_is_refused(tokenizer) -> None:
    tokenizer.eos_token = None
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] }}{% endfor %}"
    )
    with pytest.raises(UserError, match="no EOS token"):
        contract_of(tokenizer)
    tokenizer.chat_template = None
    with pytest.raises(UserError, match="no chat template"):
        contract_of(tokenizer)


def test_a_template_that_refuses_conversations_says_why(tokenizer) -> None:
    tokenizer.chat_template = "{{ raise_exception('only on Sundays') }}"
    with pytest.raises(UserError, match="refuses a conversation of user, assistant: only on Sun"):
        contract_of(tokenizer)


def test_a_bos_in_the_post_processor_belongs_to_the_contract(tokenizer) -> None:
    before = contract_of(tokenizer)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|user|> $A", special_tokens=[("<|user|>", 3)]
    )
    assert contract_of(tokenizer).tokenizer != before.tokenizer


@pytest.mark.parametrize("text", ["", " the soup ", "Grüße, 你好 👋", "tab\tand\nnewline  two"])
def test_text_survives_tokenizing(tokenizer, text) -> None:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    check_retokenized(tokenizer, ids, text)
    assert decode(tokenizer, [*ids, tokenizer.eos_token_id]) == text


def test_drift_is_shown_where_it_begins(tokenizer) -> None:
    ids = tokenizer("the soup is warm", add_special_tokens=False)["input_ids"]
    with pytest.raises(TokenDrift, match=r"character 13 on .*'cold'.*'warm'"):
        check_retokenized(tokenizer, ids, "the soup is cold")
    with pytest.raises(TokenDrift, match="character 17"):
        check_retokenized(tokenizer, ids, "the soup is warm.")
