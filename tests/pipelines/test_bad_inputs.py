"""A table of bad inputs: each ends with exit code 2 and one error that names place, value and expectation."""

import shlex
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.exit_codes import BUG, USAGE

SET = [
    ("recipe.seed=4294967296", "got 4294967296; expected less than 4294967296"),
    ("recipe.seed=-1", "got -1; expected greater than or equal to 0"),
    ("recipe.seed=1.5", "got 1.5; expected a valid integer"),
    ("recipe.seed=.nan", "got nan; expected a valid integer"),
    ("recipe.seed=", "got None; expected a valid integer"),
    ("data.seed=4294967296", "expected less than 4294967296"),
    ("evaluation.seed=18446744073709551616", "expected less than 4294967296"),
    ("recipe.learning_rate=.inf", "got inf; expected a finite number"),
    ("recipe.learning_rate=-1", "got -1; expected greater than 0"),
    ("recipe.learning_rate=0", "got 0; expected greater than 0"),
    ("recipe.learning_rate=1e400", "got inf; expected a finite number"),
    ("recipe.lora_rank=0", "got 0; expected greater than or equal to 1"),
    ("recipe.lora_dropout=1", "got 1; expected less than 1"),
    ("recipe.epochs=0", "got 0; expected greater than 0"),
    ("recipe.max_steps=0", "got 0; expected greater than or equal to 1"),
    ("recipe.max_length=4", "got 4; expected greater than or equal to 8"),
    ("recipe.dtype=float16", "got 'float16'; expected 'auto', 'float32' or 'bfloat16'"),
    ("recipe.target_modules=q_proj", "got 'q_proj'; expected a valid array"),
    ("recipe.warmup_steps=1e3", "got 1000.0; expected a valid integer"),
    ("recipe.gradient_checkpointing=yes", "got 'yes'; expected a valid boolean; write true or false"),
    ("recipe.lr_scheduler=cosin", "got 'cosin'; expected 'constant', 'linear' or 'cosine'"),
    ("recipe.sed=1", "unknown key; did you mean 'seed'?"),
    ("name=a-", "got 'a-'; ends with '-'; expected a letter or digit at the end"),
    ("registry.model_name=a/b", "got 'a/b'; a registered model's name may not hold"),
    ("tracking.uri=mysql://x", "got 'mysql://x'; the MLflow store must be sqlite:///PATH"),
    ("tracking.audit_log=http://x/y", "got 'http://x/y'; the audit log must be a local path or s3://BUCKET/PREFIX"),
    ("base_model=5", "got 5; expected an object"),
    ("data.heldout_rows=-1", "got -1; expected greater than or equal to 0"),
    ("data.heldout_rows=2.0", "got 2.0; expected a valid integer"),
    ("data.format=csv", "got 'csv'; expected 'auto', 'chat', 'sharegpt'"),
    ("data.task_metric=bleu", "got 'bleu'; expected 'exact', 'numeric'"),
    ("data.mix={}", "got {}; expected a valid array"),
    ("suites=suite.yaml", "got 'suite.yaml'; expected a valid array"),
    ("checkpoints.every_minutes=-1", "got -1; expected greater than or equal to 0"),
    ("checkpoints.every_minutes=.inf", "got inf; expected a finite number"),
    ("evaluation.samples_per_prompt=0", "got 0; expected greater than or equal to 1"),
    ("evaluation.samples_per_prompt=1001", "got 1001; expected less than or equal to 1000"),
    ("evaluation.max_new_tokens=0", "got 0; expected greater than or equal to 1"),
    ("evaluation.temperature=-0.1", "got -0.1; expected greater than or equal to 0"),
    ("evaluation.temperature=.nan", "got nan; expected a finite number"),
    ("evaluation.temperature=hot", "got 'hot'; expected a valid number; write it in decimal digits"),
    ("evaluation.top_p=0", "got 0; expected greater than or equal to 0.001"),
    ("evaluation.top_p=1.1", "got 1.1; expected less than or equal to 1"),
    ("evaluation.date=yesterday", "got 'yesterday'; expected a valid date in the format YYYY-MM-DD"),
    ("evaluation.batch_tokens=0", "got 0; expected greater than or equal to 1"),
    ("evaluation.workers=65", "got 65; expected less than or equal to 64"),
    ("evaluation.shards=0", "got 0; expected greater than or equal to 1"),
    ("evaluation.thinking=maybe", "got 'maybe'; expected 'off', 'on' or 'as_is'"),
    ("evaluation.template_arguments=[1]", "got [1]; expected an object"),
    ("evaluation.engine=vllm", "got 'vllm'; expected 'auto', 'refill'"),
    ("evaluation.coherence=no", "got 'no'; expected 'log_probability' or 'rules'"),
    ("evaluation.system_prompt=5", "got 5; expected a valid string"),
    ("evaluation.chunk_answers=0", "got 0; expected greater than or equal to 1"),
    ("reuse=maybe", "got 'maybe'; expected a valid boolean"),
    ("cluster=5", "got 5; expected an object"),
    ("cluster.gpu.count=0", "got 0; expected greater than or equal to 1"),
    ("cluster.cpu.timeout_s=0", "got 0; expected greater than or equal to 1"),
    ("cluster.retries.count=99", "got 99; expected less than or equal to 20"),
    ("cluster.evidence_days=0", "got 0; expected greater than or equal to 1"),
]
MESSAGES = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
TEMPLATES = {
    "syntax": ("{% for %}", "Expected an expression"),
    "recursion": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}" + MESSAGES, "RecursionError"),
    "raises": ("{{ raise_exception('no thanks') }}", "no thanks"),
    "types": ("{{ 1 + 'a' }}" + MESSAGES, "TypeError"),
    "division": ("{{ 1 // 0 }}" + MESSAGES, "ZeroDivisionError"),
    "include": ("{% include 'x' %}" + MESSAGES, "no loader"),
}
COMMANDS = [
    ("suites plan --margin 1e-300", "1e-300: expected percentage points from 0.001 to 100"),
    ("compile config.yaml --no-check -o config.yaml/x.yaml", "--output 'config.yaml/x.yaml': cannot be written"),
    ("config check nowhere.yaml", "nowhere.yaml: no such file"),
    ("config check config.yaml/x", "config.yaml/x: cannot be read: config.yaml/x: Not a directory"),
]


