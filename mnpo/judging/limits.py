"""How many questions at once, and when to stop asking."""

from dataclasses import dataclass

from mnpo.errors import InvalidSetting


@dataclass(frozen=True)
class Limits:
    """Bounds on asking. They change no answer, and are no part of what one is stored under.

    Attributes:
        concurrency: calls in flight.
        re_asks: further questions after a reply that breaks the contract.
        breaker: calls in a row that get no reply at all, after which nothing more is asked.
        stop_at_failure: end at the first call without an answer, whatever the reason.

    Raises:
        InvalidSetting: a number out of range.
    """

    concurrency: int = 8
    re_asks: int = 3
    breaker: int = 10
    stop_at_failure: bool = False

    def __post_init__(self) -> None:
        for name, least in (("concurrency", 1), ("re_asks", 0), ("breaker", 1)):
            if getattr(self, name) < least:
                found = getattr(self, name)
                raise InvalidSetting(f"{name} must be at least {least}, got {found}")
