"""Makes the judges that a config names, and checks their files, labels, keys and storage; loads no model."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, assert_never

from components.shared import storage
from components.shared.config.judges import JUDGE_KINDS, ClassifierConfig, GuardConfig, JudgeConfig, LlmConfig
from components.shared.config.reading import read_yaml, validate
from components.shared.errors import ConfigError
from components.shared.judges.judge import Judge
from components.shared.judges.models.classifier import ClassifierJudge
from components.shared.judges.models.endpoint import ChatEndpoint
from components.shared.judges.models.guard import GuardJudge
from components.shared.judges.models.llm import LlmJudge
from components.shared.judges.models.replies import ReplyCache
from components.shared.judges.panel import SecondJudge
from components.shared.progress import Say
from components.shared.signing import SigningKey
from components.shared.vocabulary import Expectation


class BuiltJudges(NamedTuple):
    """Judges as a `Panel` takes them.

    Attributes:
        verdicts: the judge whose verdict stands, by expectation; laid over those of the rules.
        second: judges whose opinions are kept beside it.
    """

    verdicts: Mapping[Expectation, Judge]
    second: tuple[SecondJudge, ...]


def build_judges(
    configs: Sequence[JudgeConfig], cache_address: str | None, say: Say, signing_key: SigningKey | None = None
) -> BuiltJudges:
    """One judge per section; models are loaded when the first answer is judged.

    Args:
        configs: sections, as validated.
        cache_address: directory or s3:// address for replies of endpoints; None keeps none.
        say: where progress goes.
        signing_key: signs these replies; None: they are not signed.

    Raises:
        ConfigError: two judges have one name, two give the verdict for one expectation, a model's directory or
            label is wrong, or a key is not in the environment.
        StorageError: the address for replies cannot be written.
    """
    verdicts: dict[Expectation, Judge] = {}
    second: list[SecondJudge] = []
    names: set[str] = set()
    for config in configs:
        if config.name in names:
            raise ConfigError(f"judges: two are named {config.name!r}; give each another name")
        names.add(config.name)
        expectations = frozenset(config.expectations)
        if config.role == "verdict":
            _check_verdict(config, expectations, verdicts)
        judge = build_judge(config, cache_address, say, signing_key)
        if config.role == "verdict":
            verdicts.update(dict.fromkeys(expectations, judge))
        else:
            second.append(SecondJudge(judge, expectations))
    return BuiltJudges(verdicts, tuple(second))


def build_judge(
    config: JudgeConfig, cache_address: str | None, say: Say, signing_key: SigningKey | None = None
) -> Judge:
    """One judge, whatever its role; the arguments are those of `build_judges`.

    Raises:
        ConfigError: a model's directory or label is wrong, or a key is not in the environment.
        StorageError: the address for replies cannot be written.
    """
    match config:
        case ClassifierConfig():
            return ClassifierJudge(config, say)
        case GuardConfig():
            return GuardJudge(config, say)
        case LlmConfig():
            connect = partial(
                ChatEndpoint,
                judge=config.name,
                url=config.url,
                key=_key(config),
                key_env=config.api_key_env,
                timeout_s=config.timeout_s,
                retries=config.retries,
                say=say,
            )
            return LlmJudge(config, connect, ReplyCache(cache_address, signing_key), say)
        case _:
            assert_never(config)


def load_judge_config(address: str) -> JudgeConfig:
    """The judge section of one file.

    Raises:
        ConfigError: the file is missing or wrong; the message names line and field.
    """
    content = read_yaml(address)
    kind = content.get("kind") if isinstance(content, dict) else None
    section = JUDGE_KINDS.get(kind) if isinstance(kind, str) else None
    if section is None:
        raise ConfigError(f"{address}: kind: got {kind!r}; expected one of {', '.join(JUDGE_KINDS)}")
    return validate(content, section, address, storage.read_bytes(address).decode())


def _check_verdict(
    config: JudgeConfig, expectations: frozenset[Expectation], verdicts: Mapping[Expectation, Judge]
) -> None:
    if Expectation.COHERENT in expectations:
        raise ConfigError(
            f"judge {config.name!r}: only the coherence judge gives the verdict for 'coherent'; use role: opinion"
        )
    for expectation in sorted(expectations & verdicts.keys()):
        raise ConfigError(
            f"judges {verdicts[expectation].name!r} and {config.name!r} both give the verdict for expectation "
            f"{expectation.value!r}; make one of them role: opinion"
        )


def _key(config: LlmConfig) -> str | None:
    if config.api_key_env is None:
        return None
    key = os.environ.get(config.api_key_env, "").strip()
    if not key:
        problem = "is not set"
    elif not (key.isascii() and key.isprintable()):
        problem = "holds characters that no HTTP header can"
    else:
        return key
    raise ConfigError(
        f"judge {config.name!r}: the environment variable {config.api_key_env} {problem}; expected the endpoint's key"
    )
