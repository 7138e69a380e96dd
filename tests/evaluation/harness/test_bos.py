"""BOS stands once, whether tokenizer, template or both would add it."""

import pytest

from mnpo.errors import UserError

WITH_BOS = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@pytest.fixture(scope="module")
def language_model(tiny):
    """The embedded model with a tokenizer that adds BOS, and a template that adds it too."""
    from tokenizers.processors import TemplateProcessing

    from evaluation.harness.language_model import WatchedLM
    from mnpo.training.models.loading import load_policy, load_tokenizer
    from mnpo.training.models.settings import ModelSettings

    tokenizer = load_tokenizer(tiny)
    tokenizer.bos_token = "<|system|>"
    bos = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|system|> $A", special_tokens=[("<|system|>", bos)]
    )
    tokenizer.chat_template = WITH_BOS
    model = load_policy(tiny, ModelSettings(), "cpu", for_training=False)
    return WatchedLM(pretrained=model, tokenizer=tokenizer, batch_size=2, max_length=128)


def seen_ids(language_model, monkeypatch, chat):
    from lm_eval.api.instance import Instance

    text = "Soup?"
    if chat:
        text = language_model.apply_chat_template([{"role": "user", "content": text}])
    seen = []
    inner = language_model._model_call
    monkeypatch.setattr(
        language_model, "_model_call", lambda ids, *a, **k: seen.append(ids) or inner(ids, *a, **k)
    )
    generate = language_model._model_generate
    monkeypatch.setattr(
        language_model,
        "_model_generate",
        lambda context, **k: seen.append(context) or generate(context=context, **k),
    )
    language_model.loglikelihood(
        [Instance("loglikelihood", {}, (text, " yes"), 0)], disable_tqdm=True
    )
    arguments = (text, {"until": [], "max_gen_toks": 2, "do_sample": False})
    language_model.generate_until([Instance("generate_until", {}, arguments, 0)], disable_tqdm=True)
    assert len(seen) == 2
    return [ids[0].tolist() for ids in seen]


@pytest.mark.parametrize("chat", [False, True])
def test_once(language_model, monkeypatch, chat):
    bos = language_model.tokenizer.bos_token_id
    for ids in seen_ids(language_model, monkeypatch, chat):
        assert ids[0] == bos
        assert ids.count(bos) == 1


def test_chat_ids_are_those_of_the_template_itself(language_model, monkeypatch):
    expected = language_model.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Soup?"}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
    )
    assert seen_ids(language_model, monkeypatch, True)[1] == expected


def test_twice_is_refused(language_model):
    from lm_eval.api.instance import Instance

    bos = language_model.tokenizer.bos_token
    request = Instance("loglikelihood", {}, (bos + bos + "Soup?", " yes"), 0)
    with pytest.raises(UserError, match="two BOS tokens"):
        language_model.loglikelihood([request], disable_tqdm=True)
