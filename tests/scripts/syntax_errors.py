"""What the compiler refuses, with its message and position."""
cases = r"""
x = = 1
if x
    y
def f(
def f(a, a): pass
def f(a=1, b): pass
def f(*): pass
def f(**k, a): pass
return 1
yield 1
break
continue
x = (1, 2
x = [1, 2)
x = 'abc
x = 1 +
print "hello"
exec "code"
a b
import
from x import
from . import *
def f(): from x import *
class C: return 1
for x in : pass
while : pass
try: pass
raise x from
lambda x: = 1
x = 5a
x = 0777
x = 1__0
x = 0xg
f(a=1, 2)
f(**a, *b)
f(a for a in b, c)
f(a=1, a=2)
f(1=2)
f(True=1)
if x = 1: pass
x := 1
(x := 1) = 2
nonlocal x
def f(): nonlocal y
def f(x): global x
def f(): x = 1; global x
def f(): print(x); global x
class C: nonlocal z
async x
await x
def f(): await x
async def f(): [await x for x in y]; yield from z
@
del
assert
with x as: pass
x = {1: 2, 3}
x = {1, 2: 3}
x = {**a, 1}
x = {1:}
'\N{no such name}'
'\x1'
b'é'
'\u12'
else: pass
elif x: pass
except: pass
try: pass\nexcept: pass\nexcept A: pass
try: pass\nexcept A: pass\nexcept* B: pass
try: pass\nfinally: pass\nelse: pass
try: pass\nexcept A, B as e: pass
for x in y: pass\n  else: pass
  x = 1
if 1:\nx
if 1:\n\tx\n        y
x = 1\n  y = 2
import a.b as c.d
from a import b as c.d
from a import (b, c
from a import b,
from __future__ import nope
x = 1\nfrom __future__ import annotations
from __future__ import braces
a, b += 1
x: int: str
(x, y): int = 1
x.y: int = 1; x[0]: int
*x
*x, y
print(*x for x in y)
x if y
x if y else
not
x not y
x is not
x <> y
x ! y
$
?
x = `a`
a?b
!x
match x:\n case 1
match x:\n pass
class C(x for x in y): pass
class C[T]: pass; T = 1
type X = 
type X[T] 
def f[T: int = str](): pass
def f[](): pass
"a" b"c"
f"{x" 
f"{x!}" 
f"{}" 
f"{x:{}}" 
f'{x!r:^{width}' 
t"{}" 
\
x = \ 1
0_7
1_
1.e
1e+
1jx
0b12
0o8
a.1
a..b
...x
x...
def f(a, /, b, /): pass
def f(/, a): pass
def f(a, *, /): pass
def f(*a, *b): pass
def f(*, **k): pass
def f(a, *b=1): pass
def f(1): pass
def f(a.b): pass
def f((a, b)): pass
lambda *: 1
None = 1
f() = 1
f().x = 1; f()[0] = 1; x + 1 = 2
[a, 1] = x
for f() in x: pass
with f() as g(): pass
del a + b
del (a, b()), c
(yield) = 1
async def f(): return (yield 1), await x
async with x: pass
async for x in y: pass
__debug__ = 1
def __debug__(): pass
def f(__debug__): pass
import __debug__
True = 1
x.True = 1
f(None=1)
def True(): pass
class None: pass
import None
global x; x = 1
if True: global q
""".strip("\n").split("\n")
import warnings
warnings.simplefilter("ignore")
for case in cases:
    source = case if case[:2] in ("'\\", "b'") or case[0] == "\\" else case.replace("\\n", "\n").replace("\\t", "\t")
    try:
        compile(source, "<case>", "exec")
        print(f"{case!r}: compiles")
    except SyntaxError as error:
        print(f"{case!r}: {type(error).__name__}: {error.msg} ({error.lineno}:{error.offset}-{error.end_lineno}:{error.end_offset})")
