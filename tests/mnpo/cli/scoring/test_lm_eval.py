"""`mnpo-bench score lm-eval`, on files of our own and on published outputs."""

import gzip
import json

import pytest
from harness_data import GSM8K, HUMANEVAL, WINOGRANDE, write_lines

from evaluation.harness.offline.score import score_outputs
from mnpo.cli.scoring.lm_eval import score
from mnpo.errors import DamagedRun, InvalidSetting, UserError

LM_EVAL = "data/lm_eval"


def one(scores):
    return scores.models[0]


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    write_lines(folder / "gsm8k/test.jsonl", GSM8K)
    write_lines(folder / "winogrande/validation.jsonl", WINOGRANDE)
    write_lines(folder / "humaneval/HumanEval.jsonl", HUMANEVAL)
    return folder


@pytest.fixture
def predictions(tmp_path):
    rows = [
        {"idx": 0, "gt": "12", "pred": "12.0", "completion": r"So \boxed{12}."},
        {"idx": 1, "gt": "10", "pred": "11", "completion": r"So \boxed{10}."},
        {"idx": 2, "gt": "2,500", "pred": "2500", "completion": "Nothing boxed: 2500"},
    ]
    return lambda change=lambda rows: rows: write_lines(tmp_path / "own.jsonl", change(rows))


@pytest.fixture
def log(tmp_path):
    rows = [
        {"doc_id": 0, "logit_0": -3.0, "logit_1": -2.0, "truth": 1, "acc": True},
        {"doc_id": 1, "logit_0": -3.0, "logit_1": -2.0, "truth": 0, "acc": False},
        {"doc_id": 2, "logit_0": -2.0, "logit_1": -2.0, "truth": 0, "acc": True},
    ]
    return lambda change=lambda rows: rows: write_lines(tmp_path / "log.jsonl", change(rows))


class TestPredictions:
    def test_both_rules(self, predictions, data):
        own = one(score_outputs("gsm8k", predictions(), data=data))
        assert own.metrics["accuracy"].value == pytest.approx(200 / 3)
        assert own.metrics["accuracy/boxed"].value == pytest.approx(200 / 3)
        assert (own.n, own.missing, own.model) == (3, 0, "own")

    def test_order_does_not_matter(self, predictions, data):
        first = score_outputs("gsm8k", predictions(), data=data)
        second = score_outputs("gsm8k", predictions(lambda rows: rows[::-1]), data=data)
        assert one(first).metrics == one(second).metrics

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: rows[:2], "1 of 3 documents are missing: 1 (no row); --allow"),
            (lambda rows: [*rows, rows[0]], "problem 0 stands already in"),
            (lambda rows: [rows[0] | {"gt": "13"}, *rows[1:]], "gt is 13, and problem 0 has 12"),
            (lambda rows: [rows[0] | {"gt": "soup"}, *rows[1:]], "expected a number"),
            (lambda rows: [rows[0] | {"idx": 9}, *rows[1:]], "outside the 3 problems"),
            (lambda rows: [rows[0] | {"pred": None}, *rows[1:]], "1 (the prediction is null)"),
            *(
                (lambda rows, value=value: [rows[0] | {"pred": value}, *rows[1:]], "row 1: pred is")
                for value in (float("nan"), float("inf"), 10**400)
            ),
            (lambda rows: [rows[0] | {"gt": "1e999"}, *rows[1:]], "expected a number"),
            *(
                (lambda rows, value=value: [rows[0] | {"idx": value}, *rows[1:]], "row 1: idx is")
                for value in (float("inf"), float("nan"), 0.5, True, "1" * 5000)
            ),
        ],
    )
    def test_bad_files(self, predictions, data, change, message):
        with pytest.raises(UserError) as caught:
            score_outputs("gsm8k", predictions(change), data=data)
        assert message in str(caught.value)

    def test_gaps_only_when_allowed(self, predictions, data):
        path = predictions(lambda rows: [rows[0], rows[2] | {"pred": None}])
        own = one(score_outputs("gsm8k", path, data=data, allow_missing=True))
        assert (own.n, own.missing) == (1, 2)
        assert own.metrics["accuracy"].value == 100.0
        assert own.flags == ("2 of 3 problems are missing",)

    def test_a_prediction_that_is_no_number_is_wrong(self, predictions, data):
        path = predictions(lambda rows: [rows[0] | {"pred": "soup"}, *rows[1:]])
        scores = score_outputs("gsm8k", path, data=data)
        assert one(scores).metrics["accuracy"].value == pytest.approx(100 / 3)
        assert "1 predictions are no numbers" in scores.notes[0]


