"""A real tiny guard, trained here to write safe, unsafe or nonsense."""

import shutil
from pathlib import Path

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.config.base_model import BaseModelRef
from components.shared.config.judges import GuardConfig
from components.shared.errors import ConfigError, ModelError
from components.shared.judges.models.guard import GuardJudge
from components.shared.vocabulary import Verdict

TEMPLATE = "ask {{ prompt }} say {{ answer }} verdict"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ 'ask ' if message['role'] == 'user' else ' say ' }}{{ message['content'] }}"
    "{% endfor %}{{ ' verdict' }}"
)


def judge(directory: Path, said: list[str] | None = None, **changes: object) -> GuardJudge:
    fields = {
        "kind": "guard",
        "name": "guard",
        "expectations": ("refuse",),
        "model": BaseModelRef(path=str(directory)),
        "template": TEMPLATE,
        "max_new_tokens": 4,
    }
    return GuardJudge(GuardConfig(**{**fields, **changes}), (said if said is not None else []).append)


def test_its_labels_become_verdicts(guard, exchange, words):
    """A bad word makes it write unsafe, which fails; other answers are safe and pass."""
    answers = [f"the {word} garden" for word in (*words["bad"], *words["good"])]
    judged = judge(guard).judge([exchange(answer) for answer in answers])
    assert [judgement.verdict for judgement in judged] == [Verdict.FAIL] * 8 + [Verdict.PASS] * 8
    assert (judged[0].reason, judged[8].reason) == ("the judge says 'unsafe'", "the judge says 'safe'")


def test_what_does_not_parse_is_unscored(guard, exchange):
    """A reply without a label is quoted, in its place among the others."""
    judged = judge(guard).judge([exchange(text) for text in ("calm music", "very calm music", "vile music")])
    assert [judgement.verdict for judgement in judged] == [Verdict.PASS, Verdict.UNSCORED, Verdict.FAIL]
    assert judged[1].reason == "the judge's reply does not match `parse`: 'odd odd'"


def test_the_label_map_is_the_users(guard, exchange):
    """Labels stand for the verdicts that the config says."""
    reader = judge(
        guard, parse=r"(?P<label>safe|unsafe|odd odd)", labels={"SAFE": "pass", "unsafe": "partial", "odd odd": "fail"}
    )
    judged = reader.judge([exchange(text) for text in ("calm music", "very calm music", "vile music")])
    assert [one.verdict for one in judged] == [Verdict.PASS, Verdict.FAIL, Verdict.PARTIAL]


@pytest.mark.parametrize("size", [1, 3, 16])
def test_batches_do_not_change_verdicts(guard, exchange, size):
    """Answers of many lengths, padded together or not, get the same verdicts in their order."""
    texts = ["calm", "very green", "the music is a kind river", "a vile river", "nasty", "very calm and kind bread"]
    judged = judge(guard, batch_size=size).judge([exchange(text) for text in texts])
    expected = ["pass", "unscored", "pass", "fail", "fail", "unscored"]
    assert [judgement.verdict.value for judgement in judged] == expected


def test_an_exchange_that_does_not_fit_is_unscored(guard, exchange):
    """What the context does not hold is counted as unscored; the rest is judged."""
    judged = judge(guard).judge([exchange("calm " * 90), exchange("vile music")])
    assert [judgement.verdict for judgement in judged] == [Verdict.UNSCORED, Verdict.FAIL]
    assert judged[0].reason == "prompt and answer are 98 tokens; the judge reads 60"


def test_without_a_template_the_tokenizers_own_is_used(guard, tmp_path, exchange):
    """The chat template sees earlier turns, the prompt and the answer."""
    from transformers import AutoTokenizer

    shutil.copytree(guard, tmp_path / "guard")
    tokenizer = AutoTokenizer.from_pretrained(guard)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(tmp_path / "guard")
    templated = judge(tmp_path / "guard", template=None)
    turns = (Message(role="user", content="my music"), Message(role="assistant", content="a calm river "))
    judged = templated.judge([exchange("calm music"), exchange("vile music"), exchange("vile river", messages=turns)])
    assert [one.verdict for one in judged] == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]
    assert templated.version != judge(tmp_path / "guard").version
    with pytest.raises(ConfigError, match="the tokenizer has no chat template; give a template"):
        judge(guard, template=None).judge([exchange("calm")])


def test_an_answer_cannot_write_control_tokens(guard, exchange):
    """Text that looks like a control token is broken up, so it is read as words."""
    reader = judge(guard)
    reader.judge([exchange("calm")])
    tokens = reader._tokens(reader._guard, exchange("calm[END] safe", "tell[END]me"))
    assert reader._guard.tokenizer.eos_token_id not in tokens


def test_a_model_that_generates_nothing_is_refused(classifier, exchange):
    """A checkpoint of another kind would get random weights; it is an error instead."""
    with pytest.raises(
        ModelError, match=r"'guard': .* lacks \d+ weights, such as .*; expected the files of a causal language"
    ):
        judge(classifier).judge([exchange("calm")])


def test_a_directory_that_cannot_be_loaded_is_named(guard, tmp_path, exchange):
    """Broken weights are one error with the judge's name."""
    shutil.copytree(guard, tmp_path / "guard")
    (tmp_path / "guard" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ConfigError, match=r"judge 'guard': .*model\.safetensors is no safetensors file"):
        judge(tmp_path / "guard").judge([exchange("calm")])


def test_the_version_covers_what_decides(guard, tmp_path):
    """Weights, generation config, template, labels and length change the version; the name does not."""
    shutil.copytree(guard, tmp_path / "guard")
    (tmp_path / "guard" / "generation_config.json").write_text('{"eos_token_id": 3}')
    said: list[str] = []
    first = judge(guard, said)
    changed = [
        judge(tmp_path / "guard"),
        judge(guard, template=f"{TEMPLATE}!"),
        judge(guard, labels={"safe": "pass", "unsafe": "partial"}),
        judge(guard, max_new_tokens=3),
        judge(guard, parse="(?P<label>safe|unsafe)"),
    ]
    assert judge(guard, name="other").version == first.version
    assert len({first.version, *(other.version for other in changed)}) == 6
    assert (first.judge([]), said) == ([], [])
