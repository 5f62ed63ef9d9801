"""The server gives every case of two public collections the verdict that the collection has for it.

    http_cases_test.py PRECIPICE DIRECTORY

DIRECTORY/llhttp: requests of llhttp's tests, in Markdown, with the events of its parser; a case is accepted unless its log
ends in an error. DIRECTORY/desync: requests by what they do to two servers in a row; severe ones must get a 400 and the end
of the connection, compliant ones any answer but a refusal of the message. What this server decides otherwise is in
DIFFERENCES, each with its reason; a difference that is none any more fails the test as well.
"""
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 20
# Refusals of a message, as against those of what it asks for (404, 405, 413).
REFUSALS = {400, 414, 417, 431, 501, 505}

# By collection and name: why this server refuses what the collection accepts, or the other way round.
DIFFERENCES = {
    "llhttp: connection: No restart when keep-alive is off (1.0)":
        "the request before it is answered and the connection closed; what follows is not read",
    "llhttp: method: SOURCE request with ICE": "another protocol than HTTP",
    "llhttp: method: OPTIONS request with RTSP": "another protocol than HTTP",
    "llhttp: method: ANNOUNCE request with RTSP": "another protocol than HTTP",
    "llhttp: sample: No HTTP version": "HTTP/0.9, which no client of today speaks and which RFC 9112 has not",
    "desync: more-compliant-tests: TE with custom parameters OK":
        "chunked has no parameters, and here they break the grammar as well (RFC 9112, section 7.1)",
    "desync: rfc-compliant: Transfer-Encoding with a param: chunked;custom_param":
        "chunked has no parameters, and here they break the grammar as well (RFC 9112, section 7.1)",
    "desync: rfc-compliant: International in URI": "bytes from 0x80 on are no part of a URI (RFC 3986); llhttp agrees",
    "desync: rfc-compliant: Empty URI": "a request line without a target is none (RFC 9112, section 3)",
}


def llhttp_cases(directory):
    """(name, bytes, accepted, paused) of each case that is about strict parsing."""
    for file in sorted(directory.glob("request/*.md")):
        text = file.read_text()
        title = ""
        for part in re.finditer(r"^#+ (.*?)$|<!-- meta=(\{.*?\}) -->\s*```http\n(.*?)```\s*```log\n(.*?)```", text, re.M | re.S):
            if part[1] is not None:
                title = part[1]
                continue
            kind = json.loads(part[2])["type"]
            if "lenient" in kind:
                continue
            # As llhttp's own tests read it: lines end with CRLF, and \\r, \\n, \\t, \\f, \\x.. are escapes.
            body = part[3].removesuffix("\n")
            body = re.sub(r"\\(\r\n|\r|\n)", "", body).replace("\n", "\r\n")
            body = body.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace("\\f", "\f")
            data = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), body.encode())
            # After a Pause another protocol would follow, so that only what is before it has a verdict.
            paused = "Pause on" in part[4]
            yield f"llhttp: {file.stem}: {title}", data, "error code" not in part[4] or paused, paused


def desync_cases(directory):
    """(name, bytes without the end of the head, tier)."""
    import yaml
    for file in sorted(directory.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text()):
            tier = case["expected"]["tier"].lower()
            fields = [(str(f.get("name") or ""), str(f.get("value") if f.get("value") is not None else ""))
                      for f in case.get("headers") or []]
            text = f"{case['method']} {case['uri'] or ''} {case.get('version') or ''}\r\n"
            text += "".join(f"{name}: {value}\r\n" for name, value in fields)
            encoding = "utf-8" if ord(max(text)) > 255 else "latin-1"
            yield f"desync: {file.stem}: {case['name']}", text.encode(encoding), tier


def with_host(data, each):
    """With a Host, which the collections leave out where it is not the point: in each request, or in the first."""
    def add(line):
        head = data[line.end():].partition(b"\r\n\r\n")[0]
        return line[0] if re.search(rb"^host[ \t]*:", head, re.I | re.M) else line[0] + b"Host: localhost\r\n"

    return re.sub(rb"^[A-Za-z_-]+ .*HTTP/1\.[1-9] *\r\n", add, data, count=0 if each else 1, flags=re.M)


class Server:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "serve", "--model", "fixed_pool:threads=4", "--listen", "127.0.0.1:0",
                                         "--header-timeout", "0.3s", "--body-timeout", "0.3s", "--idle-timeout", "0.3s"],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])

    def ask(self, data):
        """The statuses of the answers to these bytes, and whether the server ended the connection after them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as connection:
            connection.sendall(data)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        # Bodies of this server have no line that looks like a status line.
        return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3}) ", received, re.M)], received

    def end(self):
        self.process.terminate()
        self.process.stdout.read()
        return self.process.wait(timeout=TIMEOUT_S)


def verdicts(program, directory):
    """(name, what was wanted, what was given) of every case whose verdict is another one than wanted."""
    server = Server(program)
    count = 0
    try:
        for name, data, accepted, paused in llhttp_cases(directory / "llhttp"):
            count += 1
            # Some cases end where llhttp sees the fault, and this server sees it at the end of the head.
            statuses, _ = server.ask(with_host(data, accepted) + (b"" if accepted else b"\r\n\r\n"))
            refused = set(statuses[:1] if paused else statuses) & REFUSALS
            if accepted == bool(refused):
                yield name, "accepted" if accepted else "refused", statuses
        for name, data, tier in desync_cases(directory / "desync"):
            count += 1
            data = with_host(data, False) + b"\r\n"
            statuses, received = server.ask(data)
            refused = bool(set(statuses) & REFUSALS)
            if tier == "severe" and not (statuses == [400] and b"Connection: close" in received):
                yield name, "400 and close", statuses
            if tier == "compliant" and refused:
                yield name, "served", statuses
        if server.ask(b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[0] != [200]:
            yield "afterwards", "served", []
    finally:
        if (code := server.end()) != 0:
            yield "the end of the server", "0", code
    print(f"{count} cases")


def main():
    program, directory = sys.argv[1], Path(sys.argv[2])
    if not directory.is_dir():
        print(f"skipped: {directory} is not there")
        return 77
    try:
        import yaml  # noqa: F401
    except ImportError:
        print("skipped: python3-yaml is missing")
        return 77
    failed = False
    found = set()
    for name, wanted, given in verdicts(program, directory):
        found.add(name)
        if name not in DIFFERENCES:
            print(f"{name}: wanted {wanted}, given {given}")
            failed = True
    for name in set(DIFFERENCES) - found:
        print(f"{name}: the difference is none any more")
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