class TestWinogrande:
    def test_argmax_and_a_tie(self, log, data):
        scores = score_outputs("winogrande", log(), data=data)
        assert one(scores).metrics["accuracy"].value == pytest.approx(200 / 3)
        assert "two equal log-likelihoods" in scores.notes[0]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: rows[:2], "1 of 3 documents are missing: 1 (no row)"),
            (lambda rows: [*rows, rows[0]], "document 0 stands already in"),
            (
                lambda rows: [rows[0] | {"logit_0": float("nan")}, *rows[1:]],
                "document 0 (log-likelihoods that are not finite)",
            ),
            (lambda rows: [rows[0] | {"logit_0": "soup"}, *rows[1:]], "expected a number"),
            (lambda rows: [rows[0] | {"acc": False}, *rows[1:]], "acc is recorded as False"),
            (lambda rows: [rows[0] | {"truth": 2}, *rows[1:]], "expected 0 or 1"),
            (lambda rows: [rows[0] | {"logit_0": 10**400}, *rows[1:]], "row 1: logit_0 is"),
            (lambda rows: [rows[0] | {"truth": float("inf")}, *rows[1:]], "row 1: truth is"),
            *(
                (lambda rows, value=value: [rows[0] | {"doc_id": value}, *rows[1:]], said)
                for value, said in (
                    (float("inf"), "row 1: doc_id is"),
                    (-1, "outside the 3 documents"),
                    (10**400, "outside the 3 documents"),
                )
            ),
            (
                lambda rows: [
                    rows[0]
                    | {
                        "prompt_0_tail": "ina fed Ute soup because Ina was hungry.",
                        "truth": 0,
                        "acc": False,
                    },
                    *rows[1:],
                ],
                "truth is 0, and the data say 1",
            ),
        ],
    )
    def test_bad_files(self, log, data, change, message):
        with pytest.raises(UserError) as caught:
            score_outputs("winogrande", log(change), data=data)
        assert message in str(caught.value)

    def test_nan_is_missing_never_wrong(self, log, data):
        path = log(lambda rows: [rows[0], rows[1] | {"logit_1": float("nan")}, rows[2]])
        own = one(score_outputs("winogrande", path, data=data, allow_missing=True))
        assert (own.n, own.missing) == (2, 1)
        assert own.metrics["accuracy"].value == 100.0

    def test_csv(self, log, data, tmp_path):
        rows = [json.loads(line) for line in log().open()]
        text = (
            ",".join(rows[0])
            + "\n"
            + "".join(",".join(map(str, row.values())) + "\n" for row in rows)
        )
        path = tmp_path / "log.csv.gz"
        path.write_bytes(gzip.compress(text.encode()))
        assert one(score_outputs("winogrande", path, data=data)).score.value == pytest.approx(
            200 / 3
        )


