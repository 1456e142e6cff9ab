"""Real tiny judges, trained here to tell two word lists apart, and a real HTTP server that speaks chat completions."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.shared.judges.judge import Exchange

GOOD = ["apple", "bread", "garden", "river", "music", "kind", "calm", "green"]
BAD = ["rude", "nasty", "vile", "mean", "harsh", "cruel", "foul", "awful"]
PLAIN = ["the", "is", "a", "very", "and", "my", "tell", "me", "about"]
TEMPLATE = "ask {{ prompt }} say {{ answer }} verdict"


@pytest.fixture(scope="session")
def words() -> dict[str, list[str]]:
    return {"good": GOOD, "bad": BAD, "plain": PLAIN}


@pytest.fixture(scope="session")
def exchange(build: Any) -> Callable[..., Exchange]:
    """An exchange with this answer."""

    def make(answer: str, prompt: str = "tell me about my garden", **changes: object) -> Exchange:
        return Exchange(build.prompt(prompt=prompt, **changes), answer)

    return make


def _tokenizer(special: list[str], pairs: bool) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = [*special, "[UNK]", "ask", "say", "verdict", "safe", "unsafe", "odd", *PLAIN, *GOOD, *BAD]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(vocabulary)}, unk_token="[UNK]"))  # noqa: S106 - a token of the tokenizer
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if pairs:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[(token, vocabulary.index(token)) for token in ("[CLS]", "[SEP]")],
        )
        roles = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    else:
        roles = {"eos_token": "[END]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", **roles)  # noqa: S106 - a token of the tokenizer


def _text(draw: Any, *lists: list[str], longest: int = 8) -> str:
    return " ".join(draw.choice(draw.choice(lists)) for _ in range(draw.randint(2, longest)))


def _with_bad_word(draw: Any, text: str) -> str:
    words = text.split()
    words.insert(draw.randint(0, len(words)), draw.choice(BAD))
    return " ".join(words)


def _train(model: Any, steps: int, loss: Callable[[], Any], rate: float) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    model.eval()


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that reads 16 tokens and knows `clean` from `toxic`: toxic texts hold a word of the bad list."""
    import random

    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    draw = random.Random(0)
    tokenizer = _tokenizer(["[PAD]", "[CLS]", "[SEP]"], pairs=True)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=16,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            id2label={0: "clean", 1: "toxic"},
            label2id={"clean": 0, "toxic": 1},
        )
    )

    def loss() -> Any:
        toxic = [draw.random() < 0.5 for _ in range(32)]
        asked = [_text(draw, PLAIN, GOOD, longest=4) if draw.random() < 0.5 else None for _ in toxic]
        said = [
            _with_bad_word(draw, _text(draw, PLAIN, GOOD, longest=5)) if is_toxic else _text(draw, PLAIN, GOOD)
            for is_toxic in toxic
        ]
        rows = [[text, said] if text is not None else [said] for text, said in zip(asked, said, strict=True)]
        inputs = tokenizer.pad([dict(tokenizer(*row)) for row in rows], return_tensors="pt")
        return model(**inputs, labels=torch.tensor([int(is_toxic) for is_toxic in toxic])).loss

    _train(model, 150, loss, 5e-3)
    directory = tmp_path_factory.mktemp("classifier")
    tokenizer.save_pretrained(directory)
    model.save_pretrained(directory)
    return directory


def _llama(tokenizer: Any, kind: str, **changes: object) -> Any:
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=None,
        **changes,
    )
    return getattr(transformers, kind)(config)


@pytest.fixture(scope="session")
def llama_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama classifier of three labels, several of which may hold; its tokenizer has no padding token."""
    import torch

    torch.manual_seed(1)
    tokenizer = _tokenizer(["[END]"], pairs=False)
    directory = tmp_path_factory.mktemp("llama-classifier")
    model = _llama(
        tokenizer,
        "LlamaForSequenceClassification",
        id2label={0: "insult", 1: "threat", 2: "other"},
        problem_type="multi_label_classification",
        initializer_range=0.5,
    )
    tokenizer.save_pretrained(directory)
    model.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama that ends `TEMPLATE` with safe, unsafe (a bad word) or `odd odd` (the answer begins with very)."""
    import random

    import torch

    torch.manual_seed(0)
    draw = random.Random(0)
    tokenizer = _tokenizer(["[END]"], pairs=False)
    model = _llama(tokenizer, "LlamaForCausalLM")
    end = tokenizer.eos_token_id

    def row() -> list[tuple[int, int]]:
        kind = draw.choice(["safe", "unsafe", "odd odd"])
        said = _text(draw, [word for word in PLAIN if word != "very"], GOOD, longest=5)
        said = {"safe": said, "unsafe": _with_bad_word(draw, said), "odd odd": f"very {said}"}[kind]
        read = tokenizer(f"ask {_text(draw, PLAIN, GOOD, longest=4)} say {said} verdict")["input_ids"]
        return [
            *((token, -100) for token in read),
            *((token, token) for token in tokenizer(kind)["input_ids"]),
            (end, end),
        ]

    def loss() -> Any:
        rows = [row() for _ in range(32)]
        width = max(map(len, rows))
        padded = [[*((end, -100) for _ in range(width - len(row))), *row] for row in rows]
        inputs, labels = (torch.tensor([[pair[part] for pair in row] for row in padded]) for part in (0, 1))
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        return model(input_ids=inputs, attention_mask=mask, labels=labels).loss

    _train(model, 200, loss, 5e-3)
    directory = tmp_path_factory.mktemp("guard")
    tokenizer.save_pretrained(directory)
    model.save_pretrained(directory)
    return directory


@dataclass
class ChatServer:
    """What the server was asked and what it answers.

    Attributes:
        answer: what to do for a user message, at its nth try: a text is a reply; a dict is the body; an int is a
            status; (status, headers, body) is all of it; `hang` and `drop` do that.
        delay_s: how long each answer takes.
    """

    answer: Callable[[str, int], Any] = lambda text, attempt: "Verdict: pass"
    delay_s: float = 0.0
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    most_in_flight: int = 0
    in_flight: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, handler: BaseHTTPRequestHandler) -> Any:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        text = body["messages"][-1]["content"]
        with self.lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            attempt = sum(request["messages"][-1]["content"] == text for request in self.requests)
            self.requests.append(body)
            self.headers.append({name.title(): value for name, value in handler.headers.items()})
            self.paths.append(handler.path)
        self.released.wait(self.delay_s)
        return self.answer(text, attempt)


def completion(text: str | None, ended: str = "stop", **changes: object) -> dict[str, Any]:
    """A chat completion's body, with the fields of OpenAI's API reference that vLLM and llama.cpp send as well."""
    message = {"role": "assistant", "content": text, **changes}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "judge-served",
        "choices": [{"index": 0, "finish_reason": ended, "logprobs": None, "message": message}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


@pytest.fixture(scope="session")
def completed() -> Callable[..., dict[str, Any]]:
    return completion


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    chat = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                answer = chat.take(self)
                if answer == "hang":
                    chat.released.wait(10)
                    answer = "drop"
                if answer == "drop":
                    self.close_connection = True
                    self.connection.close()
                    return
            finally:
                with chat.lock:
                    chat.in_flight -= 1
            status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
            if isinstance(body, int):
                status, body = body, f"status {body}"
            elif isinstance(body, str) and status == 200 and not headers:
                body = completion(body)
            is_json = isinstance(body, dict)
            content = json.dumps(body).encode() if is_json else body if isinstance(body, bytes) else body.encode()
            self.send_response(status)
            kind = "application/json" if is_json else "text/html"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    chat.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    yield chat
    chat.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
