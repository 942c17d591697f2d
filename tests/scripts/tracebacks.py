"""Tracebacks as text: positions under the line, chained exceptions, notes, recursion, syntax errors, suggestions."""
import traceback

def show(function):
    try:
        function()
    except BaseException as error:
        lines = traceback.format_exception(error)
        text = "".join(lines)
        import os
        print(text.replace(__file__, "FILE"))

def division(): return 1 / (0)
def index(): return [1, 2][3] + {"a": 1}["b"]
def attribute():
    value = "text"
    return value.upper().nope().strip()
def call():
    def needs(a, b): pass
    return needs(1)
def chained():
    try:
        division()
    except ZeroDivisionError as error:
        raise ValueError("second") from error
def context():
    try:
        division()
    except ZeroDivisionError:
        undefined_here
def noted():
    error = KeyError("with notes")
    error.add_note("first note")
    error.add_note("second\nline")
    raise error
def deep(n=0):
    return deep(n + 1) if n < 8 else 1 / 0
def multi():
    return (1 +
            [2,
             3][5] +
            4)
def comprehension(): return [1 / x for x in (1, 0)]
def generator(): return list(1 / x for x in (1, 0))
def lambda_(): return (lambda: {}["k"])()
class C:
    def method(self): return self.attribut
    attribute = 1
def suggestion(): C().method()
def name_suggestion():
    counter = 1
    return countr
def import_suggestion():
    from itertools import chai
def module_suggestion():
    import collectons
def builtin_suggestion(): prnt("x")
def with_statement():
    with open("/nonexistent/file") as f: pass
def assertion():
    x = 5
    assert x == 6, f"x was {x}"
def assertion_plain(): assert 1 > 2
def syntax(): compile("def f(:\n  pass", "<source>", "exec")
def indentation(): compile("if x:\ny", "<source>", "exec")
def group(): raise ExceptionGroup("many", [ValueError("a"), TypeError("b")])
def exec_code(): exec("1 / 0")
def binary(): return 1 + "a" * 2
def subscript():
    data = {"k": [1, 2]}
    return data["k"]["z"]
def wide(): return "日本語" + 1 + "é"
def from_none():
    try: division()
    except ZeroDivisionError: raise ValueError("only this") from None
def store():
    x = ()
    x[0] = 1
def delete():
    del {}["k"]
def unpack():
    a, b = [1, 2, 3]
def kwargs(): return dict(a=1)["a"](b=2)
for f in (division, index, attribute, call, chained, context, noted, deep, multi, comprehension, generator, lambda_, suggestion, name_suggestion, import_suggestion, module_suggestion,
          builtin_suggestion, with_statement, assertion, assertion_plain, syntax, indentation, group, exec_code, binary, subscript, wide, from_none, store, delete, unpack, kwargs):
    print("---", f.__name__)
    show(f)
def recursion():
    def forever(): return forever()
    forever()
try:
    recursion()
except RecursionError as error:
    text = "".join(traceback.format_exception(error))
    print("[Previous line repeated" in text, text.splitlines()[-1])
print(traceback.format_exception_only(ValueError("only")), traceback.extract_tb(None), len(traceback.extract_stack()))