class TestResponses:
    ROWS = (
        {"question": GSM8K[2]["question"], "response": "Two cost $2,500."},
        {"question": GSM8K[0]["question"], "response": "12\n#### 12\n\nQuestion: 99?"},
        {"question": GSM8K[1]["question"], "response": "#### 11"},
    )

    def test_lm_evals_two_rules_and_its_stop_words(self, data, tmp_path):
        path = write_lines(tmp_path / "out.jsonl", self.ROWS)
        own = one(score_outputs("gsm8k", path, data=data))
        assert own.metrics["accuracy"].value == pytest.approx(200 / 3)
        assert own.metrics["accuracy/strict-match"].value == pytest.approx(100 / 3)
        assert own.official["accuracy"].value == pytest.approx(200 / 3)

    def test_the_files_own_verdicts_are_shown_beside(self, data, tmp_path):
        rows = [own | {"recorded_correct": True} for own in self.ROWS]
        scores = score_outputs("gsm8k", write_lines(tmp_path / "out.jsonl", rows), data=data)
        assert one(scores).metrics["accuracy/recorded"].value == 100.0
        assert scores.notes == ("the file's own verdicts differ in 1 of 3 documents",)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda rows: rows[1:], "1 of 3 documents are missing: A pan"),
            (lambda rows: [*rows, rows[0]], "stands already in"),
            (lambda rows: [rows[0] | {"question": "Other?"}, *rows[1:]], "is no question of GSM8K"),
            (lambda rows: [rows[0] | {"response": None}, *rows[1:]], "no usable answer"),
            (lambda rows: [rows[0] | {"response": 7}, *rows[1:]], "must be a text"),
        ],
    )
    def test_bad_files(self, data, tmp_path, change, message):
        path = write_lines(tmp_path / "out.jsonl", change(list(self.ROWS)))
        with pytest.raises(UserError) as caught:
            score_outputs("gsm8k", path, data=data)
        assert message in str(caught.value)

    def test_without_documents(self, tmp_path):
        with pytest.raises(InvalidSetting, match="--data"):
            score_outputs("gsm8k", write_lines(tmp_path / "out.jsonl", self.ROWS))


class TestPrograms:
    def rows(self):
        solutions = [(own["task_id"], own["canonical_solution"]) for own in HUMANEVAL]
        pairs = [*solutions, ("Own/0", "    return 3\n")]
        return [{"task_id": name, "completion": text} for name, text in pairs]

    def test_pass_at_one_over_several_completions(self, data, tmp_path):
        path = write_lines(tmp_path / "out.jsonl", self.rows())
        own = one(score_outputs("humaneval", path, data=data, allow_code=True))
        assert own.metrics["accuracy"].value == pytest.approx(75.0)
        assert own.details["failures"] == {"AssertionError": 1}

    def test_no_program_runs_unasked(self, data, tmp_path, monkeypatch):
        from evaluation.harness.offline import programs

        monkeypatch.setattr(programs, "check", lambda *_: pytest.fail("ran"))
        path = write_lines(tmp_path / "out.jsonl", self.rows())
        with pytest.raises(InvalidSetting, match="--allow-code"):
            score_outputs("humaneval", path, data=data)

    def test_a_problem_without_completion(self, data, tmp_path):
        path = write_lines(tmp_path / "out.jsonl", self.rows()[:1])
        with pytest.raises(UserError, match="1 of 2 documents are missing"):
            score_outputs("humaneval", path, data=data, allow_code=True)


