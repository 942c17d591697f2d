# _sqlite3: what it refuses and how it says so; callbacks; threads.
import sqlite3, threading, warnings
warnings.simplefilter('always')
def t(f,*a,**k):
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter('always')
        try: print(ascii(f(*a, **k))[:200].split(" at 0x")[0])
        except BaseException as e: print(type(e).__name__, ascii(str(e)), getattr(e,'sqlite_errorcode',''), getattr(e,'sqlite_errorname',''))
        for x in w:
            if x.category is DeprecationWarning: print('   W', x.message)
C=sqlite3.connect
warnings.simplefilter('ignore', ResourceWarning)
t(C); t(C,':memory:',3); t(C,':memory:',3,0,'',True,sqlite3.Connection,3,True); t(C,':memory:',3,0,'',True,sqlite3.Connection,3,True,4); t(C, database=':memory:'); t(C, ':memory:', foo=1); t(sqlite3.Connection,':memory:',3); t(C,3); t(C,':memory:','a'); t(C,':memory:',isolation_level='x'); t(C,':memory:',isolation_level=3); t(C,':memory:',isolation_level='DEFERRED\0'); t(C,':memory:',autocommit=3); t(C,':memory:',autocommit=None);t(C,'a\0b'); t(C,'/nonexistent/x'); t(C,b':memory:'); t(sqlite3.Connection.__new__(sqlite3.Connection).cursor); t(sqlite3.Connection.__new__(sqlite3.Connection).close); t(C,':memory:',cached_statements=-1); t(C,':memory:',detect_types='a'); t(C,':memory:',factory=int); t(C,':memory:',factory=3); t(C,':memory:',isolation_level='EXCLUSIVE')
c=C(':memory:'); x=c.cursor()
t(lambda:c.isolation_level); t(setattr,c,'isolation_level',3); t(setattr,c,'isolation_level','bogus'); t(setattr,c,'isolation_level','immediate'); t(lambda:c.isolation_level); t(setattr,c,'isolation_level',None); t(delattr,c,'isolation_level'); t(setattr,c,'autocommit',5); t(lambda:c.autocommit); t(delattr,c,'row_factory'); t(delattr,c,'autocommit'); t(lambda: c.in_transaction);t(lambda: c.total_changes); t(setattr,c,'in_transaction',3)
t(x.execute); t(x.execute,3); t(x.execute,''); t(x.execute,'select 1;select 2'); t(x.execute,'select 1 -- c'); t(x.execute,'select \0'); t(x.execute,'select ?'); t(x.execute,'select ?',(1,2)); t(x.execute,'select ?',[1]); t(x.execute,'select ?',3); t(x.execute,'select :a',{'b':1}); t(x.execute,'select :a',(1,)); t(x.execute,'select ?',{'b':1}); t(x.execute,'select ?',(object(),)); t(x.execute,'select ?',(2**64,)); t(x.execute,'select ?',('\ud800',)); t(x.execute,'selec'); t(x.execute,'select * from nope'); t(x.execute, 'select ?', {1}); t(x.execute,'select ?1, ?3',(1,2,3)); t(x.execute,'select \ud800')
t(x.executemany,'select ?',[(1,)]); t(x.executemany,'insert into x values(?)',3); t(x.executemany); t(x.executescript,3); t(x.executescript,'select 1; selec'); t(x.executescript,'a\0'); t(x.executescript,b'select')
t(x.fetchone); t(x.fetchmany,'a'); t(x.fetchmany,-1); t(x.fetchall); t(lambda:(x.rowcount,x.lastrowid,x.description,x.arraysize)); t(setattr,x,'rowcount',1); t(setattr,x,'arraysize','a'); t(setattr,x,'arraysize',2**40); t(x.setinputsizes,3); t(x.setoutputsize,3,4); t(x.setoutputsize,'a');
t(c.create_function,'f',1,lambda a:a,); t(c.create_function,name='f',narg=1,func=print); t(c.create_function,'f',1); t(c.create_function,'f'*300,1,print); t(c.create_function,3,3,3); t(c.create_function,'f',1,None); t(c.create_aggregate,'f',1,print); t(c.create_aggregate,'f',n_arg=1,aggregate_class=int); t(c.create_window_function,'f',1,int); t(c.create_collation,'f',3); t(c.create_collation,3,3); t(c.create_collation,'f\ud800',print); t(c.set_authorizer,authorizer_callback=None); t(c.set_authorizer,3); t(c.set_progress_handler,progress_handler=None,n=1); t(c.set_progress_handler,None); t(c.set_trace_callback,trace_callback=None); t(c.set_trace_callback,None); t(c.set_progress_handler,None,'a')
c.create_function('boom',0,lambda:1/0); t(x.execute,'select boom()'); c.create_function('bad',0,lambda:object()); t(x.execute,'select bad()'); c.create_function('big',0,lambda:2**70); t(x.execute,'select big()'); c.create_function('su',0,lambda:'\ud800'); t(x.execute,'select su()')
class A:
    def __init__(s): raise ValueError
