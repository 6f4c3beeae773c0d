"""Requests with their answers: out of a record that the tests wrote, or made over a connection."""

import gzip
import http.client
import json
import urllib.parse
import zlib
from dataclasses import dataclass, field

SECONDS_MAX = 60
# As in tests/gateway/exchange_record.hpp: a request that is as long may have been cut off.
RECORDED_REQUEST_MAX = 64 << 10


@dataclass
class Exchange:
    """Names of fields are in lower case. `sent` is None where the request's body is not known."""

    method: str
    target: str
    status: int
    answer: bytes
    fields: dict = field(default_factory=dict)
    answer_fields: dict = field(default_factory=dict)
    sent: bytes | None = b""

    @property
    def path(self):
        return urllib.parse.urlsplit(self.target).path

    @property
    def query(self):
        return urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query, True)

    def __str__(self):
        return f"{self.method} {self.target} -> {self.status}"


def decompress(body, coding):
    """What the body is without its content coding."""
    if coding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if coding == "deflate" else body


def read_fields(lines):
    pairs = (line.partition(b":") for line in lines if line)
    return {name.decode("latin-1").lower(): value.strip().decode("latin-1")
            for name, _, value in pairs}


def read_request(text):
    """(method, target, fields, body) of a request; None for what does not look like one."""
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = first.decode("latin-1").split(" ")
    if len(words) != 3:
        return None
    fields = read_fields(lines)
    is_whole = len(text) < RECORDED_REQUEST_MAX and "transfer-encoding" not in fields
    return words[0], words[1], fields, body if is_whole else None


def read_record(path):
    """The exchanges of a file in the form of tests/gateway/exchange_record.hpp."""
    with open(path, "rb") as file:
        while line := file.readline():
            sizes = [int(word) for word in line.split()]
            request = read_request(file.read(sizes[0]))
            answer_fields = read_fields(file.read(sizes[2]).split(b"\r\n"))
            answer = file.read(sizes[3])
            if request:
                method, target, fields, sent = request
                yield Exchange(method, target, sizes[1], answer, fields, answer_fields, sent)


class Caller:
    """Asks a server on this machine, and keeps what was said."""

    def __init__(self, port):
        self._port = port
        self.exchanges = []

    def ask(self, method, target, body=b"", fields=None):
        """The exchange. A body that is not bytes is sent as JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {name.lower(): value for name, value in (fields or {}).items()}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS_MAX)
        try:
            connection.request(method, target, sent, fields)
            reply = connection.getresponse()
            answer_fields = {name.lower(): value for name, value in reply.getheaders()}
            made = Exchange(method, target, reply.status, reply.read(), fields, answer_fields,
                            sent)
        finally:
            connection.close()
        self.exchanges.append(made)
        return made

    def json(self, method, target, body=b"", fields=None):
        """(status, the answer read as JSON)."""
        made = self.ask(method, target, body, fields)
        return made.status, json.loads(made.answer) if made.answer else None
