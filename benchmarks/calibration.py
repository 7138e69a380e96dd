"""How often 95 % intervals cover the truth: ours, and those that are usually printed.

    python benchmarks/calibration.py [--replicates 1000] [--seed 0] [--only TEXT] [--data DIR]

Every case is a generating model whose truth is known. It is simulated ``--replicates`` times (slow
cases a tenth of that), and each data set gets our interval and the usual one: the benchmark's own
where it has one. Coverage of 93 to 97 % counts as calibrated. ``--data`` also prints what the
same two ways say on real judgements in the format of the benchmarks, to see whether the simulated
variances are of the right kind.

The table is Markdown. It takes about two minutes on one core.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from calibration_cases import alpaca_eval, arena_hard, cross_play, mt_bench, real, small
from calibration_cases.case import OURS, USUAL, Case, Tally, run_case

LOW, HIGH = 0.93, 0.97


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--data", type=Path, help="folder with alpaca_eval, arena_hard, mt_bench")
    options = parser.parse_args()
    began = time.process_time()
    print("| what | usual interval | usual covers | ours covers | ours / usual width | runs |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    good = {OURS: 0, USUAL: 0}
    total = 0
    for case in all_cases():
        if options.only.lower() not in case.name.lower():
            continue
        tallies = run_case(case, options.replicates, options.seed)
        print(row(case, tallies), flush=True)
        total += 1
        for name, tally in tallies.items():
            good[name] += calibrated(tally)
    print(
        f"\n{good[OURS]} of {total} of ours and {good[USUAL]} of the usual ones cover "
        f"{100 * LOW:.0f} to {100 * HIGH:.0f} %; {time.process_time() - began:.0f} s of CPU."
    )
    if options.data is not None:
        print()
        real.report(options.data)


def all_cases() -> Iterator[Case]:
    for part in (alpaca_eval, arena_hard, mt_bench, small, cross_play):
        yield from part.cases()


def row(case: Case, tallies: dict[str, Tally]) -> str:
    ours, usual = tallies[OURS], tallies[USUAL]
    width = sum(ours.widths) / max(len(ours.widths), 1)
    other = sum(usual.widths) / max(len(usual.widths), 1)
    ratio = f"{width / other:.2f}" if other else ""
    cells = [case.name, case.usual, shown(usual), shown(ours), ratio, str(ours.runs)]
    return "| " + " | ".join(cells) + " |"


def calibrated(tally: Tally) -> bool:
    return LOW - 1e-9 <= tally.coverage <= HIGH + 1e-9


def shown(tally: Tally) -> str:
    text = f"{100 * tally.coverage:.1f} -+ {100 * tally.error:.1f} %"
    if not calibrated(tally):
        text = f"**{text}**"
    return text + (f" ({tally.absent} without)" if tally.absent else "")


if __name__ == "__main__":
    main()