c.create_aggregate('agg',1,A); t(x.execute,'select agg(1)')
class A:
    def step(s,x): raise ValueError
    def finalize(s): return 1
c.create_aggregate('agg',1,A); t(x.execute,'select agg(1)')
class A:
    def step(s,x): pass
    def finalize(s): raise ValueError
c.create_aggregate('agg',1,A); t(x.execute,'select agg(1)')
class A: pass
c.create_aggregate('agg',1,A); t(x.execute,'select agg(1)')
class A:
    def step(s,x): pass
c.create_aggregate('agg',1,A); t(x.execute,'select agg(1)')
c.set_authorizer(lambda *a: sqlite3.SQLITE_DENY); t(x.execute,'select 1'); c.set_authorizer(lambda *a:1.5); t(x.execute,'select 2');c.set_authorizer(lambda *a:1/0); t(x.execute,'select 3');c.set_authorizer(None)
c.set_progress_handler(lambda:1,1); t(x.execute,'select 1 union select 2 union select 3'); c.set_progress_handler(None,1)
t(c.cursor,3); t(c.cursor,lambda x:3); t(c.cursor,factory=sqlite3.Cursor); t(sqlite3.Cursor,3); t(sqlite3.Cursor); t(sqlite3.Cursor.__new__(sqlite3.Cursor).execute,''); t(sqlite3.Cursor.__new__(sqlite3.Cursor).close)
t(c.blobopen,'a','b',1); x.execute('create table b(d blob, t)'); x.execute('insert into b values(?,?)',(b'hello','x')); t(c.blobopen,'b','d',9); bl=c.blobopen('b','d',1); t(len,bl); t(bl.read,-1); t(bl.seek,100); t(bl.seek,0,7); t(bl.seek,-1); t(bl.seek,2**40); t(bl.write,b'toolong'); t(bl.write,'a'); t(lambda:bl[0]); t(lambda:bl[9]); t(lambda:bl['a']); t(lambda:bl[1:3]); t(lambda:bl[::2]); t(bl.__setitem__,0,300); t(bl.__setitem__,0,'a'); t(bl.__setitem__,0,b'a'); t(bl.__setitem__,slice(0,2),b'abc'); t(bl.__setitem__,slice(0,2),3); t(bl.__delitem__,0); t(bl.__setitem__,9,1);t(bl.__delitem__,slice(0,1)); t(lambda:bl[2**70]); bl.close(); t(bl.read); t(len,bl); t(bl.__enter__); t(lambda: bl[0]); t(sqlite3.Blob); t(bl.tell); t(bl.write,b''); t(c.blobopen,'b','d',1,readonly=True,name='nope');t(bl.__setitem__, 'a', 1); t(lambda:(3 in c.blobopen('b','d',1)))
bl=c.blobopen('b','d',1,readonly=True); t(bl.write,b'a'); t(bl.__setitem__,0,1); x.execute("update b set d='zzz'"); t(bl.read)
c.commit(); t(c.backup,3); t(c.backup,c); t(c.backup); t(c.backup,C(':memory:'),pages=0); t(c.backup,C(':memory:'),progress=3); t(c.backup,C(':memory:'),name='nope'); t(c.backup,C(':memory:'),sleep=-1); t(c.backup,C(':memory:'),sleep='a'); t(c.backup,C(':memory:'),pages='a'); t(c.backup,None)
t(c.getlimit,sqlite3.SQLITE_LIMIT_SQL_LENGTH); t(c.setlimit,sqlite3.SQLITE_LIMIT_SQL_LENGTH,5); t(x.execute,'select 12345'); t(x.executescript,'select 12345'); c.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH,10000); t(c.getconfig,9999); t(c.setconfig,9999); t(c.getconfig,sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY); t(c.setconfig,sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY); t(c.getconfig,sqlite3.SQLITE_DBCONFIG_ENABLE_FKEY)
t(c.serialize,name='nope'); t(c.deserialize,b''); t(c.deserialize,3); 
t(c); t(c,'select 1'); t(c,3); t(sqlite3.adapt,3); t(sqlite3.adapt,object()); t(sqlite3.adapt,object(),int,5); t(sqlite3.register_adapter,3,3); t(sqlite3.register_adapter,int); t(sqlite3.register_converter,3,3); t(sqlite3.complete_statement,3); t(sqlite3.complete_statement,'select 1;'); t(sqlite3.enable_callback_tracebacks,'a'); t(sqlite3.adapt,3,4,5,6); 
R=sqlite3.Row
t(R); t(R,x,3); t(R,3,()); x.execute('select 1 as a, 2 as b'); r=R(x,(1,2)); t(lambda:r['A']); t(lambda:r['z']); t(lambda:r[5]); t(lambda:r[-3]); t(lambda:r[1.5]); t(lambda:r[2**70]); t(r.keys); t(lambda:r[0:1]); t(lambda:r==R(x,(1,2))); t(lambda:hash(r)==hash(R(x,(1,2)))); t(lambda:r<r); t(lambda:r==3); t(R,x,(1,),a=3); t(R,x); t(iter,r); t(reversed,r);t(lambda:r[b'a'])
c.close(); t(x.execute,'select 1'); t(c.execute,'select 1'); t(c.cursor); t(c.commit); t(c.rollback); t(lambda:c.in_transaction); t(lambda:c.total_changes); t(lambda:c.isolation_level); t(c.close); t(x.close); t(x.fetchone); t(lambda:c.autocommit);t(setattr,c,'isolation_level',None); t(c.interrupt); t(c.iterdump); t(c.__enter__); t(c,'select 1'); t(c.set_trace_callback,None); t(setattr,c,'autocommit',True)
x2=C(':memory:').cursor(); x2.close(); t(x2.fetchone); t(x2.execute,'select 1');t(iter,x2); t(next,x2)
import threading
c=C(':memory:')
e=sqlite3.Error('x'); t(lambda:e.sqlite_errorcode)

