"""Asks N questions from a process of its own: python asking_process.py URL FILE N CONCURRENCY."""

import sys
from pathlib import Path

from conftest import make_call

from mnpo.judging.cache import AnswerCache
from mnpo.judging.endpoint import EndpointJudge
from mnpo.judging.executor import Executor
from mnpo.judging.limits import Limits
from mnpo.judging.settings import EndpointSettings

if __name__ == "__main__":
    url, path, number, concurrency = sys.argv[1:]
    judge = EndpointJudge(EndpointSettings(model="m", url=url, first_wait=0.01))
    with AnswerCache(Path(path)) as cache:
        executor = Executor(judge, cache, limits=Limits(int(concurrency)))
        report = executor.ask(make_call(n) for n in range(int(number)))
    print(report.cached, report.answered, sum(report.missing.values()))
