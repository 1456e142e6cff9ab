"""Base models on disk and in the hub's cache, known by their bytes."""

import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.shared.config.base_model import BaseModelRef
from components.shared.errors import ConfigError, ModelError
from components.shared.generation.base_models import (
    base_digest,
    cached_base_model,
    check_base_model,
    locate_base_model,
    tokenizer_digest,
)

COMMIT = "0123456789" * 4
HUB = BaseModelRef(hub_id="org/model", revision=COMMIT)
TAG = BaseModelRef(hub_id="org/model", revision="v1")


@pytest.fixture
def copy(tiny_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base, tmp_path / "copy"))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub").mkdir()
    return tmp_path / "hub"


def cached(hub_cache: Path, tiny_base: Path) -> Path:
    """The tiny base as the hub's client leaves a download."""
    folder = hub_cache / "models--org--model"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "v1").write_text(COMMIT)
    return Path(shutil.copytree(tiny_base, folder / "snapshots" / COMMIT))


def test_a_directory_is_the_model(copy: Path):
    """A path with config, weights and tokenizer is used as it is."""
    base = BaseModelRef(path=str(copy))
    assert check_base_model(base) is None
    assert locate_base_model(base) == copy


@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "config.json", "generation_config.json", "tokenizer_config.json", "chat_template.jinja"],
)
def test_the_digest_is_of_all_that_decides_answers(copy: Path, tiny_base: Path, name: str):
    """Weights, configs, tokenizer and chat template change it; other files do not."""
    assert base_digest(copy) == base_digest(tiny_base)
    (copy / "README.md").write_text("x")
    assert base_digest(copy) == base_digest(tiny_base)
    with (copy / name).open("ab") as stream:
        stream.write(b"x")
    assert base_digest(copy) != base_digest(tiny_base)


def test_the_tokenizer_has_a_digest_of_its_own(copy: Path, tiny_base: Path):
    """The chat template counts, wherever it is kept; the weights do not."""
    (copy / "model.safetensors").write_bytes(b"x")
    assert tokenizer_digest(copy) == tokenizer_digest(tiny_base)
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    assert tokenizer_digest(copy) != tokenizer_digest(tiny_base)


def test_a_missing_directory_names_the_cure(tmp_path: Path):
    """The demo's base model is made by a command that the message names."""
    base = BaseModelRef(path=str(tmp_path / "no"))
    for use in (check_base_model, locate_base_model):
        with pytest.raises(ConfigError, match=r"does not exist; expected a directory .*plimsoll demo --prepare"):
            use(base)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_an_incomplete_directory_lists_what_it_holds(copy: Path, name: str):
    """Without config or weights a directory is no model."""
    (copy / name).unlink()
    with pytest.raises(ConfigError, match=r"holds \[.*\]; expected config\.json, weights|holds no model\.safetensors"):
        check_base_model(BaseModelRef(path=str(copy)))


def test_a_cached_hub_model_needs_no_network(hub_cache: Path, tiny_base: Path):
    """What is in the cache under that revision is used."""
    snapshot = cached(hub_cache, tiny_base)
    assert check_base_model(HUB) is None
    assert cached_base_model(HUB) == locate_base_model(HUB) == snapshot


def test_a_tag_is_refused_with_its_commit(hub_cache: Path, tiny_base: Path):
    """What a tag names may change between two steps, so the commit has to be written down."""
    cached(hub_cache, tiny_base)
    with pytest.raises(ConfigError, match=rf"'v1' of org/model is a tag or branch.*it is {COMMIT} now: write that"):
        check_base_model(TAG)
    with pytest.raises(ConfigError, match="expected a commit of 40 hex digits"):
        locate_base_model(TAG)


def test_a_hub_that_cannot_be_reached_is_a_config_error(hub_cache: Path, monkeypatch: pytest.MonkeyPatch):
    """Not in the cache, and offline or nobody listens: said before anything starts, and again where it is loaded."""
    expected = (
        rf"base_model\.hub_id: org/model@{COMMIT} is not in the local cache, and the hub "
        "cannot be reached: .*HF_HUB_OFFLINE"
    )
    for offline in (True, False):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
        assert cached_base_model(HUB) is None
        with pytest.raises(ConfigError, match=expected):
            check_base_model(HUB)
        with pytest.raises(ModelError, match=f"base model org/model@{COMMIT} cannot be downloaded"):
            locate_base_model(HUB)


class _NoSuchModel(BaseHTTPRequestHandler):
    """Answers as the hub does for an unknown id: 404 and X-Error-Code (huggingface_hub.utils.hf_raise_for_status)."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Prints nothing."""


def test_an_unknown_id_is_a_config_error(hub_cache: Path, monkeypatch: pytest.MonkeyPatch):
    """The hub has no such model: the message names id and revision, what the hub said, and what to check."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _NoSuchModel) as server:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with pytest.raises(
            ConfigError, match=r"org/model@0123456789\S* .*does not give it: Repository Not Found .*HF_TOKEN"
        ):
            check_base_model(HUB)
        server.shutdown()


def test_what_is_no_id_is_a_config_error(hub_cache: Path):
    """An id that the hub could not have is named before the hub is asked."""
    for hub_id in ("a/b/c", "two words"):
        base = BaseModelRef(hub_id=hub_id, revision="v1")
        for use in (cached_base_model, check_base_model):
            with pytest.raises(ConfigError, match=rf"base_model\.hub_id: '{hub_id}' is no model id, such as org/name"):
                use(base)
