"""A real tiny classifier, trained here, as a judge."""

import json
import shutil
from pathlib import Path

import pytest

from components.shared.artifacts.suite_prompt import Message
from components.shared.config.base_model import BaseModelRef
from components.shared.config.judges import ClassifierConfig
from components.shared.errors import ConfigError, ModelError
from components.shared.judges.models.classifier import ClassifierJudge
from components.shared.vocabulary import Verdict


def judge(directory: Path, said: list[str] | None = None, **changes: object) -> ClassifierJudge:
    fields = {
        "kind": "classifier",
        "name": "toxicity",
        "expectations": ("refuse",),
        "model": BaseModelRef(path=str(directory)),
        "label": "toxic",
        "fail_at": 0.5,
    }
    return ClassifierJudge(ClassifierConfig(**{**fields, **changes}), (said if said is not None else []).append)


def test_its_verdicts_are_those_it_was_trained_for(classifier, exchange, words):
    """Each bad word among good ones fails, each good word passes, and the score is the label's probability."""
    answers = [f"the {word} is a garden" for word in (*words["bad"], *words["good"])]
    judged = judge(classifier).judge([exchange(answer) for answer in answers])
    assert [judgement.verdict for judgement in judged] == [Verdict.FAIL] * 8 + [Verdict.PASS] * 8
    assert all(0.9 < judgement.score <= 1 for judgement in judged[:8])
    assert all(0 <= judgement.score < 0.1 for judgement in judged[8:])
    assert judged[0].reason == f"toxic {judged[0].score:.3f}, at or above 0.5"
    assert judged[8].reason == f"toxic {judged[8].score:.3f}, below 0.5"


def test_the_other_label_is_the_rest(classifier, exchange):
    """Over two labels the softmax shares 1 between them."""
    exchanges = [exchange("the vile river"), exchange("calm music")]
    toxic, clean = judge(classifier).judge(exchanges), judge(classifier, label="clean").judge(exchanges)
    assert [a.score + b.score for a, b in zip(toxic, clean, strict=True)] == pytest.approx([1.0, 1.0])


def test_between_the_thresholds_is_partial(classifier, exchange):
    """A score at or above partial_at and below fail_at is partial."""
    score = judge(classifier).judge([exchange("a nasty and cruel river")])[0].score
    strict = judge(classifier, fail_at=score, partial_at=score / 2).judge([exchange("a nasty and cruel river")])[0]
    lenient = judge(classifier, fail_at=1.0, partial_at=score).judge([exchange("a nasty and cruel river")])[0]
    assert (strict.verdict, lenient.verdict) == (Verdict.FAIL, Verdict.PARTIAL)


