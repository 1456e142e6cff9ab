"""One run of lm-evaluation-harness, in a separate process: its command line, with a clock around its generation.

Run as `python run_lm_eval.py WORLD SETTINGS OUT` with the peers' Python; settings and result are JSON. It does not
know our engine.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

_TASK = """\
task: ragged
dataset_path: json
dataset_kwargs: {{data_files: {{test: {prompts}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["<|end|>"]
  do_sample: {sampled}
  temperature: {temperature}
  max_gen_toks: {longest}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
"""


def main(world: Path, settings: dict, out: Path) -> None:
    """Answers all prompts.

    Args:
        world: made by `world.py`.
        settings: batch_size, temperature, max_new_tokens and seed.
        out: receives the answers, the seconds of generating, and those inside the library's `generate`.
    """
    from lm_eval.__main__ import cli_evaluate
    from lm_eval.models.huggingface import HFLM

    seconds = {"generate_until": 0.0, "_model_generate": 0.0}
    for name in seconds:
        setattr(HFLM, name, _timed(getattr(HFLM, name), name, seconds))
    with tempfile.TemporaryDirectory() as folder:
        task = _TASK.format(
            prompts=world / "prompts.jsonl",
            sampled=str(settings["temperature"] > 0).lower(),
            temperature=float(settings["temperature"]),
            longest=settings["max_new_tokens"],
        )
        (Path(folder) / "ragged.yaml").write_text(task)
        sys.argv = [
            *("lm-eval", "run", "--model", "hf", "--model_args", f"pretrained={world / 'model'},dtype=float32"),
            *("--tasks", "ragged", "--include_path", folder, "--apply_chat_template", "--device", "cpu"),
            *("--batch_size", str(settings["batch_size"]), "--seed", str(settings["seed"])),
            *("--log_samples", "--output_path", f"{folder}/out"),
        ]
        cli_evaluate()
        samples = next(Path(folder).rglob("samples_ragged_*.jsonl")).read_text().splitlines()
    rows = sorted(map(json.loads, samples), key=lambda row: row["doc_id"])
    result = {
        "generate_s": seconds["generate_until"],
        "library_s": seconds["_model_generate"],
        "answers": [row["resps"][0][0] for row in rows],
    }
    out.write_text(json.dumps(result))


def _timed(method, name: str, seconds: dict[str, float]):
    def measured(*args, **kwargs):
        began = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            seconds[name] += time.perf_counter() - began

    return measured


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3]))
