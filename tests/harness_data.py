"""Documents of our own invention in the forms of lm-eval's benchmarks."""

import json

WINOGRANDE = [
    {"sentence": "Ina fed Ute soup because _ was hungry.", "option1": "Ina", "option2": "Ute"},
    {"sentence": "The pot did not fit the lid, as _ was too wide.", "option1": "pot"},
    {"sentence": "Rain fell on Ole and Kim, and _ had no hat.", "option1": "Ole"},
]
WINOGRANDE[0]["answer"] = "2"
WINOGRANDE[1] |= {"option2": "lid", "answer": "1"}
WINOGRANDE[2] |= {"option2": "Kim", "answer": "1"}

GSM8K = [
    {"question": "Three pots hold 4 cups each. How many cups?", "answer": "3 * 4 = 12\n#### 12"},
    {"question": "Rain falls 2 mm an hour for 5 hours. How many mm?", "answer": "2 * 5\n#### 10"},
    {"question": "A pan costs $1,250. What do two cost?", "answer": "Twice 1,250.\n#### 2,500"},
]

HUMANEVAL = [
    {
        "task_id": "Own/0",
        "prompt": 'def twice(x):\n    """Twice x."""\n',
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(3) == 6\n",
        "entry_point": "twice",
    },
    {
        "task_id": "Own/1",
        "prompt": 'def wet(words):\n    """How many words are "rain"."""\n',
        "canonical_solution": "    return sum(w == 'rain' for w in words)\n",
        "test": "def check(candidate):\n    assert candidate(['rain', 'soup']) == 1\n",
        "entry_point": "wet",
    },
]

MMLU = [
    {"subject": subject, "question": f"{question}?", "choices": list("wxyz"), "answer": answer}
    for subject, question, answer in [
        ("anatomy", "Which letter of soup", 0),
        ("anatomy", "Which letter of rain", 1),
        ("virology", "Which letter of hat", 2),
    ]
]
ARC = [
    {"id": "a", "query": "Question: What is wet?\nAnswer:", "choices": ["rain", "ash"], "gold": 0},
    {"id": "b", "query": "Question: What is hot?\nAnswer:", "choices": ["ice", "soup"], "gold": 1},
]


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
