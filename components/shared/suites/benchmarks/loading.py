"""Turns a suite's `benchmark:` section into prompts: fetch, check, read, filter, drop repeats, sample."""

from collections.abc import Sequence

from pydantic import ValidationError

from components.shared.artifacts.suite_prompt import SuitePrompt
from components.shared.digests import digest_bytes
from components.shared.errors import ConfigError, DataError, StorageError
from components.shared.progress import warn
from components.shared.suites.benchmarks.benchmark import OPEN, Benchmark, Options, Repeats, file_name
from components.shared.suites.benchmarks.benchmark_section import BenchmarkSection
from components.shared.suites.benchmarks.published import BENCHMARKS
from components.shared.suites.benchmarks.sampling import stratified_sample
from components.shared.suites.benchmarks.sources import fetch_source, locate
from components.shared.suites.prompt_files import check_prompt, conversation
from components.shared.vocabulary import Expectation

_CATEGORY = "category"


def load_benchmark(section: BenchmarkSection, suite: str, address: str) -> tuple[SuitePrompt, ...]:
    """The prompts of a benchmark suite, in the order of the file.

    Args:
        section: the suite's section.
        suite: the suite's name; prefix of the ids of custom rows without an id.
        address: the suite's YAML file, for errors and to find the source.

    Raises:
        ConfigError: the source does not exist or has another hash, or the section names something it does not have.
        DataError: the file does not have the format; file, line, column and cure are named.
    """
    benchmark = BENCHMARKS[section.format]
    where = locate(section.source, address)
    try:
        content = fetch_source(where)
    except StorageError as error:
        raise ConfigError(f"{address}: benchmark.source: {error}; {_how_to_get(benchmark)}") from None
    sha256 = digest_bytes(content).removeprefix("sha256:")
    if section.sha256 not in (None, sha256):
        raise ConfigError(
            f"{address}: benchmark.sha256 is {section.sha256!r}, but {where} has {sha256!r}: get the file that was "
            "pinned, or pin this one and raise the version"
        )
    columns = {str(field): column for field, column in section.columns.items()}
    options = Options(section.include, columns, section.expectation, section.category, suite)
    try:
        prompts = benchmark.read(content, where, options)
    except ValidationError as error:  # an id or a category that is no name
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{where}: {field} {first['input']!r} {first['msg'].removeprefix('Value error, ')}; correct it in the "
            f"file, or set benchmark.category or benchmark.columns in {address}"
        ) from None
    prompts = unrepeated(_overridden(prompts, section, address), where, benchmark.repeats)
    for prompt in prompts:
        check_prompt(prompt, f"{where}: {prompt.id}", named=True)
    return tuple(prompts) if section.sample is None else _sampled(prompts, section, section.sample, address)


def unrepeated(prompts: Sequence[SuitePrompt], where: str, repeats: Repeats) -> list[SuitePrompt]:
    """The prompts without those that repeat the text of an earlier one; case, punctuation and spacing do not count.

    Raises:
        DataError: an id occurs twice; or a text does, and `repeats` is `refuse`.
    """
    ids: dict[str, SuitePrompt] = {}
    texts: dict[tuple[str, ...], SuitePrompt] = {}
    dropped = []
    for prompt in prompts:
        if other := ids.setdefault(prompt.id, prompt) if prompt.id in ids else None:
            raise DataError(
                f"{where}: the id {prompt.id!r} occurs twice ({other.source}; {prompt.source}); ids are unique: take "
                "the file as published, or give each row its own id"
            )
        ids[prompt.id] = prompt
        text = conversation(prompt)
        if other := texts.get(text):
            dropped.append((other, prompt))
        else:
            texts[text] = prompt
    if dropped:
        first, second = dropped[0]
        pair = f"{second.source} repeats {first.source}: {second.prompt[:60]!r}"
        if repeats == "refuse":
            raise DataError(f"{where}: {len(dropped)} rows repeat another row's text ({pair}); remove the repetitions")
        warn(f"{where}: {len(dropped)} rows repeat another row's text and are left out ({pair})")
    return list(texts.values())


def _overridden(prompts: list[SuitePrompt], section: BenchmarkSection, address: str) -> list[SuitePrompt]:
    """The prompts with the section's category and expectation, if it has them."""
    settings = {_CATEGORY: section.category, "expectation": section.expectation}
    changes = {field: value for field, value in settings.items() if value is not None}
    if section.format == "custom" or not changes:
        return prompts
    changed = [prompt.model_copy(update=changes) for prompt in prompts]
    if section.category is not None:
        asked = {prompt.expectation for prompt in changed}
        if Expectation.ANSWER in asked and len(asked) > 1:
            raise ConfigError(
                f"{address}: benchmark.category: {section.category!r} would hold prompts to answer and prompts to "
                "refuse, so that its pass rate would mean nothing; keep one kind with include, or leave category out"
            )
    _refuse_missing_facts(changed, section, address)
    return changed


def _refuse_missing_facts(prompts: Sequence[SuitePrompt], section: BenchmarkSection, address: str) -> None:
    needed = {
        Expectation.CAVEAT: "caveats",
        Expectation.EXACT: "reference",
        Expectation.SIMILAR: "reference",
        Expectation.CONSTRAINTS: "constraints",
        Expectation.CHOICE: "options",
    }
    field = needed.get(section.expectation) if section.expectation else None
    if field and not all(getattr(prompt, field) for prompt in prompts):
        raise ConfigError(
            f"{address}: benchmark.expectation: {section.expectation!s} needs {field}, which {section.format} does not "
            "have; leave expectation out"
        )


def _sampled(
    prompts: Sequence[SuitePrompt], section: BenchmarkSection, size: int, address: str
) -> tuple[SuitePrompt, ...]:
    if size > len(prompts):
        raise ConfigError(
            f"{address}: benchmark.sample: got {size}, but {file_name(section.source)} gives {len(prompts)} prompts; "
            "ask for at most as many, or leave sample out for all"
        )
    kind = section.stratify_by
    if kind != _CATEGORY and (bare := next((prompt for prompt in prompts if prompt.tag(kind) is None), None)):
        known = sorted({tag.partition(":")[0] for tag in bare.tags})
        raise ConfigError(
            f"{address}: benchmark.stratify_by: {bare.id!r} has no tag {kind!r}; expected category"
            + (f" or {', '.join(known)}" if known else "")
        )
    return stratified_sample(
        prompts, size, lambda prompt: prompt.category if kind == _CATEGORY else str(prompt.tag(kind)), section.seed
    )


def _how_to_get(benchmark: Benchmark) -> str:
    if benchmark.name == "custom":
        return "nothing is bundled: give the path or address of your own file"
    access = "" if benchmark.gating == OPEN else f" (access: {benchmark.gating})"
    return f"nothing is bundled: get {benchmark.origin}{access}, licence {benchmark.licence}"
