"""What docs/cluster/manifests.md says of files, accounts, secrets and settings is so."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "cluster" / "manifests.md").read_text()


def test_files_and_components_exist(page):
    """Every path below manifests/ that the page names is there, and every component has a word."""
    named = re.findall(r"\bmanifests/[\w./-]*\w", page)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [path.name for path in (MANIFESTS / "components").iterdir() if path.name not in page] == []


def test_the_section_of_the_config_is_valid(page):
    """The cluster section on the page loads, and names the account and the claim of the manifests."""
    from components.shared.config.cluster import ClusterConfig

    (text,) = re.findall(r"^    cluster:\n(?:      .*\n)+", page, re.MULTILINE)
    cluster = ClusterConfig.model_validate_json(json.dumps(yaml.safe_load(text)["cluster"]))
    assert (cluster.namespace, cluster.service_account) == ("plimsoll-pipelines", "pipeline-runner")
    assert cluster.model_cache is not None
    assert cluster.model_cache.claim == "model-cache"
    assert cluster.user.non_root


def test_the_table_of_accounts_is_complete(page, overlays):
    """Each service account of any overlay has its row, with the right word on its token."""
    rows = dict(re.findall(r"^\| ([\w-]+)(?: \(component\))? \| .* \| ([^|]*) \|$", page, re.MULTILINE))
    accounts = {
        one["metadata"]["name"]: one["automountServiceAccountToken"]
        for resources in overlays.values()
        for one in resources
        if one["kind"] == "ServiceAccount"
    }
    assert {name: rows[name] == "yes" for name in accounts} == accounts


def test_every_expected_secret_is_named(page):
    """The page names each secret of the examples."""
    names = [one["metadata"]["name"] for one in yaml.safe_load_all((MANIFESTS / "examples/secrets.yaml").read_text())]
    assert [name for name in names if name not in page] == []


def test_versions_are_those_that_are_checked(page, check):
    """The versions of Kubernetes on the page are those whose schemas are used."""
    assert f"Kubernetes {' and '.join(check.KUBERNETES)}" in page
