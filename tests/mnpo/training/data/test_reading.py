"""Reading prompts: every form in every kind of file, and every refusal with file and row."""

import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mnpo.conversation import Message
from mnpo.errors import UserError
from mnpo.training.data.prompts import Prompt
from mnpo.training.data.reading import read_prompts
from mnpo.training.data.rows import prompt_of


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def bot(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


ASKED = (Message("user", "How?"),)
PAIR = Prompt(ASKED, ("Well.",), ("Well.", "Bad."))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": [user("How?")], "chosen": [bot("Well.")], "rejected": [bot("Bad.")]}, PAIR),
        ({"prompt": "How?", "chosen": "Well.", "rejected": "Bad."}, PAIR),
        # the prompt repeated before the responses, beside 'prompt' or instead of it
        (
            {
                "prompt": "How?",
                "chosen": [user("How?"), bot("Well.")],
                "rejected": [user("How?"), bot("Bad.")],
            },
            PAIR,
        ),
        ({"chosen": [user("How?"), bot("Well.")], "rejected": [user("How?"), bot("Bad.")]}, PAIR),
        ({"prompt": "How?", "source_row": 3, "chosen": None}, Prompt(ASKED)),
        ({"prompt": [user("How?")]}, Prompt(ASKED)),
        ({"messages": [user("How?")]}, Prompt(ASKED)),
        ({"messages": [user("How?"), bot("Well.")]}, Prompt(ASKED, ("Well.",))),
        ({"prompt": "How?", "completion": "Well."}, Prompt(ASKED, ("Well.",))),
        ({"prompt": [user("How?")], "completion": [bot("Well.")]}, Prompt(ASKED, ("Well.",))),
        ({"prompt": "How?", "demonstration": "Well."}, Prompt(ASKED, ("Well.",))),
        (
            {"prompt": "How?", "chosen": "Well.", "rejected": "Bad.", "demonstration": "Fine."},
            Prompt(ASKED, ("Fine.",), ("Well.", "Bad.")),
        ),
        (
            {
                "prompt": [{"role": "system", "content": "Be kind."}, user("How?")],
                "chosen": [user("How?"), bot("Well.")],
                "rejected": [user("How?"), bot("Bad.")],
            },
            Prompt((Message("system", "Be kind."), *ASKED), ("Well.",), ("Well.", "Bad.")),
        ),
    ],
)
def test_every_form_of_a_row(row, expected) -> None:
    assert prompt_of(row) == expected


ROWS = [
    {"prompt": f'Is {i} odd?\nSay, "yes" or no', "chosen": "Ja, ü", "rejected": f"No {i}"}
    for i in range(3)
]
TALK = [
    {"prompt": [user(row["prompt"])], "chosen": [bot("Ja, ü")], "rejected": [bot(row["rejected"])]}
    for row in ROWS
]


