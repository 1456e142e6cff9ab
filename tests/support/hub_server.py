"""A server that answers for data sets as the hub does, as far as `datasets` and huggingface_hub ask.

Read from huggingface_hub 2.4 (hf_api.dataset_info, list_repo_tree, get_paths_info; file_download.get_hf_file_metadata;
utils._http.hf_raise_for_status) and datasets 5.2 (load.HubDatasetModuleFactory): paths, header names, JSON keys.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789" * 4


@contextmanager
def serve(repo: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The endpoint of a hub that has one data set with the branch main."""
    handler = type("Handler", (_Handler,), {"repo": repo, "files": files})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    repo: str
    files: Mapping[str, bytes]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, body: str = "") -> None:
        path = unquote(urlsplit(self.path).path)
        api, content = f"/api/datasets/{self.repo}", f"/datasets/{self.repo}/resolve/"
        if path.startswith(content):
            self._file(*path.removeprefix(content).split("/", 1))
        elif path in {f"{api}/revision/main", f"{api}/revision/{COMMIT}"}:
            siblings = [{"rfilename": name} for name in self.files]
            self._json({"id": self.repo, "_id": "1", "sha": COMMIT, "private": False, "siblings": siblings, "tags": []})
        elif path.startswith(f"{api}/tree/{COMMIT}"):
            self._tree(path.removeprefix(f"{api}/tree/{COMMIT}").strip("/"))
        elif path == f"{api}/paths-info/{COMMIT}":
            wanted = parse_qs(body)["paths"] if "=" in body else json.loads(body)["paths"]
            self._json([self._entry(name) for name in wanted if self._exists(name)])
        else:
            self._refuse("RevisionNotFound" if path.startswith(f"{api}/revision/") else "RepoNotFound")

    def _tree(self, folder: str) -> None:
        start = f"{folder}/" if folder else ""
        below = [name.removeprefix(start) for name in self.files if name.startswith(start)]
        self._json([self._entry(start + name) for name in sorted({name.partition("/")[0] for name in below})])

    def _exists(self, name: str) -> bool:
        return any(f"{file}/".startswith(f"{name}/") for file in self.files)

    def _entry(self, name: str) -> dict[str, object]:
        if name not in self.files:
            return {"type": "directory", "path": name, "oid": "1"}
        return {"type": "file", "path": name, "size": len(self.files[name]), "oid": oid(self.files[name])}

    def _file(self, revision: str, name: str) -> None:
        if revision not in {"main", COMMIT}:
            self._refuse("RevisionNotFound")
        elif name not in self.files:
            self._refuse("EntryNotFound")
        else:
            content = self.files[name]
            self._send(200, content, {"ETag": f'"{oid(content)}"', "X-Repo-Commit": COMMIT})

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, code: str) -> None:
        self._send(404, b"", {"X-Error-Code": code, "X-Repo-Commit": COMMIT})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Prints nothing."""


def oid(content: bytes) -> str:
    """Git's name of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
