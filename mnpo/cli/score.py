"""`mnpo-bench score`: stored judgements of a benchmark, scored without asking anyone."""

import typer

from mnpo.cli.scoring import alpaca_eval, arena_hard, llmbar, lm_eval, mini, mt_bench

app = typer.Typer(
    help="Score a benchmark from stored judgements; nobody is asked.", no_args_is_help=True
)
for _name, _command in {
    "mini": mini,
    "alpaca-eval": alpaca_eval,
    "arena-hard": arena_hard,
    "mt-bench": mt_bench,
    "llmbar": llmbar,
    "lm-eval": lm_eval,
}.items():
    app.command(_name, help=_command.HELP)(_command.score)
