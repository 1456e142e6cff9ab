"""manifests/check.py renders every overlay and finds what is wrong."""

import copy
from pathlib import Path
from typing import Any

import pytest

MANIFESTS = Path(__file__).parents[2] / "manifests"
RENDERED = ("local", "staging", "production")


def _find(resources: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return copy.deepcopy(
        next(one for one in resources if one["kind"] == kind and one["metadata"]["name"] == name),
    )


def test_every_overlay_renders_without_a_problem(check, overlays):
    """Every overlay satisfies the schemas of two versions of Kubernetes."""
    problems = [
        f"{overlay} {check.title(one)}: {problem}"
        for overlay, resources in overlays.items()
        for one in resources
        for problem in check.problems(one)
    ]
    assert (tuple(overlays), problems) == (RENDERED, [])


def test_every_component_is_rendered_somewhere(check):
    """Every component is taken by an overlay."""
    named = "".join((MANIFESTS / "overlays" / name / "kustomization.yaml").read_text() for name in check.OVERLAYS)
    for component in (MANIFESTS / "components").iterdir():
        assert f"  - ../../components/{component.name}\n" in named


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda spec: spec.update(replica=2), "replica"),
        (lambda spec: spec.update(replicas="two"), "spec.replicas"),
        (lambda spec: spec["template"]["spec"]["containers"][0].pop("name"), "'name' is a required property"),
    ],
    ids=["unknown field", "wrong type", "missing field"],
)
def test_a_wrong_field_of_kubernetes_is_found(check, overlays, change, expected):
    """An unknown field, a wrong type and a missing field of a Deployment are each a problem, with its place."""
    server = _find(overlays["production"], "Deployment", "mlflow")
    change(server["spec"])
    assert [expected in problem for problem in check.problems(server)] == [True] * len(check.KUBERNETES)


def test_an_unknown_kind_is_refused(check):
    """A kind without a schema is a problem rather than a warning."""
    for api in ("example.com/v1", "argoproj.io/v1alpha1"):
        problems = check.problems({"apiVersion": api, "kind": "CronWorkflow", "metadata": {"name": "x"}})
        assert ["no schema" in problem for problem in problems] == [True] * len(check.KUBERNETES)


def test_a_folder_that_kustomize_refuses_is_an_error_with_its_words(check, overlays, tmp_path):
    """The message names the folder and what kustomize said."""
    (tmp_path / "kustomization.yaml").write_text("resources: [missing.yaml]\n")
    with pytest.raises(check.RenderError, match=r"missing\.yaml"):
        check.render(tmp_path)


def test_without_kustomize_the_message_says_how_to_get_it(check, monkeypatch, tmp_path):
    """Neither program on the path: the error names both and the cure."""
    monkeypatch.setattr(check, "kustomize", lambda: None)
    with pytest.raises(check.RenderError, match="neither kubectl nor kustomize is installed; `make setup`"):
        check.render(tmp_path)


def test_the_command_writes_what_it_rendered(check, overlays, monkeypatch, tmp_path, capsys):
    """`make manifests` leaves one file for each overlay and says how many problems it found; one problem is exit 1."""
    rendered = [check.Rendered("one", "text\n", [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}])]
    monkeypatch.setattr(check, "render_all", lambda: rendered)
    monkeypatch.setattr(check.sys, "argv", ["check.py", str(tmp_path / "out")])
    assert check.main() == 0
    assert (tmp_path / "out" / "one.yaml").read_text() == "text\n"
    rendered[0].resources[0]["unknown"] = 1
    assert check.main() == 1
    assert "one: 1 resources, 2 problems" in capsys.readouterr().out


def test_every_file_says_what_it_is():
    """Each YAML and settings file begins with a comment, each program with a docstring."""
    files = [path for path in MANIFESTS.rglob("*") if path.suffix in {".yaml", ".env"}]
    assert [str(path) for path in files if not path.read_text().startswith("# ")] == []
    programs = list(MANIFESTS.rglob("*.py"))
    assert [str(path) for path in programs if not path.read_text().startswith('"""')] == []