# Many rows, callbacks that collect, and a database that threads share.
import gc

db = sqlite3.connect(":memory:", check_same_thread=False)
db.execute("create table numbers(n integer primary key, text, data blob)")
db.executemany("insert into numbers values(?, ?, ?)", ((i, f"row {i}", b"x" * (i % 7)) for i in range(2000)))


class Longest:
    def __init__(self):
        self.best = ""

    def step(self, text):
        gc.collect() if len(text) > len(self.best) else None
        self.best = max(self.best, text, key=len)

    def finalize(self):
        return self.best


class Sum:
    def __init__(self):
        self.values = []

    def step(self, value):
        self.values.append(value)

    def inverse(self, value):
        self.values.remove(value)

    def value(self):
        return sum(self.values)

    finalize = value


db.create_function("twice", 1, lambda s: s + s, deterministic=True)
db.create_aggregate("longest", 1, Longest)
db.create_window_function("sums", 1, Sum)
db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
print(db.execute("select longest(twice(text)) from numbers").fetchone())
print(db.execute("select n, sums(n) over (order by n rows between 1 preceding and 1 following) from numbers limit 4").fetchall())
print([row[0] for row in db.execute("select text from numbers order by text collate backwards limit 3")])
seen = []
db.set_trace_callback(seen.append)
db.execute("select ?", ("traced",)).fetchall()
db.set_trace_callback(None)
print(seen)
totals = []
lock = threading.Lock()


def work(start):
    cursor = db.cursor()
    for i in range(start, 2000, 8):
        with lock:
            totals.append(cursor.execute("select length(twice(text)) from numbers where n = ?", (i,)).fetchone()[0])


threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(totals), sum(totals))

# A cursor that was left before its end does not keep the table locked for ever.
for row in db.execute("select n from numbers"):
    break
del row
gc.collect()
db.execute("drop table numbers")
copy = sqlite3.connect(":memory:")
db.commit()
db.backup(copy)
print(list(copy.iterdump()), len(db.serialize()) % 4096)
db.close(), copy.close()
