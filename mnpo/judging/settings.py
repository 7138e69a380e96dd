"""How an endpoint is named in a configuration. Nothing heavy is imported here."""

from typing import Annotated, Any, TypeAlias

from pydantic import Field, field_validator, model_validator

from mnpo.judging.addresses import check_address
from mnpo.judging.budget import Price
from mnpo.judging.plain import check_json
from mnpo.judging.secrecy import check_variable, refuse_keys_in
from mnpo.validation import Settings

Positive: TypeAlias = Annotated[float, Field(gt=0)]


class EndpointBase(Settings):
    """Where an OpenAI-compatible endpoint is, what it is sent, and how patiently.

    Attributes:
        model: its name at the endpoint.
        url: base address, ending in /v1; without a query, where keys are put.
        api_key_env: name of the environment variable with the key; never the key itself.
        temperature, max_tokens: of the reply.
        seed: sent along, a different one for each repeat and re-ask; None sends none.
        extra_body: more keys of the request, as the endpoint knows them. Part of what an answer
            is stored under, so JSON all through. Its max_completion_tokens takes the place of
            max_tokens.
        concurrency: requests in flight.
        timeout: seconds for one request, all of it.
        retries: repetitions of a request that the network or server failed.
        first_wait, max_wait: seconds before the first repetition, doubled for each further one up
            to the second; a server's Retry-After goes before both, and one above max_wait fails.
    """

    model: str
    url: str
    api_key_env: str | None = None
    temperature: float | None = Field(default=None, ge=0)
    max_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None
    extra_body: dict[str, Any] = Field(default_factory=dict)
    concurrency: int = Field(default=8, ge=1, le=4096)
    timeout: Positive = 120.0
    retries: int = Field(default=6, ge=0)
    first_wait: Positive = 1.0
    max_wait: Positive = 60.0

    @field_validator("url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        check_address(value)
        return value.rstrip("/")

    @field_validator("api_key_env", mode="before")
    @classmethod
    def _a_name(cls, value: Any) -> Any:
        check_variable(value)
        return value

    @field_validator("extra_body")
    @classmethod
    def _json_without_keys(cls, value: dict[str, Any]) -> dict[str, Any]:
        check_json(value)
        refuse_keys_in(value)
        return value


class EndpointSettings(EndpointBase):
    """A judge behind an OpenAI-compatible endpoint.

    Attributes:
        name: how tables and files call it; None takes the model's.
        temperature, max_tokens, seed, extra_body: go before what a benchmark prescribes; None
            leaves the benchmark's own.
        omit: parameters that a benchmark prescribes and this endpoint does not know, e.g.
            [temperature]; they are not sent.
        price_input, price_output: US dollars for a million tokens of prompts and of replies.
    """

    name: str | None = Field(default=None, min_length=1)
    omit: tuple[str, ...] = ()
    price_input: float | None = Field(default=None, ge=0)
    price_output: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _both_prices(self) -> "EndpointSettings":
        if (self.price_input is None) != (self.price_output is None):
            raise ValueError("give both price_input and price_output, or neither")
        return self

    @property
    def price(self) -> Price | None:
        """What tokens cost, where that is said."""
        if self.price_input is None or self.price_output is None:
            return None
        return Price(self.price_input, self.price_output)