def _one_error(called, *named):
    shown = " ".join(called.err.replace("│", " ").split())
    assert called.code == USAGE, called.err
    assert [text for text in named if text not in shown] == []
    assert "Traceback" not in called.err
    assert called.err.count("error: ") <= 1


@pytest.mark.parametrize(("override", "message"), SET, ids=[override for override, _ in SET])
def test_a_wrong_value_is_named(call, project, override, message):
    """The error names the override, the field, the value and what was expected; nothing is left behind."""
    called = call("config", "check", "config.yaml", "--set", override)
    _one_error(called, f"--set {override}".strip(), override.partition("=")[0], message)
    assert not (project.folder / ".plimsoll").exists()


@pytest.mark.parametrize("case", TEMPLATES)
def test_a_broken_chat_template_is_named(call, project, copy_of_base, case):
    """A template that does not parse, never ends or fails is one error."""
    template, reason = TEMPLATES[case]
    project.write_config(base_model={"path": str(copy_of_base(template))})
    _one_error(call("config", "check", "config.yaml"), "chat template", reason)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "holds list; expected a JSON object"),
        (
            '{"eos_token_id": "x"}',
            "eos_token_id is 'x' in its generation_config.json or config.json; expected a ",
        ),
    ],
)
def test_a_wrong_generation_config_is_named(call, project, copy_of_base, content, message):
    """The file, or the field and its value, are named."""
    base = copy_of_base(MESSAGES)
    (base / "generation_config.json").write_text(content)
    project.write_config(base_model={"path": str(base)})
    _one_error(call("config", "check", "config.yaml"), str(base), message)


@pytest.mark.parametrize(("command", "message"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_wrong_argument_is_named(call, project, command, message):
    """The error names the argument and what was expected."""
    _one_error(call(*shlex.split(command)), message)


def test_an_unexpected_error_is_called_a_bug(call, project, monkeypatch):
    """It ends in one line with an exit code of its own, and the traceback is in the file that the line names."""

    def fail():
        raise KeyError("surprise")

    monkeypatch.setattr(cli, "app", fail)
    called = call("config", "check", "config.yaml")
    path = Path(called.err.rpartition(" ")[2].strip())
    assert called.code == BUG
    assert "this is a bug in plimsoll: KeyError: 'surprise'" in called.err
    assert called.err.count("\n") == 1
    assert "Traceback" in path.read_text()
    path.unlink()