class TestLogged:
    @pytest.fixture
    def folder(self, tmp_path):
        rows = [
            {
                "doc_id": i,
                "doc": {},
                "target": "",
                "resps": [],
                "filtered_resps": [],
                "filter": "none",
                "metrics": ["acc"],
                "doc_hash": str(i),
                "acc": float(i % 2),
            }
            for i in range(5)
        ]
        write_lines(tmp_path / "m/samples_own_task_2026.jsonl", rows)
        results = {
            "results": {"own_task": {"acc,none": 0.4, "acc_stderr,none": 0.24}},
            "n-samples": {"own_task": {"original": 9, "effective": 5}},
            "configs": {"own_task": {"metric_list": [{"metric": "acc", "aggregation": "mean"}]}},
        }
        (tmp_path / "m/results_2026.json").write_text(json.dumps(results))
        return tmp_path / "m"

    def test_any_task_of_lm_eval(self, folder):
        scores = score_outputs("own_task", folder)
        own = one(scores)
        assert own.metrics["acc"].value == pytest.approx(40.0)
        assert own.official["acc"].high == pytest.approx(40 + 1.96 * 24)
        assert scores.notes == ("recomputed means agree with lm-eval's results",)

    def test_another_figure_in_the_results_is_an_error(self, folder):
        path = folder / "results_2026.json"
        path.write_text(path.read_text().replace("0.4,", "0.41,"))
        with pytest.raises(DamagedRun, match=r"0\.410000 in the results and 0\.400000"):
            score_outputs("own_task", folder)

    def test_missing_and_repeated_samples(self, folder):
        path = folder / "samples_own_task_2026.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:4]))
        with pytest.raises(UserError):
            score_outputs("own_task", folder)
        path.write_text("".join([*lines, lines[0]]))
        with pytest.raises(UserError, match="stands already in"):
            score_outputs("own_task", folder)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"metrics": None}, "row 2: metrics must be a list of names"),
            ({"metrics": [5]}, "row 2: metrics must be a list of names"),
            ({"filter": [1]}, "row 2: filter must be a text"),
            ({"filtered_resps": 5}, "row 2: filtered_resps must be a list"),
            ({"acc": 10**400}, "row 2: acc is"),
            ({"acc": "right"}, "row 2: acc is"),
            ({"acc": {"a": 1}}, "row 2: acc is"),
            ({"acc": [1, 0]}, "row 2: acc is"),
            ({"doc_id": -5}, "row 2: document -5 is outside"),
            ({"doc_id": 9}, "row 2: document 9 is outside the 9"),
            ({"doc_id": 10**400}, "is outside the 9"),
        ],
    )
    def test_rows_that_are_none(self, folder, change, says):
        path = folder / "samples_own_task_2026.jsonl"
        rows = [json.loads(line) for line in path.open()]
        rows[1] |= change
        write_lines(path, rows)
        with pytest.raises(UserError, match=says):
            score_outputs("own_task", folder, allow_missing=True)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"n-samples": []}, "n-samples"),
            ({"n-samples": {"own_task": {"original": 9, "effective": 2}}}, "5 documents"),
            ({"configs": 5}, "configs"),
            ({"configs": {"own_task": {"metric_list": 5}}}, "metric_list"),
            ({"results": {"own_task": {"acc,none": 10**400}}}, "acc,none"),
            ({"results": {"own_task": 5}}, "own_task"),
        ],
    )
    def test_results_that_are_none(self, folder, change, says):
        path = folder / "results_2026.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(UserError, match=says):
            score_outputs("own_task", folder)

    def test_results_that_are_nested_too_deep(self, folder):
        (folder / "results_2026.json").write_text("[" * 200_000 + "]" * 200_000)
        with pytest.raises(UserError, match="is no JSON"):
            score_outputs("own_task", folder)

    @pytest.mark.parametrize(
        ("ids", "says"),
        [(range(1, 1268), "document 1267 is outside"), (range(1500), "document 1267 is outside")],
    )
    def test_documents_of_a_task_whose_size_is_known(self, folder, ids, says):
        path = folder / "samples_winogrande_2026.jsonl"
        first = json.loads((folder / "samples_own_task_2026.jsonl").read_text().splitlines()[0])
        write_lines(path, [first | {"doc_id": i} for i in ids])
        with pytest.raises(UserError, match=says):
            score_outputs("winogrande", path)

    def test_a_list_is_left_out_where_another_figure_stands(self, folder):
        path = folder / "samples_own_task_2026.jsonl"
        rows = [json.loads(line) for line in path.open()]
        write_lines(path, [row | {"metrics": ["acc", "f1"], "f1": [1, 0]} for row in rows])
        scores = score_outputs("own_task", folder)
        assert list(one(scores).metrics) == ["acc"]
        said = "own_task: f1,none is a list in every row, no share, and was left out"
        assert scores.notes == (said, "recomputed means agree with lm-eval's results")

    def test_a_document_without_the_filter_that_counts_is_missing(self, folder):
        path = folder / "samples_own_task_2026.jsonl"
        rows = [json.loads(line) for line in path.open()]
        write_lines(path, [*rows, *(row | {"filter": "other"} for row in rows)][1:])
        with pytest.raises(UserError, match="1 of 5 documents are missing"):
            score_outputs("own_task", path)

    def test_a_run_of_the_project_reads_back(self, tmp_path):
        from evaluation.harness.planning import HarnessSettings
        from evaluation.harness.run import run_harness

        write_lines(tmp_path / "d/winogrande/validation.jsonl", WINOGRANDE)
        settings = HarnessSettings(tmp_path / "d")
        ran = run_harness("tiny", ["winogrande"], output=tmp_path / "o", settings=settings)
        again = one(score_outputs("winogrande", tmp_path / "o/tiny"))
        assert again.metrics["accuracy"] == one(ran).metrics["accuracy/winogrande"]
        assert again.official["accuracy"] == one(ran).official["accuracy/winogrande"]


