"""Programs over TLS, against servers of this process with certificates made by the openssl command.

    typhon tests/programs/tls.py [--every] [CHECK...]

Each check is a function of its own. The connections that a proxy cuts are cut at some bytes of the handshake, with --every at each. The last line counts: N passed,
N failed, N skipped.
"""

import asyncio
import contextlib
import gc
import http.server
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
import urllib.error
import urllib.request

SITE = os.path.join(os.path.dirname(__file__), "..", "..", ".cache", "site")
folder = tempfile.mkdtemp()
checks = []


def check(function):
    checks.append(function)
    return function


class Skipped(Exception):
    pass


# --- certificates ---------------------------------------------------------------------------------------------------------------


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificate(name, names):
    """name.pem, signed by the authority, and name.key."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    with open(os.path.join(folder, f"{name}.ext"), "w") as file:
        file.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
                   "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2", "-out", f"{name}.pem",
            "-extfile", f"{name}.ext")


def make_certificates():
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", "authority.key", "-out", "authority.pem",
            "-subj", "/CN=An authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    make_certificate("here", "DNS:localhost,IP:127.0.0.1")
    make_certificate("elsewhere", "DNS:elsewhere.example,IP:10.1.2.3")
    make_certificate("client", "DNS:client.example")


def path(name):
    return os.path.join(folder, name)


def server_context(name="here"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path(f"{name}.pem"), path(f"{name}.key"))
    return context


def client_context():
    return ssl.create_default_context(cafile=path("authority.pem"))


# --- servers ------------------------------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/moved":
            self.answer(302, b"", Location="/there")
        elif self.path == "/big":
            self.answer(200, b"0123456789abcdef" * 300000)
        elif self.path == "/missing":
            self.answer(404, b"nothing here")
        elif self.path == "/parts":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.answer(200, b"hello from " + self.path.encode())

    def do_POST(self):
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, address):
        pass


@contextlib.contextmanager
def serving(context):
    server = Server(context)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def raised(function, *kinds):
    try:
        function()
    except kinds as error:
        return error
    raise AssertionError(f"none of {[kind.__name__ for kind in kinds]} was raised")


# --- HTTP ----------------------------------------------------------------------------------------------------------------------------


@check
def urllib_over_https():
    with serving(server_context()) as port:
        def get(name, data=None):
            with urllib.request.urlopen(f"https://localhost:{port}{name}", data, context=client_context(), timeout=20) as answer:
                return answer.read()
        assert get("/there") == b"hello from /there"
        assert get("/moved") == b"hello from /there"
        assert get("/parts") == b"one two three"
        assert get("/big") == b"0123456789abcdef" * 300000
        assert get("/", b"abc" * 100000) == b"cba" * 100000
        error = raised(lambda: get("/missing"), urllib.error.HTTPError)
        with error:
            assert error.code == 404 and error.read() == b"nothing here"


@check
def requests_over_https():
    sys.path.append(SITE)
    try:
        import requests
    except ImportError:
        raise Skipped("requests is not here")
    with serving(server_context()) as port, requests.Session() as session:
        session.trust_env = False
        session.verify = path("authority.pem")
        base = f"https://localhost:{port}"
        assert session.get(base + "/there").text == "hello from /there"
        moved = session.get(base + "/moved")
        assert moved.text == "hello from /there" and [step.status_code for step in moved.history] == [302]
        assert session.get(base + "/parts").content == b"one two three"
        assert len(session.get(base + "/big").content) == 4800000
        assert session.post(base, data=b"abc" * 100000).content == b"cba" * 100000
        assert session.get(base + "/missing").status_code == 404
        raised(lambda: requests.get(base, timeout=20), requests.exceptions.SSLError)  # an authority that nobody knows
    with serving(server_context("elsewhere")) as port:
        error = raised(lambda: requests.get(f"https://localhost:{port}", verify=path("authority.pem"), timeout=20), requests.exceptions.SSLError)
        assert "elsewhere.example" in str(error) or "Hostname mismatch" in str(error), str(error)
    raised(lambda: requests.get(f"https://localhost:{port}", timeout=20), requests.exceptions.ConnectionError)  # the server is gone


@check
def certificates_that_do_not_match():
    def get(context, host, port):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
            return secure.getpeercert()

    with serving(server_context("elsewhere")) as port:
        error = raised(lambda: get(client_context(), "localhost", port), ssl.SSLCertVerificationError)
        assert error.verify_code == 62 and error.reason == "CERTIFICATE_VERIFY_FAILED" and error.library == "SSL"
        assert error.verify_message == "Hostname mismatch, certificate is not valid for 'localhost'.", error.verify_message
        error = raised(lambda: get(client_context(), "127.0.0.1", port), ssl.SSLCertVerificationError)
        assert error.verify_message == "IP address mismatch, certificate is not valid for '127.0.0.1'.", error.verify_message
        error = raised(lambda: get(ssl.create_default_context(), "elsewhere.example", port), ssl.SSLCertVerificationError)
        assert error.verify_code in (19, 20), error
        certificate = get(client_context(), "elsewhere.example", port)
        assert certificate["subjectAltName"] == (("DNS", "elsewhere.example"), ("IP Address", "10.1.2.3")), certificate
        assert certificate["subject"] == ((("commonName", "elsewhere"),),) and certificate["issuer"] == ((("commonName", "An authority"),),)
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        nobody.check_hostname = False
        nobody.verify_mode = ssl.CERT_NONE
        assert get(nobody, None, port) == {}


@check
def clients_with_certificates():
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(path("authority.pem"))
    with serving(context) as port:
        known = client_context()
        known.load_cert_chain(path("client.pem"), path("client.key"))
        assert urllib.request.urlopen(f"https://localhost:{port}/there", context=known, timeout=20).read() == b"hello from /there"
        raised(lambda: urllib.request.urlopen(f"https://localhost:{port}", context=client_context(), timeout=20).read(), OSError)


# --- threads ---------------------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def connected_pair():
    listener = socket.create_server(("127.0.0.1", 0))
    ends = []

    def accept():
        ends.append(server_context().wrap_socket(listener.accept()[0], server_side=True))
    thread = threading.Thread(target=accept)
    thread.start()
    client = client_context().wrap_socket(socket.create_connection(listener.getsockname()), server_hostname="localhost")
    thread.join()
    listener.close()
    with client, ends[0] as server:
        yield client, server


@check
def both_directions_at_once():
    """Of one connection, two threads at each end: one reads, one writes."""
    amount = 3_000_000
    got = {}

    def send(end, byte):
        data = bytes([byte]) * 50000
        for _ in range(amount // len(data)):
            end.sendall(data)

    def receive(end, byte):
        count = 0
        while count < amount:
            part = end.recv(70000)
            assert part and part.count(byte) == len(part)
            count += len(part)
        got[byte] = count

    with connected_pair() as (client, server):
        threads = [threading.Thread(target=work) for work in (
            lambda: send(client, 1), lambda: receive(server, 1), lambda: send(server, 2), lambda: receive(client, 2))]
        for thread in threads:
            thread.start()
        for _ in range(5):
            gc.collect()
        for thread in threads:
            thread.join()
    assert got == {1: amount, 2: amount}, got


@check
def waiting_readers_hold_nothing_up():
    """A thread that waits for bytes that do not come keeps neither the other end of its connection nor a collection waiting."""
    with connected_pair() as (client, server):
        received = []
        thread = threading.Thread(target=lambda: received.append(client.recv(10)))
        thread.start()
        for _ in range(3):
            gc.collect()
            client.sendall(b"question")
            assert server.recv(8) == b"question"
        server.sendall(b"answer")
        thread.join()
        assert received == [b"answer"]
        client.settimeout(0.05)
        raised(lambda: client.recv(1), TimeoutError)
        server.sendall(b"x")
        client.settimeout(5)
        assert client.recv(1) == b"x"


@check
def many_clients():
    before = descriptors()
    with serving(server_context()) as port:
        context = client_context()
        failures = []

        def work(number):
            try:
                for turn in range(5):
                    with urllib.request.urlopen(f"https://localhost:{port}/{number}/{turn}", context=context, timeout=30) as answer:
                        assert answer.read() == f"hello from /{number}/{turn}".encode()
            except Exception as error:
                failures.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
    gc.collect()
    assert descriptors() <= before, (before, descriptors())


@check
def asyncio_streams():
    async def echo(reader, writer):
        while data := await reader.read(10000):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def talk(port, text):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(), server_hostname="localhost")
        writer.write(text)
        answer = await reader.readexactly(len(text))
        assert writer.get_extra_info("peercert")["subject"] == ((("commonName", "here"),),)
        writer.close()
        await writer.wait_closed()
        return answer

    async def main():
        async with await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context()) as server:
            port = server.sockets[0].getsockname()[1]
            texts = [bytes([i]) * 100000 for i in range(10)]
            assert await asyncio.gather(*(talk(port, text) for text in texts)) == texts
    asyncio.run(main())


# --- connections that are cut --------------------------------------------------------------------------------------------------------------


class Cutter:
    """Stands between a client and a server, and cuts both connections when so many bytes have passed in one direction."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.passed = [0, 0]

    def one(self, direction, limit, reset):
        """Serves one connection; limit None: as long as it lasts."""
        client = self.listener.accept()[0]
        server = socket.create_connection(("127.0.0.1", self.server_port))
        self.passed = [0, 0]
        lock = threading.Lock()

        def cut():
            with lock:
                for end in (client, server):
                    with contextlib.suppress(OSError):
                        if reset:
                            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        end.shutdown(socket.SHUT_RDWR)

        def pump(source, target, number):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    room = limit - self.passed[number] if limit is not None and number == direction else len(data)
                    self.passed[number] += len(data[:room])
                    target.sendall(data[:room])
                    if room <= len(data) and limit is not None and number == direction:
                        break
            cut()
        if limit == 0:
            cut()
        back = threading.Thread(target=pump, args=(server, client, 1))
        back.start()
        pump(client, server, 0)
        back.join()
        client.close()
        server.close()


