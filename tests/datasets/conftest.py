"""A web server on the loopback device, and a miniature Speech Commands."""

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from miniature import COMMANDS, OTHERS, SPEAKERS, wav


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        web = self.server.web
        web.requests.append((self.path, self.headers.get("Range")))
        web.gate.wait(30)
        content = web.files.get(self.path)
        if web.answers:
            return self.wfile.write(web.answers.pop(0))
        if web.statuses or content is None:
            return self.send_error(web.statuses.pop(0) if web.statuses else 404)
        start, tag = 0, web.tags.get(self.path)
        same = self.headers.get("If-Range", tag) == tag
        if web.ranges and same and (asked := self.headers.get("Range")):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        for at in range(start, len(content) if web.trickle else 0):
            self.wfile.write(content[at : at + 1])
            time.sleep(web.trickle)
        stop = start + web.cuts.pop(0) if web.cuts else len(content)
        self.wfile.write(content[start:stop])  # the connection closes after each answer, here perhaps too early

    def log_message(self, *_):
        pass


class Web:
    """What the server gives and what it was asked for.

    `files` maps paths to bytes; `ranges` tells whether a Range is honoured; each answer takes the first of `cuts`, the
    number of bytes after which it breaks off, of `statuses`, an error to give instead, and of `answers`, bytes to send
    whatever was asked; `tags` maps paths to what the server calls the state of a file; `trickle` is the
    time that each byte takes; while `gate` is not set, answers wait.
    """

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/"
        self.gate = Event()
        self.gate.set()
        self.files, self.requests, self.cuts, self.statuses, self.ranges = {}, [], [], [], True
        self.answers, self.tags, self.trickle = [], {}, 0.0


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("skkws.datasets._download._WAIT", 0.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.web = Web(server.server_port)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.web
        server.shutdown()


@pytest.fixture(scope="session")
def speech_commands_files():
    """Name and content of every file of a miniature Speech Commands: 13 words, each said once by seven speakers."""
    names = {part: [f"{speaker}_nohash_0.wav" for speaker in speakers] for part, speakers in SPEAKERS.items()}
    lists = {
        part: "".join(f"{word}/{name}\n" for word in (*COMMANDS, *OTHERS) for name in names[part]).encode()
        for part in names
    }
    clips = [f"{word}/{name}" for word in (*COMMANDS, *OTHERS) for part in names for name in names[part]]
    return {
        "README.md": b"# Speech Commands",
        "LICENSE": b"CC BY 4.0",
        "validation_list.txt": lists["validation"],
        "testing_list.txt": lists["test"],
        "_background_noise_/README.md": b"noise",
        "_background_noise_/pink_noise.wav": wav(16000 * 20, seed=1),
        "_background_noise_/running_tap.wav": wav(16000 * 15, seed=2),
        "_background_noise_/too_short.wav": wav(16000 // 2, seed=3),
        **{name: wav(800, seed=index) for index, name in enumerate(clips)},
    }