def test_the_command_writes_results(log, data, tmp_path, capsys):
    score("winogrande", log(), data=data, output=tmp_path / "out")
    found = json.loads((tmp_path / "out/results.json").read_text())
    assert found["benchmark"] == "lm-eval/winogrande"
    assert found["models"]["log"]["n"] == 3
    assert found["models"]["log"]["missing"] == 0
    assert "66.67" in capsys.readouterr().out


def test_unknown_tasks_and_empty_files(tmp_path):
    path = write_lines(tmp_path / "out.jsonl", [{"response": "x"}])
    with pytest.raises(InvalidSetting, match="did you mean 'gsm8k'"):
        score_outputs("gsm8", path)
    with pytest.raises(UserError, match="logged samples"):
        score_outputs("mmlu", path)
    path.write_text("")
    with pytest.raises(UserError, match="holds no rows"):
        score_outputs("gsm8k", path)


@pytest.mark.shared_data
class TestPublished:
    def test_tora(self, shared_data):
        folder = shared_data / LM_EVAL
        path = folder / "gsm8k/model_outputs/tora-70b-v1.0.jsonl.gz"
        own = one(score_outputs("gsm8k", path, data=folder))
        assert own.metrics["accuracy"].value == pytest.approx(100 * 1112 / 1319, abs=1e-9)
        said = (folder / "gsm8k/model_outputs/tora-70b-v1.0.metrics.txt").read_text()
        assert f"[{own.metrics['accuracy'].value:.1f}]" in said

    def test_tora_with_a_row_missing(self, shared_data, tmp_path):
        source = shared_data / LM_EVAL / "gsm8k/model_outputs/tora-70b-v1.0.jsonl.gz"
        path = tmp_path / "cut.jsonl"
        path.write_bytes(gzip.decompress(source.read_bytes()).rstrip().rpartition(b"\n")[0])
        with pytest.raises(UserError, match="1 of 1319"):
            score_outputs("gsm8k", path)
        assert one(score_outputs("gsm8k", path, allow_missing=True)).missing == 1

    def test_mixtral_beside_its_authors_verdicts(self, shared_data):
        folder = shared_data / LM_EVAL
        path = folder / "gsm8k/model_outputs/Mixtral-8x7B-Instruct-v0.1.jsonl.gz"
        metrics = one(score_outputs("gsm8k", path, data=folder)).metrics
        assert metrics["accuracy/recorded"].value == pytest.approx(63.84, abs=0.005)
        assert abs(metrics["accuracy"].value - metrics["accuracy/recorded"].value) < 0.5

    def test_winogrande(self, shared_data):
        folder = shared_data / LM_EVAL
        path = folder / "winogrande/logs_llama.jsonl.gz"
        scores = score_outputs("winogrande", path, data=folder)
        assert one(scores).metrics["accuracy"].value == pytest.approx(73.7964, abs=5e-5)
        assert "checked against the data for 1267 documents" in scores.notes[-1]

    def test_humanevals_own_example(self, shared_data):
        folder = shared_data / LM_EVAL / "humaneval"
        scores = score_outputs(
            "humaneval",
            folder / "example_samples.jsonl",
            data=folder / "example_problem.jsonl",
            allow_code=True,
        )
        assert one(scores).metrics["accuracy"].value == pytest.approx(50.0)
