"""The tour's cell that computes in interpreters while threads in them fetch with `requests`: as it stands in the notebook, but for the host, which is this machine.

    PYTHONPATH=.cache/site typhon tests/tour_requests.py

The server answers when three requests are there at the same time, or after some seconds. Everything has to arrive, be right, and have been on its way
together.
"""

import collections
import http.server
import json
import math
import os
import sys
import threading

try:
    import requests
except ImportError:
    print("0 passed, 0 failed, 1 skipped (requests is not here: tools/setup requests)")
    sys.exit()

NOTEBOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "examples", "tour", "tour.ipynb")
HOST = "https://httpbin.org"
together = collections.Counter()
changed = threading.Condition()
PATIENCE = 4  # seconds: the cell's own is 5


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with changed:
            together["now"] += 1
            together["most"] = max(together["most"], together["now"])
            together["all"] += 1
            changed.notify_all()
            changed.wait_for(lambda: together["most"] >= 3, PATIENCE)
        body = json.dumps({"path": self.path, "agent": self.headers["User-Agent"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with changed:
            together["now"] -= 1
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def cell():
    with open(NOTEBOOK, encoding="utf-8") as file:
        sources = ["".join(cell["source"]) for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    return next(source for source in sources if HOST in source)


failed = 0


def check(fine, what):
    global failed
    if not fine:
        failed += 1
        print("failed:", what)


if __name__ == "__main__":
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    for round in range(2):
        together.clear()
        exec(compile(cell().replace(HOST, host), "<cell>", "exec"))
        check(all_results.keys() == {f"cpu_{i}" for i in range(10)} | {f"io_{host}/delay/1", f"io_{host}/delay/2"}, sorted(all_results))
        check(all(all_results[f"cpu_{i}"] == sum(math.factorial(n) for n in range(100 + i * 5, 110 + i * 5)) for i in range(10)), "factorials")
        agent = requests.utils.default_user_agent()
        for n in 1, 2:
            length = len(json.dumps({"path": f"/delay/{n}", "agent": agent}))
            check(all_results.get(f"io_{host}/delay/{n}") == f"Status: 200, Length: {length}", all_results.get(f"io_{host}/delay/{n}"))
        check(together["all"] == 4, f"{together['all']} requests")
        check(together["most"] >= 3, f"{together['most']} requests at most at the same time")
    server.shutdown()
    server.server_close()
    print(f"{12 - failed} passed, {failed} failed, 0 skipped")
    sys.exit(failed > 0)
