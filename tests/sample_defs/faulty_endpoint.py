"""An endpoint before the local AWS that counts calls, and refuses those that it is told to."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_SCHEDULER = {
    ("GET", True): "GetSchedule",
    ("GET", False): "ListSchedules",
    ("PUT", True): "UpdateSchedule",
    ("DELETE", True): "DeleteSchedule",
}


@dataclass
class Fault:
    """What is refused: an action whose path or body has a text, so many times."""

    action: str
    code: str
    message: str
    status: int
    containing: str
    times: int

    def takes(self, action: str, request: str) -> bool:
        if action != self.action or self.containing not in request or self.times < 1:
            return False
        self.times -= 1
        return True

    def body(self) -> bytes:
        if self.action.partition(":")[0] in ("cloudformation", "sts"):
            error = f"<Code>{self.code}</Code><Message>{self.message}</Message>"
            return f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>".encode()
        return json.dumps({"__type": self.code, "message": self.message}).encode()


@dataclass
class FaultyEndpoint:
    """Made by ``faulty_endpoint``.

    Attributes:
        url: where it listens.
        calls: how often each action was called, such as ``scheduler:ListSchedules``.
    """

    url: str
    calls: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _words: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def refuse(
        self,
        action: str,
        code: str = "AccessDeniedException",
        message: str = "No.",
        *,
        status: int = 400,
        containing: str = "",
        times: int = 1_000_000,
    ) -> None:
        self._faults.append(Fault(action, code, message, status, containing, times))

    def replace(self, action: str, old: str, new: str) -> None:
        """Have the answers of an action say something else."""
        self._words[action] = (old.encode(), new.encode())

    def answered(self, action: str, body: bytes) -> bytes:
        """What an answer says."""
        return body.replace(*self._words[action]) if action in self._words else body

    def mend(self) -> None:
        self._faults.clear()

    def fault(self, action: str, request: str) -> Fault | None:
        """Count a call, and find what refuses it."""
        with self._lock:
            self.calls[action] += 1
            self.order.append(action)
            return next((fault for fault in self._faults if fault.takes(action, request)), None)


@contextmanager
def faulty_endpoint(target: str) -> Iterator[FaultyEndpoint]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    endpoint = FaultyEndpoint(f"http://localhost:{server.server_address[1]}")
    server.endpoint, server.target = endpoint, urlsplit(target).netloc  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self._action(body)
        fault = server.endpoint.fault(action, self.path + body.decode())
        if fault is not None:
            self._send(fault.status, {"x-amzn-errortype": fault.code}, fault.body())
            return
        connection = http.client.HTTPConnection(server.target)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() in _KEPT}
            self._send(response.status, kept, server.endpoint.answered(action, response.read()))
        finally:
            connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    def _action(self, body: bytes) -> str:
        match = _SCOPE.search(self.headers.get("Authorization", ""))
        service = match[1] if match else "unknown"
        if target := self.headers.get("X-Amz-Target"):
            return f"{service}:{target.rpartition('.')[2]}"
        if service == "scheduler":
            path = urlsplit(self.path).path
            name = _SCHEDULER.get((self.command, path.count("/") > 1), self.command)
            return f"scheduler:{name}{'Group' if path.startswith('/schedule-groups/') else ''}"
        return f"{service}:{parse_qs(body.decode()).get('Action', ['?'])[0]}"

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


_KEPT = ("content-type", "x-amzn-errortype", "x-amzn-requestid")
