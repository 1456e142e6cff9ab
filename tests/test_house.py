"""The rules that the house is built by, checked over the whole tree."""

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

NEED_TORCH = {f"components/shared/generation/{name}.py" for name in ("library", "refill", "scoring")}
HEAVY = {"torch", "transformers", "peft", "trl", "datasets", "mlflow", "boto3", "botocore", "matplotlib"}
LONGEST = 400
OF_EVERY_FOLDER = {"__init__", "__main__", "component", "step", "commands", "tables"}


def _modules(root: Path) -> list[Path]:
    return [path for folder in ("components", "pipelines") for path in sorted((root / folder).rglob("*.py"))]


def _steps(root: Path) -> list[str]:
    return sorted(path.parent.name for path in (root / "components").glob("*/component.py"))


def test_imports_go_down_only(root):
    """The import contracts of pyproject.toml hold."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_heavy_is_imported_at_the_top(root):
    """No module imports torch or mlflow at its top, but the file that MLflow runs and the engine's inner modules."""
    offenders = []
    for path in _modules(root):
        if path.name == "adapter_model.py" or path.relative_to(root).as_posix() in NEED_TORCH:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").partition(".")[0]}
            else:
                continue
            offenders += [f"{path.relative_to(root)}: {name}" for name in names & HEAVY]
    assert offenders == []


def test_nothing_heavy_is_needed_to_compile(root):
    """The launcher and every component are imported, as for compiling, without torch or transformers."""
    names = "{'torch', 'transformers'}"
    program = f"import sys, pipelines.running.launch, pipelines.cli; print(sorted({names} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_module_says_what_it_does(root):
    """Each module begins with a docstring, and none has grown past the length at which it is split."""
    bare = [str(path) for path in _modules(root) if not ast.get_docstring(ast.parse(path.read_text()))]
    long = [str(path) for path in _modules(root) if len(path.read_text().splitlines()) > LONGEST]
    assert (bare, long) == ([], [])


def test_a_name_means_one_thing(root):
    """No two modules have one name, but those that every step and every folder of commands has, and no two classes."""
    modules = [path.stem for path in _modules(root) if path.stem not in OF_EVERY_FOLDER]
    classes = [
        node.name
        for path in _modules(root)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    repeated = {name for names in (modules, classes) for name in names if names.count(name) > 1}
    assert repeated == set()


def test_nothing_poses_as_an_artifact(root):
    """Components are called with kfp's own artifacts, never with a stand-in that has a path."""
    assert [str(path) for path in _modules(root) if "SimpleNamespace" in path.read_text()] == []


def test_the_readme_is_short(root):
    """The README is at most 150 lines; what is longer has a page of its own."""
    assert len((root / "README.md").read_text().splitlines()) <= 150


def test_the_top_level_names_are_ours():
    """`components` and `pipelines` are imported from this distribution and no other."""
    owners = importlib.metadata.packages_distributions()
    assert {name: set(owners[name]) for name in ("components", "pipelines")} == {
        "components": {"plimsoll-pipelines"},
        "pipelines": {"plimsoll-pipelines"},
    }


def test_every_step_has_its_two_files_and_a_word_about_itself(root):
    """Each step is component.py and step.py, and the list of steps says what it does."""
    import components

    listed = [line.split()[0] for line in (components.__doc__ or "").splitlines()[2:] if line.strip()]
    assert sorted(listed) == _steps(root)
    assert all((root / "components" / step / "step.py").is_file() for step in listed)


def test_the_readme_names_files_that_exist(root):
    """Every path in backticks in the README's table of places exists."""
    section = (root / "README.md").read_text().partition("## Where to change what")[2].partition("\n## ")[0]
    named = [part for part in section.split("`")[1::2] if "/" in part and " " not in part and "*" not in part]
    assert named
    assert [path for path in named if not (root / path).exists()] == []


@pytest.mark.parametrize("kind", ["pipelines", "policies", "suites", "judges"])
def test_every_yaml_explains_itself(root, kind):
    """Each shipped YAML begins with a comment that says what it is and names a command that uses it."""
    files = sorted((root / "configs" / kind).rglob("*.yaml"))
    assert files
    for path in files:
        header = []
        for line in path.read_text().splitlines():
            if not line.startswith("#"):
                break
            header.append(line)
        assert len(header) >= 3, path
        assert "plimsoll" in " ".join(header) or "python -m" in " ".join(header), path
        assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_nothing_names_a_machine(root):
    """No tracked file holds an absolute path of somebody's machine."""
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    paths = [root / name for name in tracked.splitlines() if name != "tests/test_house.py"]
    hits = [
        str(path)
        for path in paths
        if path.is_file() and any(word in path.read_text(errors="ignore") for word in ("/root/", "/home/"))
    ]
    assert hits == []
