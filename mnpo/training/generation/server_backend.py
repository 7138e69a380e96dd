"""Sampling through any OpenAI-compatible server, started for each policy or found running."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import openai
from openai.types import Completion as Reply
from transformers import PreTrainedTokenizerBase

from mnpo.errors import InvalidSetting, UserError
from mnpo.judging.secrecy import read_key
from mnpo.training.generation.base import Completion, Mixture, Sampler
from mnpo.training.generation.dialects import Dialect, candidates
from mnpo.training.generation.mixtures import only_policy
from mnpo.training.generation.server_answers import Retokenizer, returned_ids
from mnpo.training.generation.server_process import run_server
from mnpo.training.generation.server_requests import RefusedRequest, Retries, send
from mnpo.training.generation.streams import request_seed
from mnpo.training.recipe import SamplingSettings, ServerSettings
from mnpo.training.tokens import TokenContract

_LOG = logging.getLogger(__name__)

#: Draws of one completion until its text stands for token ids.
REDRAWS = 8


@dataclass(frozen=True)
class ServerBackend:
    """Asks a server for completions of prompts, one request each.

    The model's name in a request is the checkpoint's directory, as the server was started with it.

    Attributes:
        settings: how to sample, and where: ``settings.server``.
        contract: what ends a completion.
        tokenizer: the policies' own, to make ids of texts.
        retries: how long to put up with a server.
    """

    settings: SamplingSettings
    contract: TokenContract
    tokenizer: PreTrainedTokenizerBase
    retries: Retries = field(default_factory=Retries)

    @contextmanager
    def open(self, mixture: Mixture) -> Iterator[Sampler]:
        """Start the server with the policy, or connect to the one that runs.

        Raises:
            InvalidSetting: a mixture of several policies, or no way to a server.
            UserError: the server does not start, or the key's variable is not set.
        """
        policy = only_policy(mixture, "server")
        server = required_server(self.settings)
        name = str(policy.path)
        if server.command is None:
            with closing(self._client(str(server.url), server)) as client:
                yield ServerSampler(self, client, name, require_alive=lambda: None)
            return
        with (
            run_server(
                server.command,
                policy.path,
                health=server.health,
                start_timeout=server.start_timeout,
            ) as process,
            closing(self._client(process.url + "/v1", server)) as client,
        ):
            yield ServerSampler(self, client, name, require_alive=process.require_alive)

    def _client(self, url: str, server: ServerSettings) -> openai.OpenAI:
        # a proxy from the environment has no business between us and a server of our own
        own = server.command is not None
        return openai.OpenAI(
            base_url=url,
            api_key=_key(server),
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=not own, follow_redirects=False),
        )


def required_server(settings: SamplingSettings) -> ServerSettings:
    """The server's settings.

    Raises:
        InvalidSetting: none, or both or neither of ``command`` and ``url``.
    """
    server = settings.server
    if server is None or (server.command is None) == (server.url is None):
        raise InvalidSetting(
            "sampling.backend 'server' needs exactly one of sampling.server.command (to start "
            "one for each checkpoint) and sampling.server.url (of one that runs)"
        )
    return server


def require_reachable(settings: SamplingSettings) -> None:
    """Refuse now what would be missed when the first policy is to be served.

    Raises:
        InvalidSetting: as `required_server`.
        UserError: the key's variable is not set, or there is no such program.
    """
    server = required_server(settings)
    _key(server)
    if server.command is not None and not (server.command and shutil.which(server.command[0])):
        program = server.command[0] if server.command else ""
        raise UserError(
            f"sampling.server.command: there is no program '{program}'; give its full path or "
            "install it"
        )


def _key(server: ServerSettings) -> str:
    if server.api_key_env is None:
        return "none"  # the client insists on one; servers without keys ignore it
    return read_key(server.api_key_env, "sampling.server.api_key_env") or "none"


class ServerSampler:
    """A policy behind a server.

    Seeds go with the requests. Whether the same seed gives the same ids is the server's affair:
    vLLM's do up to the rounding of its batches, ``transformers serve`` keeps one generator for
    all requests in flight, so only with ``concurrency: 1``.
    """

    def __init__(
        self,
        backend: ServerBackend,
        client: openai.OpenAI,
        model: str,
        require_alive: Callable[[], None],
    ) -> None:
        self._settings = backend.settings
        self._server = required_server(backend.settings)
        self._contract = backend.contract
        self._retries = backend.retries
        self._client = client
        self._model = model
        self._require_alive = require_alive
        self._retokenizer = Retokenizer(backend.tokenizer, backend.contract)
        self._tokenizing = threading.Lock()  # fast tokenizers do not like to be shared
        self._dialect: Dialect | None = None

    def draw(
        self, prompts: Sequence[Sequence[int]], counts: Sequence[int], *, seed: int
    ) -> list[list[Completion]]:
        """Independent continuations; see `mnpo.training.generation.base.Sampler`.

        Every completion is a request of its own, since some servers ignore ``n``.

        Raises:
            UserError: the server is gone, refuses the requests, or answers with what the policy
                cannot have said; one line that says which.
        """
        jobs = [(index, copy) for index, count in enumerate(counts) for copy in range(count)]
        if not jobs:
            return [[] for _ in prompts]
        stop = threading.Event()
        if self._dialect is None:
            self._dialect = self._agree(prompts[jobs[0][0]], stop)
        recounted = self._retokenizer.recounted
        pool = ThreadPoolExecutor(self._server.concurrency, thread_name_prefix="sampling")
        try:
            pending = [
                pool.submit(self._complete, self._dialect, prompts[i], (seed, i, copy), stop)
                for i, copy in jobs
            ]
            wait(pending, return_when=FIRST_EXCEPTION)
            for future in pending:
                if future.done():
                    future.result()  # raises what ended the wait early
            answers: list[list[Completion]] = [[] for _ in prompts]
            for (index, _), future in zip(jobs, pending, strict=True):
                answers[index].append(future.result())
        finally:  # also on Ctrl-C: nothing more is sent, and what is under way is not waited for
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
        if self._retokenizer.recounted > recounted:
            _LOG.warning(
                "%d of %d responses have another number of tokens than the server sampled: their "
                "ids say the same text in another way; a server that returns ids avoids it",
                self._retokenizer.recounted - recounted,
                len(jobs),
            )
        return answers

    def _agree(self, prompt: Sequence[int], stop: threading.Event) -> Dialect:
        """The first form of a request that the server accepts, found by asking for one token."""
        refusals = []
        for dialect in candidates(self._settings):
            try:
                self._send({**self._request(dialect, prompt, seed=0), "max_tokens": 1}, stop)
            except RefusedRequest as refusal:
                refusals.append(f"{dialect.name}: {refusal}")
            else:
                return dialect
        raise UserError(
            f"the server at {self._client.base_url} accepts no form of /completions request that "
            f"samples as asked ({'; '.join(refusals)})"
        )

    def _complete(
        self,
        dialect: Dialect,
        prompt: Sequence[int],
        stream: tuple[int, int, int],
        stop: threading.Event,
    ) -> Completion:
        limit = self._settings.max_new_tokens
        for attempt in range(REDRAWS):
            request = self._request(dialect, prompt, request_seed(*stream, attempt))
            try:
                reply = self._send(request, stop)
            except RefusedRequest as refusal:
                raise UserError(f"the server refuses a request: {refusal}") from None
            if self._server.token_ids == "returned":
                return returned_ids(reply, prompt, self._contract, limit)
            with self._tokenizing:
                completion = self._retokenizer.completion(
                    reply, prompt, limit, greedy=self._settings.top_k == 1
                )
            if completion is not None:
                return completion
        raise UserError(
            f"the text of a response stood for no token ids {REDRAWS} times in a row: use a server "
            "that returns ids (sampling.server.token_ids: returned) or the transformers backend"
        )

    def _request(self, dialect: Dialect, prompt: Sequence[int], seed: int) -> dict[str, Any]:
        extra = dialect.extra(self._settings, self._contract)
        if self._server.token_ids == "returned":
            extra = {**extra, "return_token_ids": True}
        if dialect.prompt_ids:
            asked: Any = list(prompt)
        else:
            with self._tokenizing:
                asked = self._retokenizer.prompt_text(prompt)
        return {
            "model": self._model,
            "prompt": asked,
            "max_tokens": self._settings.max_new_tokens,
            "temperature": self._settings.temperature,
            "top_p": self._settings.top_p,
            "seed": seed,
            "extra_body": extra,
        }

    def _send(self, request: dict[str, Any], stop: threading.Event) -> Reply:
        return send(
            self._client,
            request,
            retries=self._retries,
            stop=stop,
            require_alive=self._require_alive,
        )
