import mmap, tempfile
m = mmap.mmap(-1, 10)
m[:3]=b'abc'

def t(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__name__, e)
print(m, list(m)[:4], b'a' in m, 97 in m)
t(lambda: m['a'])
def d(k):
    del m[k]
def s(k,v): m[k]=v
t(lambda: d(0)); t(lambda: d(slice(0,2))); t(lambda: s(0,'a')); t(lambda: s(0,300)); t(lambda: s(slice(0,2),b'abc')); t(lambda: s(slice(0,2),'ab')); t(lambda: s('x',1)); t(lambda: s(0,b'a')); t(lambda: s(100,1)); t(lambda: m[100]); t(lambda: m[::-1]); t(lambda:d('x'))
t(lambda: m.resize(-1)); t(lambda: m.resize(0)); t(lambda: m.resize(20)); t(lambda: m.resize(5)); print(m)
t(lambda: m.madvise(100)); t(lambda: m.madvise(0, -1)); t(lambda: m.madvise(0,0,-1)); t(lambda: m.madvise(0,100)); t(lambda: m.madvise(0,1))
t(lambda: m.flush(1)); t(lambda: m.flush(0,100)); t(lambda: m.flush(-1)); t(lambda:m.flush())
t(lambda: m.flush(0,-1))
t(lambda: m.move(-1,0,1)); t(lambda: m.move(0,0,100)); t(lambda: m.seek(0,5)); t(lambda: m.seek(-1)); t(lambda: m.seek(3)); t(lambda: m.write(b'xxxxxxxxxxxxxxxx')); t(lambda: m.write_byte(300)); t(lambda: m.write_byte('a')); t(lambda: m.write('a'))
t(lambda: m.find(b'')); t(lambda: m.find(b'b', -100)); t(lambda: m.find('b')); t(lambda: m.find(98)); t(lambda: m.rfind(b'a',0,1)); t(lambda: m.find(b'b',None,None)); t(lambda: m.find(b'a',1.5))
t(lambda: m.read(-1)); t(lambda: m.read(2)); t(lambda: m.read_byte()); t(lambda: m.read('a'))
v = memoryview(m); t(lambda: m.close()); t(lambda: m.resize(10)); print(v.readonly, v.format, v.itemsize)
del v
r = mmap.mmap(-1, 10, access=mmap.ACCESS_READ); t(lambda: r.resize(3)); t(lambda: r.write(b'a')); t(lambda: memoryview(r).readonly); t(lambda: r.flush()); t(lambda: r.move(0,0,0)); t(lambda: s(0,1)); r[1]
t(lambda: r.__setitem__(0,1))
q = mmap.mmap(-1, 10, mmap.MAP_PRIVATE); t(lambda: q.resize(20)); t(lambda: q.size()); print(len(q))
t(lambda: mmap.mmap(-1, 5, trackfd=False).resize(3))
f = tempfile.TemporaryFile(); t(lambda: mmap.mmap(f.fileno(), 0)); f.write(b'x'*100); f.flush(); t(lambda: mmap.mmap(f.fileno(), 0, offset=4096)); t(lambda: mmap.mmap(f.fileno(), 101)); t(lambda: mmap.mmap(f.fileno(), 100, trackfd=False).size()); 
x = mmap.mmap(f.fileno(), 0); t(lambda: x.resize(5000)); print(len(x), x.size()); x.close(); print(x, x.closed); t(lambda: x.size()); t(lambda: len(x)); t(lambda: x[0]); t(lambda: x.resize(1)); t(lambda: x.close()); t(lambda: memoryview(x)); t(lambda: x.__enter__())
class S(mmap.mmap): pass
z=S(-1,3); z.a=1; t(lambda: z); t(lambda: hash(z)==hash(z)); t(lambda: z==z)
t(lambda: mmap.mmap(-1, 1, prot=mmap.PROT_READ)); t(lambda: mmap.mmap(-1,1,prot=mmap.PROT_WRITE))
t(lambda: mmap.mmap(-1,1)+b'a'); t(lambda: mmap.mmap(-1,1)*2)
with mmap.mmap(-1,3) as w: w[:]=b'\n\na'; print(w.readline(), w.readline(), w.readline(), w.readline())
print(mmap.error)
t(lambda: mmap.mmap(-1, 2**70)); t(lambda: mmap.mmap(2**40, 1)); t(lambda: mmap.mmap(-1,10,offset=2**70))
