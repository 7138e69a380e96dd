"""Real runs on the embedded model; log-likelihoods against a computation of their own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from harness_data import ARC, WINOGRANDE

from evaluation.harness.planning import HarnessSettings
from evaluation.harness.run import run_harness
from evaluation.naming import folder_name
from mnpo.errors import DamagedRun, InvalidSetting, UserError


@pytest.fixture(scope="module")
def ran(data_dir, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    settings = HarnessSettings(data_dir, max_gen_toks=8, batch_size=2, allow_code=True)
    return run_harness("tiny", ["paper"], output=output, settings=settings), output


def samples(output, unit):
    (path,) = (output / "tiny").glob(f"samples_{unit}_*.jsonl")
    return [json.loads(line) for line in path.open()]


def log_likelihood(tiny, context, continuation):
    """Token by token, one forward pass for each, no batch, no cache."""
    from mnpo.training.models.loading import load_policy, load_tokenizer
    from mnpo.training.models.settings import ModelSettings

    model = load_policy(tiny, ModelSettings(), "cpu", for_training=False)
    tokenizer = load_tokenizer(tiny)
    whole = tokenizer.encode(context + continuation)
    start = len(tokenizer.encode(context))
    total = 0.0
    for place in range(start, len(whole)):
        with torch.no_grad():
            logits = model(torch.tensor([whole[:place]])).logits[0, -1].double()
        total += float(logits[whole[place]] - torch.logsumexp(logits, 0))
    return total


def test_winogrande_equals_a_hand_computation(ran, tiny):
    scores, output = ran
    right = []
    for own, sample in zip(WINOGRANDE, samples(output, "winogrande"), strict=True):
        before, after = own["sentence"].split("_")
        found = [
            log_likelihood(tiny, before + own[option], " " + after.strip())
            for option in ("option1", "option2")
        ]
        logged = [float(response[0]) for response in sample["filtered_resps"]]
        assert logged == pytest.approx(found, abs=1e-3)
        right.append((found[1] > found[0]) == (own["answer"] == "2"))
    figure = scores.models[0].metrics["accuracy/winogrande"]
    assert figure.value == pytest.approx(100 * sum(right) / len(right))
    assert (figure.n, figure.clusters) == (3, 3)


def test_arc_is_normalised_by_length_in_characters(ran, tiny):
    scores, _ = ran
    right = []
    for own in ARC:
        found = [log_likelihood(tiny, own["query"], " " + c) / len(c) for c in own["choices"]]
        right.append(found.index(max(found)) == own["gold"])
    value = scores.models[0].metrics["accuracy/arc"].value
    assert value == pytest.approx(100 * sum(right) / len(right))


def test_mmlu_prompts_have_five_examples_of_their_subject(ran):
    scores, output = ran
    for sample in samples(output, "mmlu_anatomy"):
        prompt = sample["arguments"]["gen_args_0"]["arg_0"]
        assert prompt.count("Which letter of") == 6
        assert "hat" not in prompt
    metrics = scores.models[0].metrics
    assert metrics["accuracy/mmlu"].n == 3
    assert "accuracy/mmlu/mean-over-subjects" in metrics


def test_the_mean_is_over_tasks_and_gpqa_is_no_zero(ran):
    scores, _ = ran
    own = scores.models[0]
    quoted = ["mmlu", "arc", "winogrande", "gsm8k", "humaneval"]
    values = [own.metrics[f"accuracy/{name}"].value for name in quoted]
    assert own.score.value == pytest.approx(sum(values) / 5)
    assert "accuracy/gpqa" not in own.metrics
    assert any("gpqa: not run" in note for note in scores.notes)
    assert scores.settings["tasks"]["gpqa"]["status"].startswith("not run")
    json.loads(scores.json())


def test_official_figures_and_artefacts(ran):
    scores, output = ran
    own = scores.models[0]
    for name in ("accuracy/winogrande", "accuracy/gsm8k", "accuracy/mmlu"):
        assert own.official[name].value == pytest.approx(own.metrics[name].value)
    (path,) = (output / "tiny").glob("results_*.json")
    results = json.loads(path.read_text())
    assert set(results["n-samples"]) >= {"winogrande", "mmlu_anatomy", "humaneval"}
    for sample in samples(output, "gsm8k"):
        assert {"doc_hash", "prompt_hash", "target_hash"} <= set(sample)


def test_humaneval_runs_in_the_sandbox(data_dir, tmp_path):
    """Through lm-eval, with answers that are known to pass and to fail."""
    from harness_data import HUMANEVAL

    from evaluation.harness.definitions import units
    from evaluation.harness.documents import load_documents
    from evaluation.harness.offline.stored_answers import StoredAnswers
    from evaluation.harness.running import run_unit
    from evaluation.harness.suite import TASKS

    task = TASKS["humaneval"]
    (unit,) = units(task, load_documents(task, data_dir))
    answers = [HUMANEVAL[0]["canonical_solution"] + "\nprint(1)", "    return None\n"]
    done = run_unit(StoredAnswers(answers), unit, {}, limit=None, chat=False)
    assert [own["pass@1"] for own in done.samples] == [1.0, 0.0]


def test_a_finished_task_is_not_run_again(ran, data_dir, monkeypatch):
    from evaluation.harness import language_model

    scores, output = ran
    monkeypatch.setattr(language_model, "open_language_model", lambda *_, **__: pytest.fail("ran"))
    settings = HarnessSettings(data_dir, max_gen_toks=8, batch_size=2, allow_code=True)
    again = run_harness("tiny", ["paper"], output=output, settings=settings)
    assert again.json() == scores.json()
    with pytest.raises(pytest.fail.Exception, match="ran"):
        run_harness("tiny", ["arc"], output=output, settings=HarnessSettings(data_dir, limit=1))


def test_killed_in_the_middle_it_goes_on(data_dir, tmp_path):
    script = (
        "import sys, os; from pathlib import Path\n"
        "from evaluation.harness.planning import HarnessSettings\n"
        "from evaluation.harness.run import run_harness\n"
        "run_harness('tiny', ['winogrande', 'arc', 'mmlu', 'gsm8k'], output=Path(sys.argv[2]),\n"
        "  settings=HarnessSettings(Path(sys.argv[1]), max_gen_toks=4))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir), str(tmp_path)], env={**os.environ}
    )
    finished = tmp_path / "finished"
    while not list(finished.glob("*.json.gz")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in finished.glob("*.json.gz")}
    assert before
    names = ["winogrande", "arc", "mmlu", "gsm8k"]
    settings = HarnessSettings(data_dir, max_gen_toks=4)
    scores = run_harness("tiny", names, output=tmp_path, settings=settings)
    after = {path.name: path.stat().st_mtime_ns for path in finished.glob("*.json.gz")}
    assert len(after) == 5
    assert {name: after[name] for name in before} == before
    fresh = run_harness("tiny", names, output=tmp_path / "fresh", settings=settings)
    assert fresh.json() == scores.json()


def test_two_models_are_compared_document_by_document(ran, data_dir, tmp_path, tiny):
    names = ["winogrande", "arc"]
    scores = run_harness(
        {"finished": "tiny", "../two": str(tiny.path)},
        names,
        output=tmp_path / "out",
        settings=HarnessSettings(data_dir),
    )
    assert [own.difference.value for own in scores.comparisons] == [0.0, 0.0]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"finished", folder_name("finished/"), folder_name("../two")}
    assert not (tmp_path / "two").exists()


def test_a_models_own_answer_length_does_not_overrule_the_tasks(tiny):
    """generation_config.json of the embedded model says 48 new tokens."""
    from lm_eval.api.instance import Instance

    from evaluation.harness.language_model import open_language_model

    model = open_language_model(
        tiny, device="cpu", precision="float32", batch_size=1, max_length=512
    )
    arguments = ("Rain", {"until": [], "max_gen_toks": 60, "do_sample": False})
    request = Instance("generate_until", {}, arguments, 0)
    calls = []
    inner = model.model.generate
    model.model.generate = lambda *a, **k: calls.append(k) or inner(*a, **k)
    model.generate_until([request], disable_tqdm=True)
    assert model.model.generation_config.max_new_tokens is None
    assert calls[0]["max_length"] - calls[0]["input_ids"].shape[1] == 60


def test_prompts_that_do_not_fit_are_counted(tiny):
    from lm_eval.api.instance import Instance

    from evaluation.harness.language_model import open_language_model

    model = open_language_model(
        tiny, device="cpu", precision="float32", batch_size=1, max_length=16
    )
    requests = [
        Instance("loglikelihood", {}, (text, " soup"), 0) for text in ("rain", "rain " * 50)
    ]
    model.loglikelihood(requests, disable_tqdm=True)
    assert model.cut_prompts == 1
    arguments = ("rain " * 50, {"until": [], "max_gen_toks": 4, "do_sample": False})
    model.generate_until([Instance("generate_until", {}, arguments, 0)], disable_tqdm=True)
    assert model.cut_prompts == 2


def test_log_likelihoods_that_are_no_numbers_are_missing(ran, data_dir, tmp_path, monkeypatch):
    from evaluation.harness import run as module

    _, output = ran
    inner = module._Runner.result

    def broken(self, own, unit):
        done = inner(self, own, unit)
        if unit.name == "winogrande":
            done.samples[0]["filtered_resps"][0][0] = float("nan")
        return done

    monkeypatch.setattr(module._Runner, "result", broken)
    settings = HarnessSettings(data_dir, max_gen_toks=8, batch_size=2, allow_code=True)
    scores = run_harness("tiny", ["winogrande"], output=output, settings=settings)
    (own,) = scores.models
    assert (own.n, own.missing) == (2, 1)
    assert "missing, not wrong" in own.flags[0]


def test_results_that_are_not_the_mean_of_their_samples(ran, data_dir, monkeypatch):
    from evaluation.harness import run as module

    _, output = ran
    inner = module._Runner.result

    def broken(self, own, unit):
        done = inner(self, own, unit)
        done.results["results"]["winogrande"]["acc,none"] += 0.01
        return done

    monkeypatch.setattr(module._Runner, "result", broken)
    with pytest.raises(DamagedRun, match=r"acc,none is [01]\.\d+ in the results"):
        run_harness("tiny", ["winogrande"], output=output, settings=HarnessSettings(data_dir))


def test_wrong_settings(data_dir, tmp_path, tiny):
    with pytest.raises(InvalidSetting, match="limit must be at least 1"):
        HarnessSettings(data_dir, limit=0)
    with pytest.raises(InvalidSetting, match="no such folder"):
        HarnessSettings(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"none of the lm-eval tasks can be run.*gpqa"):
        run_harness("tiny", ["gpqa"], output=tmp_path, settings=HarnessSettings(data_dir))


def test_without_a_hub_the_message_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"winogrande.*--data-dir"):
        run_harness("tiny", ["winogrande"], output=tmp_path, settings=HarnessSettings(limit=1))


def test_in_a_chat_humaneval_is_asked_as_lm_eval_asks_chat_models(data_dir, tmp_path):
    settings = HarnessSettings(data_dir, max_gen_toks=4, allow_code=True, chat_template=True)
    scores = run_harness("tiny", ["humaneval", "arc"], output=tmp_path, settings=settings)
    (sample, _) = samples(tmp_path, "humaneval_instruct")
    prompt = sample["arguments"]["gen_args_0"]["arg_0"]
    assert prompt.startswith("<|user|>")
    assert prompt.count("def twice") == 2  # asked for, and begun in the answer
    task = scores.settings["tasks"]["humaneval"]
    assert task["prompt"] == "lm-eval humaneval/humaneval_instruct.yaml"
    assert scores.settings["sandbox"]["limits"]["cpu"] == 3
    for own in samples(tmp_path, "arc_challenge"):
        assert own["arguments"]["gen_args_0"]["arg_0"].endswith("<|assistant|>")
