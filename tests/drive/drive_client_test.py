"""`precipice drive` as a process: TLS against Python's server, and HdrHistogram's log read by another decoder.

    drive_client_test.py PRECIPICE TLS|Log

77: openssl, which makes the certificate, is missing.
"""
import base64
import json
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def serve(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def drive(precipice, *arguments):
    return subprocess.run([precipice, "drive", *arguments, "--json"], capture_output=True, text=True, timeout=120)


def tls(precipice, directory):
    if shutil.which("openssl") is None:
        print("openssl is missing")
        return 77
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = serve(context)
    port = server.server_address[1]
    load = ("--rate", "100", "--connections", "4", "--seconds", "0.5", "--warmup", "0")

    trusted = subprocess.run([precipice, "drive", "--target", f"https://127.0.0.1:{port}/", *load, "--json"],
                             capture_output=True, text=True, timeout=120, env={"SSL_CERT_FILE": str(certificate)})
    counts = json.loads(trusted.stdout)["counts"]
    assert counts["completed"] == counts["sent"] > 0, counts

    unknown = drive(precipice, "--target", f"https://127.0.0.1:{port}/", *load)
    assert unknown.returncode == 4 and "self-signed certificate" in unknown.stderr, unknown

    insecure = drive(precipice, "--target", f"https://127.0.0.1:{port}/", *load, "--insecure")
    counts = json.loads(insecure.stdout)["counts"]
    assert counts["completed"] == counts["sent"] > 0, counts

    plain = serve()
    wrong = drive(precipice, "--target", f"https://127.0.0.1:{plain.server_address[1]}/", *load)
    assert wrong.returncode == 4, wrong
    return 0


def histogram_of(text):
    """{highest value of the bucket in ns: count}, from HdrHistogram's description of its V2 encoding."""
    compressed = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack(">II", compressed[:8])
    assert cookie == 0x1C849314 and length == len(compressed) - 8, (hex(cookie), length)
    payload = zlib.decompress(compressed[8:])
    cookie, length, offset, digits, lowest, highest, ratio = struct.unpack(">IIIIQQd", payload[:40])
    assert cookie == 0x1C849313 and length == len(payload) - 40, (hex(cookie), length)
    assert (offset, digits, lowest, ratio) == (0, 3, 1, 1.0) and highest == 3600 * 10**9
    counts, at, index = {}, 40, 0
    while at < len(payload):
        value = shift = 0
        for byte in range(9):
            part = payload[at]
            at += 1
            value |= (part if byte == 8 else part & 0x7F) << shift
            shift += 7
            if byte == 8 or not part & 0x80:
                break
        count = (value >> 1) ^ -(value & 1)
        if count < 0:
            index -= count
            continue
        # 2,048 values of 1 ns, then 1,024 of twice the unit in each further power of two.
        bucket = max(0, index // 1024 - 1)
        low = (index - 1024 * bucket) << bucket
        counts[low + (1 << bucket) - 1] = count
        index += 1
    return counts


def log(precipice, directory):
    server = serve()
    seconds, logged, distribution = directory / "s.ndjson", directory / "d.hlog", directory / "d.hgrm"
    done = drive(precipice, "--target", f"http://127.0.0.1:{server.server_address[1]}/", "--rate", "200", "--connections", "4",
                 "--seconds", "3", "--warmup", "1", "--ndjson", str(seconds), "--hdr-log", str(logged), "--hgrm", str(distribution))
    trial = json.loads(done.stdout)
    told = [json.loads(line) for line in seconds.read_text().splitlines()]
    assert [each["second"] for each in told] == list(range(len(told))) and len(told) >= 4, told
    assert told[0]["warmup"] and not told[1]["warmup"]
    assert sum(each["completed"] for each in told[1:]) >= trial["counts"]["completed"] > 0

    lines = logged.read_text().splitlines()
    assert lines[0] == "#[Histogram log format version 1.3]" and lines[1].startswith("#[StartTime: ")
    assert lines[2] == '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
    window = [each for each in told if not each["warmup"]]
    assert len(lines) - 3 == len(window)
    for line, second in zip(lines[3:], window):
        start, length, longest, text = line.split(",")
        assert (float(start), float(length)) == (second["second"], 1)
        counts = histogram_of(text)
        assert sum(counts.values()) == second["completed"]
        if not counts:
            continue
        assert max(counts) == second["max_ns"] and abs(float(longest) - max(counts) / 1e6) < 0.001
        rank, seen = -(-second["completed"] * 99 // 100), 0
        for value in sorted(counts):
            seen += counts[value]
            if seen >= rank:
                assert value == second["p99_ns"], (value, second)
                break
    # What was cut off at the deadline is in it, as a lower bound.
    kept = trial["counts"]["completed"] + trial["counts"]["unfinished"]
    assert f"Total count    = {kept:>12}" in distribution.read_text()
    return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.exit({"TLS": tls, "Log": log}[sys.argv[2]](sys.argv[1], Path(made)))