def cut_handshakes(version, step):
    server = server_context()
    context = client_context()
    context.maximum_version = version
    with serving(server) as port:
        cutter = Cutter(port)

        def connect(direction, limit, reset):
            thread = threading.Thread(target=cutter.one, args=(direction, limit, reset))
            thread.start()
            try:
                with socket.create_connection(("127.0.0.1", cutter.port), timeout=20) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost") as secure:
                        secure.sendall(b"GET /there HTTP/1.0\r\n\r\n")
                        answer = b""
                        while part := secure.recv(1000):
                            answer += part
                        return answer
            finally:
                thread.join()
        assert connect(0, None, False).endswith(b"hello from /there")
        lengths = list(cutter.passed)
        outcomes = {}
        for direction in (0, 1):
            for reset in (False, True):
                for limit in range(0, lengths[direction], step):
                    before = descriptors()
                    try:
                        outcome = "an answer" if connect(direction, limit, reset).endswith(b"there") else "a part of an answer"
                    except (ssl.SSLError, ConnectionError, TimeoutError) as error:
                        outcome = type(error).__name__
                        assert not isinstance(error, (TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLCertVerificationError)), error
                        del error
                    outcomes[outcome] = outcomes.get(outcome, 0) + 1
                    for _ in range(200):  # the server's thread of the connection may be about to close it
                        if descriptors() <= before:
                            break
                        threading.Event().wait(0.005)
                    assert descriptors() <= before, (direction, limit, reset, before, descriptors())
        cutter.listener.close()
        assert "SSLEOFError" in outcomes, outcomes


STEP = 1 if "--every" in sys.argv else 97


@check
def cut_handshakes_of_tls_1_3():
    cut_handshakes(ssl.TLSVersion.TLSv1_3, STEP)


@check
def cut_handshakes_of_tls_1_2():
    cut_handshakes(ssl.TLSVersion.TLSv1_2, STEP)


def main():
    only = [name for name in sys.argv[1:] if not name.startswith("-")]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if not shutil.which("openssl"):
        print("0 passed, 0 failed, 1 skipped (there is no openssl command)")
        return 0
    try:
        make_certificates()
        for function in checks:
            if only and function.__name__ not in only:
                continue
            outcome = "passed"
            try:
                function()
            except Skipped as reason:
                print(f"{function.__name__}: skipped: {reason}")
                outcome = "skipped"
            except BaseException:
                print(f"{function.__name__}: failed")
                traceback.print_exc(file=sys.stdout)
                outcome = "failed"
            counts[outcome] += 1
    finally:
        shutil.rmtree(folder)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["failed"] else 0


sys.exit(main())
