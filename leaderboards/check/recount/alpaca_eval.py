"""AlpacaEval 2, from ``MODEL/JUDGE/annotations.json`` and ``MODEL/model_outputs.json``."""

from evaluation.alpaca_eval.glm_files import registered
from evaluation.alpaca_eval.reading import read_annotations, read_outputs
from evaluation.alpaca_eval.reference import read_reference
from evaluation.alpaca_eval.sample import stored_sample
from evaluation.alpaca_eval.scoring import load, score_samples
from evaluation.naming import folder_name
from evaluation.records import spread
from evaluation.rows import read_rows
from evaluation.scores import Scores
from leaderboards.check.recount.data import data_of
from leaderboards.check.recount.evaluation_run import Told


def score(told: Told) -> Scores:
    """Win rate and length-controlled win rate by the preferences of the run.

    Raises:
        NotHere: the baseline's answers are not on this machine.
        UserError: the run's files are broken.
    """
    files = data_of(told, "alpaca-eval", "reference")
    whole = read_reference(files["reference"])
    folders = {model: told.folder / folder_name(model) for model in told.models}
    judged = {
        model: folder / folder_name(told.judge) / "annotations.json"
        for model, folder in folders.items()
    }
    if told.stopped_early():
        texts = {row.text("instruction") for file in judged.values() for row in read_rows(file)}
        chosen = [own for own in whole.prompts if own.instruction in texts]
    else:
        chosen = list(spread(whole.prompts, told.settings.limit))
    known = whole.only({own.question().id for own in chosen})
    samples = [
        stored_sample(
            read_annotations(judged[model], known),
            read_outputs(folders[model] / "model_outputs.json", known),
            known,
        )
        for model in told.models
    ]
    return score_samples(samples, load(known, registered(files)), judge=told.judge)