def write(path, rows):
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    if plain.suffix == ".json":
        plain.write_text(json.dumps(rows))
    elif plain.suffix == ".jsonl":
        plain.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in rows))
    elif plain.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), plain)
    else:
        with plain.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            for row in rows:
                writer.writerow(
                    {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
                )
    if path != plain:
        path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("zipped", ["", ".gz"])
@pytest.mark.parametrize("rows", [ROWS, TALK], ids=["standard", "conversational"])
def test_every_kind_of_file_gives_the_same_prompts(tmp_path, ending, zipped, rows) -> None:
    read = read_prompts([write(tmp_path / f"data{ending}{zipped}", rows)])
    expected = tuple(
        Prompt((Message("user", r["prompt"]),), ("Ja, ü",), ("Ja, ü", r["rejected"])) for r in ROWS
    )
    assert read.prompts == expected
    assert (read.rows, read.duplicates, read.unusable_pairs) == (3, 0, 0)


def test_line_separators_of_unicode_are_text(tmp_path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "one\u2028two\x85three"}\n')
    assert read_prompts([path]).prompts[0].text == "one\u2028two\x85three"


def test_duplicates_and_unusable_pairs_are_counted(tmp_path) -> None:
    first = write(tmp_path / "a.jsonl", [*ROWS, ROWS[0], {**ROWS[1], "chosen": "other"}])
    second = write(tmp_path / "b.json", [ROWS[2], {"prompt": "x", "chosen": "=", "rejected": "="}])
    read = read_prompts([first, str(second)])
    assert [p.completions[1] for p in read.prompts] == ["No 0", "No 1", "No 2"]
    assert (read.rows, read.duplicates, read.unusable_pairs) == (7, 3, 1)
    assert list(read.hashes) == [str(first), str(second)]


WRONG = [
    ({"prompt": ""}, "'prompt': turn 1 (user) is empty"),
    ({"prompt": []}, "'prompt' is empty"),
    ({"prompt": 3}, "'prompt' is a int"),
    ({"prompt": [user("a"), user("b")]}, "'prompt': turn 2 is the user's"),
    ({"prompt": [{"role": "tool", "content": "a"}]}, "unknown role 'tool'"),
    ({"prompt": [{"from": "human", "value": "a"}]}, "'prompt', turn 1: expected {role, content}"),
    ({"prompt": [{"role": "user", "content": None}]}, "role and content must be texts"),
    ({"prompt": [user("a"), bot("b")]}, "the last turn is the assistant's"),
    ({"text": "a"}, "has neither 'prompt' nor 'messages'"),
    ({"prompt": "a", "messages": [user("a")]}, "has both 'prompt' and 'messages'"),
    ({"prompt": "a", "chosen": "b"}, "has 'chosen' but no 'rejected'"),
    ({"prompt": "a", "rejected": "b"}, "has 'rejected' but no 'chosen'"),
    ({"prompt": "a", "chosen": [user("a"), bot("b")], "rejected": [user("c"), bot("d")]},
     "'rejected' answers another prompt than 'prompt'"),
    ({"chosen": [user("a"), bot("b")], "rejected": [user("c"), bot("d")]},
     "'chosen' and 'rejected' differ before their last turn"),
    ({"prompt": "a", "chosen": [user("b")], "rejected": [bot("b")]}, "'chosen' ends with the user"),
    ({"prompt": "a", "completion": "b", "label": False}, "unpaired preference data"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_row_is_named(tmp_path, row, said) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"prompt": "fine"}) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(UserError) as refused:
        read_prompts([path])
    assert str(refused.value).startswith(f"{path}, row 2: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


GOOD = '{"prompt": "a"}\n'
BROKEN = [
    ("a.jsonl", (GOOD + "{'prompt': 1}\n").encode(), "row 2: not JSON"),
    ("a.jsonl", (GOOD + "[1]\n").encode(), "row 2: is a list, expected an object"),
    ("a.json", (GOOD * 2).encode(), "line 2: not JSON (Extra data); one JSON object a line is .js"),
    ("a.json", b'{"prompt": "a"}', "holds a dict, expected a list"),
    ("a.json", b'["a"]', "row 1: is a str"),
    ("a.csv", b"prompt,completion\na,b\nc\n", "row 2: has another number of cells"),
    ("a.csv", b'prompt\n"a\n', "not CSV"),
    ("a.parquet", b"PAR1 and so on", "cannot be read as parquet"),
    ("a.jsonl.gz", gzip.compress(GOOD.encode() * 99, mtime=0)[:-9], "the gzip file is damaged"),
    ("a.jsonl.gz", GOOD.encode(), "the gzip file is damaged"),
    ("a.jsonl", GOOD.encode() + b'{"prompt": "\xff"}\n', "line 2: not UTF-8"),
    ("a.txt", b"hello", "unknown ending"),
    ("a.gz", b"hello", "unknown ending"),
    ("a.jsonl", b"\n", "no usable prompt among 0 rows"),
    ("a.jsonl", b'{"prompt": "a", "chosen": "b", "rejected": "b"}', "no usable prompt among 1 row"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN)
def test_a_broken_file_is_named(tmp_path, name, content, said) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as refused:
        read_prompts([tmp_path / name])
    assert str(refused.value).startswith(str(tmp_path / name))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_file() -> None:
    with pytest.raises(UserError, match=r"nowhere.jsonl: no such file"):
        read_prompts(["nowhere.jsonl"])
    with pytest.raises(UserError, match="list of prompt files is empty"):
        read_prompts([])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "kept", "identical"),
    [
        ("hh_harmless_base/train_1500.jsonl.gz", 1498, 0),
        ("llamafactory_dpo_en_demo_300.jsonl.gz", 295, 0),
        ("rasbt_polite_1100.jsonl.gz", 1069, 6),
        ("autoj_human/train.jsonl.gz", None, 1),
        ("ultrafeedback_prompts_500.jsonl.gz", 500, 0),
    ],
)
def test_real_data(shared_data, name, kept, identical) -> None:
    path = shared_data / "data" / "prefs" / name
    read = read_prompts([path])
    rows = [
        json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().split("\n")[:-1]
    ]
    assert read.rows == len(rows)
    assert read.unusable_pairs == identical
    asked = {
        json.dumps(row["prompt"])
        for row in rows
        if "chosen" not in row or row["chosen"] != row["rejected"]
    }
    if kept is not None:
        assert len(read.prompts) == len(asked) == kept
