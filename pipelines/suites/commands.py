"""The commands of `plimsoll suites`."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.printing import echo_json

suites_app = typer.Typer(help="Lists suites and benchmarks, and plans and seals suites.", no_args_is_help=True)

SUITES_DIR = Path("configs/suites")
_MARGINS = (1.0, 2.0, 3.0, 5.0, 10.0)

Json = Annotated[bool, typer.Option("--json", help="Prints one JSON object instead of tables.")]
Confidence = Annotated[float, typer.Option(help="Of the one-sided bound on the drop, above 0.5 and below 1.")]


@suites_app.command(name="list", epilog="Example: plimsoll suites list configs/suites/toy.yaml")
def list_suites(
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUITE]...", help=f"Suite YAML files; by default all below {SUITES_DIR}."),
    ] = None,
    confidence: Confidence = 0.95,
    as_json: Json = False,
) -> None:
    """Lists suites: categories, prompts, judges, and the smallest drop that each can rule out."""
    from components.shared.errors import PlimsollError
    from components.shared.judges.panel import rule_panel
    from components.shared.suites.suite_files import load_suite
    from pipelines.suites.resolution import CategoryResolution, resolve
    from pipelines.suites.tables import show_suites

    _check_share(confidence, "--confidence", above=0.5)
    addresses = suites or sorted(str(path) for path in SUITES_DIR.rglob("*.yaml"))
    if not addresses:
        raise typer.BadParameter(f"there is no suite below {SUITES_DIR} in {Path.cwd()}; name one", param_hint="SUITE")
    panel = rule_panel()
    rows: list[CategoryResolution] = []
    absent: dict[str, str] = {}
    for address in addresses:
        try:
            rows += resolve(load_suite(address), panel, confidence)
        except PlimsollError as error:
            if suites:
                raise
            absent[address] = str(error).removeprefix(f"{address}: ")
    if as_json:
        _print_json({"confidence": confidence, "categories": [row._asdict() for row in rows], "not_loaded": absent})
    else:
        show_suites(rows, confidence, absent)


@suites_app.command(epilog="Example: plimsoll suites plan --margin 5 configs/suites/toy.yaml")
def plan(
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUITE]...", help="Suites to compare with the margin; none by default."),
    ] = None,
    margin: Annotated[float, typer.Option(help="Largest acceptable drop, percentage points.")] = 5.0,
    confidence: Confidence = 0.95,
    power: Annotated[
        float, typer.Option(help="Probability that an unchanged model is shown to be inside the margin.")
    ] = 0.8,
    samples: Annotated[int, typer.Option(help="Answers per prompt and side; sets the default of --spread.", min=1)] = 5,
    spread: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation over prompts of the drop between two runs of one model, percentage points. The "
            "default is that of a model whose answers waver on 22 % of the prompts: 12.1 with 5 answers."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Computes how many prompts a limit needs, and whether suites have them.

    For a true drop of 0: with fewer prompts even an unchanged model gets the decision `insufficient_evidence`.
    """
    from components.shared.statistics.planning import spread_of_unchanged
    from components.shared.suites.suite_files import load_suites
    from pipelines.suites import resolution
    from pipelines.suites.tables import show_plan, show_support

    _check_share(confidence, "--confidence", above=0.5)
    _check_share(power, "--power", above=0.0)
    if not 0 < margin <= 100:
        raise typer.BadParameter(
            f"{margin}: expected percentage points above 0 and up to 100; plan a rule of zero tolerance by its "
            "resolution",
            param_hint="--margin",
        )
    spread_pp = spread_of_unchanged(resolution.WAVERING, samples) if spread is None else spread
    if not 0 <= spread_pp <= 100 or not math.isfinite(spread_pp):
        raise typer.BadParameter(f"{spread_pp}: expected percentage points from 0 to 100", param_hint="--spread")
    plans = {each: resolution.plan(each, spread_pp, confidence, power) for each in sorted({*_MARGINS, margin})}
    rows = resolution.support(load_suites(suites), plans[margin], confidence) if suites else ()
    if as_json:
        _print_json(
            {
                "confidence": confidence,
                "power": power,
                "spread_pp": spread_pp,
                "margin_pp": margin,
                "plans": [sizes._asdict() for sizes in plans.values()],
                "categories": [row._asdict() for row in rows],
            }
        )
        return
    show_plan(list(plans.values()), plans[margin], spread_pp, confidence, power)
    if rows:
        show_support(rows, plans[margin])


@suites_app.command(epilog="Example: plimsoll suites benchmarks")
def benchmarks(as_json: Json = False) -> None:
    """Lists the published benchmarks that can be read, with licence and access; none of them is bundled."""
    from components.shared.suites.benchmarks.published import BENCHMARKS
    from pipelines.suites.tables import show_benchmarks

    rows = [
        {
            "name": name,
            "title": benchmark.title,
            "licence": benchmark.licence,
            "gating": benchmark.gating,
            "measures": benchmark.measures,
        }
        for name, benchmark in BENCHMARKS.items()
    ]
    if as_json:
        _print_json({"benchmarks": rows})
    else:
        show_benchmarks(rows)


@suites_app.command(epilog="Example: plimsoll suites seal configs/suites/mine.yaml --version 2")
def seal(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The suite's YAML file.")],
    version: Annotated[
        str | None,
        typer.Option(metavar="NEW", help="The new version; needed when the prompts changed since the last seal."),
    ] = None,
) -> None:
    """Checks a suite's prompts and writes their hash into its YAML.

    Set a new version with --version, not by hand: the file must have the version of the last seal.
    """
    from components.shared.digests import short
    from pipelines.printing import print_line
    from pipelines.suites.sealing import seal as seal_suite

    done = seal_suite(file, version)
    what = "sealed" if done.changed else "nothing to seal:"
    print_line(f"{what} {file}: version {done.version!r}, {done.prompts:,} prompts, sha256 {short(done.sha256)}")


def _check_share(value: float, flag: str, above: float) -> None:
    if not above < value < 1:
        raise typer.BadParameter(f"{value}: expected a number above {above:g} and below 1", param_hint=flag)


def _print_json(content: dict[str, Any]) -> None:
    echo_json(content)
