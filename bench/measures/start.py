"""What it costs to begin: starting the interpreter, importing from the library, compiling source."""
import subprocess
import sys
import time

def measure(name, value, unit):
    print(name, "%.4g" % value, unit, sep="\t")

def run(*arguments):
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began

def main():
    for name, arguments in (("-c pass", ["-c", "pass"]), ("-S -c pass", ["-S", "-c", "pass"]), ("import json", ["-c", "import json"]), ("import asyncio", ["-c", "import asyncio"]),
                            ("import typing, dataclasses, enum, re", ["-c", "import typing, dataclasses, enum, re"])):
        run(*arguments)
        measure(name, min(run(*arguments) for _ in range(7)) * 1e3, "ms")
    import ast, os
    sources = []
    for module in (ast, os):
        with open(module.__file__) as file:
            sources.append(file.read())
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        for source in sources:
            compile(source, "source", "exec")
        best = min(best, time.perf_counter() - began)
    measure("compile, a thousand lines", best * 1e3 / (sum(s.count("\n") for s in sources) / 1000), "ms")

if __name__ == "__main__":
    main()
