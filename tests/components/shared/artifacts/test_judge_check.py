"""Judge checks on disk: one per judge, version and labels file, found again and never changed unnoticed."""

import pytest

from components.shared.artifacts.judge_check import JudgeCheck, Score, Share, known_checks
from components.shared.errors import IntegrityError
from components.shared.vocabulary import Verdict


def check(judge="refusal@3", sha="a"):
    share = Share(count=1, of=1, value=1.0, lower=0.2, upper=1.0)
    score = Score(value=1.0, lower=None, upper=None)
    return JudgeCheck(
        judge=judge,
        labels_file="labels.csv",
        labels_sha256=f"sha256:{sha * 64}",
        columns={"prompt": "question"},
        label_map={"good": Verdict.PASS},
        answers=1,
        prompts=1,
        confusion={Verdict.PASS: {Verdict.PASS: 1}},
        accuracy=share,
        unscored=share,
        macro_f1=score,
        kappa=score,
        sensitivity=share,
        specificity=share,
        classes={},
        confidence=0.95,
        replicates=10,
        seed=0,
    )


def test_checks_of_one_version_are_found(tmp_path):
    """The checks of a judge's version come back as stored, those of other versions do not."""
    kept = [check(sha="a"), check(sha="b")]
    for each in (*kept, check(judge="refusal@4"), check(judge="caveat@3")):
        each.save(each.path(tmp_path))
    assert known_checks(tmp_path, "refusal", "3") == tuple(kept)
    assert (tmp_path / "refusal@3" / f"{'a' * 12}.json").is_file()


def test_without_checks_there_are_none(tmp_path):
    """A judge that was never checked, and a folder that does not exist, give nothing."""
    assert known_checks(tmp_path / "absent", "refusal", "3") == ()


def test_a_name_with_slashes_stays_in_its_folder(tmp_path):
    """A judge named after a model's id is kept in one folder, below the directory."""
    odd = check(judge="team/../model@sha256:1")
    assert odd.path(tmp_path).parent.parent == tmp_path
    odd.save(odd.path(tmp_path))
    assert known_checks(tmp_path, "team/../model", "sha256:1") == (odd,)


def test_a_changed_check_is_found_out(tmp_path):
    """A figure that was edited on disk is an error, not a quote."""
    path = check().save(check().path(tmp_path))
    path.write_text(path.read_text().replace('"lower": 0.2', '"lower": 0.9', 1))
    with pytest.raises(IntegrityError, match="does not have the digest"):
        known_checks(tmp_path, "refusal", "3")
