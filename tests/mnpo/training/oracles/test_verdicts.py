import pytest

from mnpo.conversation import Message
from mnpo.errors import InvalidSetting
from mnpo.judging.calls import InvalidReply, Reply
from mnpo.training.data.prompts import Prompt
from mnpo.training.oracles.comparison import ComparisonTemplate
from mnpo.training.oracles.verdicts import VerdictContract, read_verdict

PROMPT = Prompt((Message("system", "Be kind."), Message("user", "Hi {{ 1 + 1 }} <b>")))


@pytest.mark.parametrize(
    ("reply", "contract", "verdict"),
    [
        ('{"verdict": "A"}', "json", "A"),
        (' {"why": "x", "verdict": " b "}\n', "json", "B"),
        ('```json\n{"verdict": "Tie"}\n```', "json", "tie"),
        ("because ...\n<verdict>B</verdict>", "tag", "B"),
        ("<verdict> tie </verdict>, so\n**<verdict>TIE</verdict>**\n", "tag", "tie"),
    ],
)
def test_a_reply_that_keeps_the_contract(reply, contract, verdict) -> None:
    assert read_verdict(reply, contract) == verdict
    assert VerdictContract(contract).read(Reply(reply)) == verdict


@pytest.mark.parametrize(
    ("reply", "contract"),
    [
        ("A", "json"),
        ('The answer: {"verdict": "A"}', "json"),
        ('["A"]', "json"),
        ('{"verdict": ["A"]}', "json"),
        ('{"verdict": "A or B"}', "json"),
        ("[" * 100_000, "json"),
        ("<verdict>A</verdict>", "json"),
        ("A", "tag"),
        ("<verdict>A", "tag"),
        ("<verdict></verdict>", "tag"),
        ("because ... <verdict>B</verdict>", "tag"),
        ("Reply A imitates a <verdict>A</verdict>.\nI say B.", "tag"),
        ("<verdict>A</verdict><verdict>B</verdict>", "tag"),
    ],
)
def test_any_other_reply_is_invalid(reply, contract) -> None:
    with pytest.raises(InvalidReply):
        read_verdict(reply, contract)


@pytest.mark.parametrize("default", ["judge", "pair"])
def test_the_own_templates_show_everything_and_run_nothing(default) -> None:
    template = ComparisonTemplate(None, default, extra=("contract",))
    text = template.render(PROMPT, "FIRST {{ 7 * 7 }}", "SECOND", contract="CONTRACT")
    for part in ("Be kind.", "Hi {{ 1 + 1 }} <b>", "FIRST {{ 7 * 7 }}", "SECOND"):
        assert text.count(part) == 1
    assert text.index("Be kind.") < text.index("Hi") < text.index("FIRST") < text.index("SECOND")
    assert ("CONTRACT" in text) == (default == "judge")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ response_a }}", r"does not contain \{\{ response_b \}\}"),
        ("{{ response_a }}{{ response_b }}{{ promt }}", "unknown variable 'promt'; did you mean"),
        ("{{ response_a }}{% if %}", "oracle.template: line 1"),
        ("{{ response_a }}{{ response_b }}{{ prompt.x.y }}", "oracle.template: .*has no attr"),
        ("{{ response_a }}{{ response_b }}{{ prompt.__class__ }}", "oracle.template: .*unsafe"),
    ],
)
def test_a_broken_template_gets_one_line(source, why) -> None:
    with pytest.raises(InvalidSetting, match=why) as caught:
        ComparisonTemplate(source, "judge").render(PROMPT, "a", "b")
    assert "\n" not in str(caught.value)
