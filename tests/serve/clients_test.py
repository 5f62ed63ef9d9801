"""Real clients speak with the server, on every model: curl, Python's http.client, and h11 and Node where they are installed.

    clients_test.py PRECIPICE CLIENT

CLIENT is curl, python, h11 or node. 77: it is missing.
"""
import http.client
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

MODELS = ["thread_per_request", "fixed_pool:threads=8", "event_loop", "io_uring", "work_stealing"]
TIMEOUT_S = 60
PLAIN = b"Hello, world!"
# What a client sends, and the status that it gets: every way in which the server answers.
ANSWERS = [
    (b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    (b"HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    (b"GET /work?seed=9 HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    (b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200),
    (b"GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
    (b"GET /work?seed=x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /plain HTTP/1.1\r\n\r\n", 400),
    (b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    (b"DELETE /plain HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"GET /pl", 408),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 408),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET /plain HTTP/1.1\r\nHost: a\r\nExpect: a cake\r\n\r\n", 417),
    (b"GET /plain HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 20000 + b"\r\n\r\n", 431),
    (b"FROB /plain HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"GET /plain HTTP/2.0\r\nHost: a\r\n\r\n", 505),
]


class Server:
    def __init__(self, program, model, *options):
        self.process = subprocess.Popen([program, "serve", "--model", model, "--listen", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.stdout.read()
        assert self.process.wait(timeout=TIMEOUT_S) == 0, "the server ends with 0"

    def exchange(self, request):
        """All bytes that come back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as connection:
            connection.sendall(request)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        return received


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def with_curl(server):
    def curl(*arguments, **options):
        return subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(TIMEOUT_S), *arguments],
                              stdout=subprocess.PIPE, timeout=2 * TIMEOUT_S, check=True, **options).stdout

    equal(curl(server.url + "/plain"), PLAIN, "GET")
    equal(curl("--http1.0", server.url + "/plain"), PLAIN, "HTTP/1.0")
    connects = curl(*[f"{server.url}/plain"] * 3, "--write-out", "%{num_connects}", "--output", "/dev/null", "--output", "/dev/null",
                    "--output", "/dev/null")
    equal(connects, b"100", "connections of three requests in a row")
    equal(len(curl("--head", server.url + "/plain").split(b"\r\n\r\n")[1]), 0, "the body of an answer to HEAD")
    body = bytes(range(256)) * 2000
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        for how in ([], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"],
                    ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]):
            equal(curl("--data-binary", "@" + file.name, *how, server.url + "/echo"), body, f"an echo with {how}")
    equal(len(curl(server.url + "/work?seed=7").strip()), 16, "the digits of a digest")
    equal(curl("--output", "/dev/null", "--write-out", "%{http_code}", server.url + "/nothing"), b"404", "another path")


def with_python(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    for _ in range(3):
        for method, path, body, status in [("GET", "/plain", None, 200), ("POST", "/echo", b"x" * 70000, 200),
                                           ("GET", "/nothing", None, 404), ("PUT", "/echo", b"x" * 1000, 405),
                                           ("HEAD", "/work?seed=1", None, 200)]:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read()
            equal(answer.status, status, f"{method} {path}")
            if path == "/echo" and status == 200:
                equal(text, body, "an echo")
    connection.request("POST", "/echo", iter([b"a" * 100, b"b" * 5000]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    equal(connection.getresponse().read(), b"a" * 100 + b"b" * 5000, "an echo in chunks")
    connection.close()
    # Slow clients: where a connection waits without a thread, they are in nobody's way.
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100 if server.asynchronous else 4)]
    for each in slow:
        each.sendall(b"GET /plain HTTP/1.1\r\nHost:")
    other = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    other.request("GET", "/plain")
    equal(other.getresponse().read(), PLAIN, "an answer beside slow clients")
    for each in slow:
        each.sendall(b" a\r\n\r\n")
    for each in slow:
        assert each.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        each.close()


def with_h11(server):
    import h11
    for request, status in ANSWERS:
        connection = h11.Connection(h11.CLIENT)
        method = b"HEAD" if request.startswith(b"HEAD") else b"GET"
        connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"a")]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(server.exchange(request))
        connection.receive_data(b"")
        answer = connection.next_event()
        while isinstance(answer, h11.InformationalResponse):
            answer = connection.next_event()
        equal(answer.status_code, status, request[:60])
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            assert isinstance(event, h11.Data), event


NODE = """
const http = require("http"), net = require("net");
const [port, text] = process.argv.slice(2);
const answers = JSON.parse(text);
// Node's own client reads each answer: the request that it believes to have sent is replaced on the way.
async function ask([request, status]) {
  const method = request.startsWith("HEAD") ? "HEAD" : "GET";
  await new Promise((resolve, reject) => {
    const sent = http.request({port, method, createConnection: () => {
      const socket = net.connect(port, "127.0.0.1");
      const write = socket.write.bind(socket);
      let first = true;
      socket.write = (data, ...rest) => {
        if (!first) return true;
        first = false;
        return write(Buffer.from(request, "latin1"));
      };
      socket._writev = null;
      return socket;
    }}, answer => {
      answer.resume();
      answer.on("end", () => {
        if (answer.statusCode === status) resolve();
        else reject(new Error(`${request.slice(0, 60)}: ${answer.statusCode}, not ${status}`));
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}
(async () => { for (const each of answers) await ask(each); process.exit(0); })()
  .catch(error => { console.error(error.message); process.exit(1); });
"""


def with_node(server):
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "client.js"
        script.write_text(NODE)
        subprocess.run(["node", str(script), str(server.port), json.dumps([[r.decode("latin-1"), s] for r, s in ANSWERS])],
                       timeout=2 * TIMEOUT_S, check=True)


CLIENTS = {"curl": (with_curl, lambda: shutil.which("curl")), "python": (with_python, lambda: True),
           "h11": (with_h11, lambda: importlib.util.find_spec("h11")), "node": (with_node, lambda: shutil.which("node"))}


def main():
    program, name = sys.argv[1:]
    ask, found = CLIENTS[name]
    if not found():
        print(f"skipped: {name} is missing")
        return 77
    # Every way to answer ends with the connection: a wait for the next request is short.
    hasty = ["--idle-timeout", "0.2s", "--header-timeout", "0.2s", "--body-timeout", "0.2s"] if name in ("h11", "node") else []
    for model in MODELS:
        try:
            with Server(program, model, *hasty) as server:
                server.asynchronous = model in ("event_loop", "io_uring", "work_stealing", "thread_per_request")
                ask(server)
        except AssertionError as error:
            print(f"{model}: {error}")
            return 1
        print(f"{model}: as wanted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