@pytest.mark.parametrize("place", [0, 13, 30, 59])
def test_one_bad_word_in_a_long_answer_is_found(classifier, exchange, words, place):
    """An answer longer than the 16 tokens that the model reads is read in windows, and the worst one counts."""
    long = (words["good"] * 8)[:60]
    clean = judge(classifier).judge([exchange(" ".join(long))])[0]
    long[place] = "vile"
    toxic = judge(classifier).judge([exchange(" ".join(long))])[0]
    assert (clean.verdict, toxic.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert "in part " in toxic.reason


def test_an_exchange_is_read_as_a_pair(classifier, exchange):
    """With reads: exchange a bad word in the answer is found, however long prompt and answer are."""
    pair = judge(classifier, reads="exchange")
    long = "tell me about " + "the garden and " * 20
    turns = (Message(role="user", content="my music"), Message(role="assistant", content="a calm river"))
    exchanges = [
        exchange("the river is calm", "tell me about"),
        exchange("the river is vile", "tell me about"),
        exchange("the river is vile", long),
        exchange("the river is calm and the garden is green and the music is a very vile bread", long),
        exchange("the river is vile", "tell me about", messages=turns),
    ]
    assert [judged.verdict for judged in pair.judge(exchanges)] == [Verdict.PASS, *[Verdict.FAIL] * 4]


@pytest.mark.parametrize("model", ["classifier", "llama_classifier"])
def test_batches_do_not_change_scores(request, model, exchange, words):
    """Scores come back in the order of the answers, whatever the batch size, with or without a padding token."""
    directory = request.getfixturevalue(model)
    label = "toxic" if model == "classifier" else "threat"
    exchanges = [exchange(" ".join((words["good"] + words["bad"])[:n])) for n in (9, 16, 5, 1, 14, 3)]
    alone, together = (judge(directory, label=label, batch_size=size).judge(exchanges) for size in (1, 8))
    assert [a.score for a in together] == pytest.approx([b.score for b in alone], abs=1e-5)
    assert len({round(a.score, 6) for a in alone}) > 1


def test_an_answer_of_no_tokens_is_unscored(llama_classifier, exchange):
    """Where the tokenizer adds nothing to an empty answer there is nothing to read, and the others are judged."""
    judged = judge(llama_classifier, label="threat").judge([exchange(""), exchange("the river"), exchange("")])
    assert [judgement.score is None for judgement in judged] == [True, False, True]
    assert judged[0] == (Verdict.UNSCORED, "the answer holds nothing that the model reads", "", None)


def test_several_labels_may_hold_at_once(llama_classifier, exchange):
    """A multi-label model is read through a sigmoid unless told otherwise."""
    exchanges = [exchange("the vile river")]

    def scores(activation: str) -> list[float]:
        labels = ("insult", "threat", "other")
        return [judge(llama_classifier, label=name, activation=activation).judge(exchanges)[0].score for name in labels]

    assert scores("auto") == pytest.approx(scores("sigmoid"))
    assert sum(scores("softmax")) == pytest.approx(1.0)
    assert sum(scores("auto")) != pytest.approx(1.0)


def test_an_unknown_label_is_named_before_loading(classifier):
    """The error lists the labels that the model has."""
    with pytest.raises(ConfigError, match="label 'toxicity' is not among the model's labels: 'clean', 'toxic'"):
        judge(classifier, label="toxicity")


def test_a_directory_without_a_model_is_named(tmp_path):
    """A wrong path is found when the judge is made."""
    with pytest.raises(ConfigError, match=r"'toxicity': model\.path .*nowhere' does not exist; expected a directory"):
        judge(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"holds \[\]; expected"):
        judge(tmp_path)


def test_a_model_without_a_head_is_refused(guard, exchange):
    """A checkpoint of another kind would get a random head; it is an error instead."""
    with pytest.raises(
        ModelError, match=r"lacks 1 weights, such as score.weight; expected the files of a sequence classifier"
    ):
        judge(guard, label="LABEL_1").judge([exchange("the river")])


def test_softmax_over_one_label_is_refused(guard, tmp_path, exchange):
    """A single probability that is always 1 judges nothing."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_pretrained(guard, num_labels=1).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(guard).save_pretrained(tmp_path)
    exchanges = [exchange("the river"), exchange("vile vile vile")]
    with pytest.raises(ConfigError, match="softmax over one label is always 1"):
        judge(tmp_path, label="LABEL_0", activation="softmax").judge(exchanges)
    assert all(0 < judged.score < 1 for judged in judge(tmp_path, label="LABEL_0").judge(exchanges))


def test_a_regression_has_no_probability(classifier, tmp_path, exchange):
    """A model trained to give a number is read as a probability only where the config says so."""
    shutil.copytree(classifier, tmp_path / "copy")
    path = tmp_path / "copy" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "problem_type": "regression"}))
    with pytest.raises(ConfigError, match="the model is a regression, whose output is no probability"):
        judge(tmp_path / "copy").judge([exchange("the river")])
    assert judge(tmp_path / "copy", activation="sigmoid").judge([exchange("the vile river")])[0].verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_broken_files_are_named(classifier, tmp_path, exchange, name):
    """Weights or a config that cannot be read are one error."""
    shutil.copytree(classifier, tmp_path / "copy")
    (tmp_path / "copy" / name).write_bytes(b"broken")
    with pytest.raises(ConfigError, match=r"is no safetensors file|cannot be read"):
        judge(tmp_path / "copy").judge([exchange("the river")])


def test_bfloat16_gives_the_same_verdicts(classifier, exchange, words):
    """The numbers of a GPU are coarser, and another version; clear verdicts stay."""
    exchanges = [exchange(f"the {word} is a garden") for word in (*words["bad"], *words["good"])]
    coarse, fine = judge(classifier, dtype="bfloat16"), judge(classifier, dtype="float32")
    assert [one.verdict for one in coarse.judge(exchanges)] == [one.verdict for one in fine.judge(exchanges)]
    assert coarse.version != fine.version


def test_a_length_beyond_the_model_is_refused(classifier, exchange):
    """max_length may not exceed what the model reads."""
    with pytest.raises(ConfigError, match="max_length is 17, but the model reads 16 tokens"):
        judge(classifier, max_length=17).judge([exchange("the river")])


def test_a_score_that_is_no_number_is_unscored(classifier, tmp_path, exchange):
    """Broken weights are refused; a number that breaks later gives unscored answers, never passes."""
    import torch
    from transformers import AutoModelForSequenceClassification

    shutil.copytree(classifier, tmp_path / "broken")
    model = AutoModelForSequenceClassification.from_pretrained(classifier)
    with torch.no_grad():
        model.classifier.bias.fill_(float("nan"))
    model.save_pretrained(tmp_path / "broken")
    with pytest.raises(ModelError, match=r"1 weights hold NaN or infinity, such as classifier\.bias"):
        judge(tmp_path / "broken").judge([exchange("the river")])
    whole = judge(classifier)
    whole.judge([exchange("the river")])
    assert whole._classifier is not None
    with torch.no_grad():
        whole._classifier.model.classifier.bias.fill_(float("nan"))
    judged = whole.judge([exchange("the river")])[0]
    assert (judged.verdict, judged.score) == (Verdict.UNSCORED, None)


def test_the_version_is_known_before_loading_and_covers_what_decides(classifier, llama_classifier, tmp_path):
    """Weights, thresholds, label and reading change the version; name, role and place do not; nothing is loaded."""
    said: list[str] = []
    first = judge(classifier, said)
    shutil.copytree(classifier, tmp_path / "moved")
    same = judge(tmp_path / "moved", name="harm", role="verdict", expectations=("answer",))
    changed = [
        judge(classifier, fail_at=0.6),
        judge(classifier, partial_at=0.3),
        judge(classifier, label="clean"),
        judge(classifier, reads="exchange"),
        judge(classifier, max_length=16),
        judge(llama_classifier, label="threat"),
    ]
    assert same.version == first.version
    assert len({first.version, *(other.version for other in changed)}) == 7
    assert said == []


def test_nothing_is_loaded_for_no_answers(classifier):
    """An empty list costs nothing; the model is loaded once, when it is needed."""
    said: list[str] = []
    assert judge(classifier, said).judge([]) == []
    assert said == []


def test_progress_counts_texts(classifier, exchange):
    """A person sees the loading and the count."""
    said: list[str] = []
    judge(classifier, said).judge([exchange("the river")] * 3)
    assert said[0].startswith("loading judge toxicity from ")
    assert said[-1].startswith("3/3 texts read by toxicity, ")
