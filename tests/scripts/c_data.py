# _ctypes: types, data, calls, callbacks, and how it refuses.
import re
import warnings; warnings.simplefilter("ignore")
from ctypes import *
import _ctypes
def t(f,*a,**k):
    try: print(re.sub(r'0x[0-9a-f]{4,}|[0-9]{9,}', 'N', repr(f(*a, **k)))[:150])
    except BaseException as e: print(type(e).__name__, re.sub(r'[^ ]*: (undefined symbol|cannot open)', r'\1', str(e)))
def mk(meta_base, **ns): return lambda: type('X',(meta_base,),ns)
t(mk(_SimpleCData:=_ctypes._SimpleCData)); t(mk(_SimpleCData,_type_=3)); t(mk(_SimpleCData,_type_='ab')); t(mk(_SimpleCData,_type_='w')); t(_SimpleCData); t(Structure); t(Array); t(_ctypes._Pointer); t(_ctypes.CFuncPtr); t(mk(_ctypes.CFuncPtr)); t(mk(_ctypes.CFuncPtr,_flags_='a')); t(mk(_ctypes.CFuncPtr,_flags_=1,_argtypes_=3)); t(mk(_ctypes.CFuncPtr,_flags_=1,_argtypes_=(3,)));t(mk(_ctypes.CFuncPtr,_flags_=1,_restype_=3))
t(mk(Array,_length_=3)); t(mk(Array,_type_=c_int)); t(mk(Array,_type_=c_int,_length_=-1)); t(mk(Array,_type_=c_int,_length_='a')); t(mk(Array,_type_=int,_length_=1)); t(mk(Array,_type_=c_int,_length_=2**62)); t(mk(Array,_type_=c_int,_length_=2**70))
t(lambda:c_int*-1); t(lambda:c_int*'a'); t(lambda:3*c_int); t(lambda:(c_int*3)(1,2,3,4)); t(lambda:(c_int*3)('a')); a=(c_int*3)(1,2,3); t(lambda:a[3]); t(lambda:a[-1]); t(lambda:a['a']); t(lambda:a[:]); t(lambda:a[::2]); t(a.__setitem__,5,1); t(a.__setitem__,slice(0,2),[1]); t(a.__setitem__,slice(0,2),[7,8]); t(list,a); t(a.__delitem__,0); t(len,a); t(repr(a).split(' at')[0].__str__)
t(c_int,'a'); t(c_int,1.5); t(c_int,1,2); t(c_int,2**40); t(c_byte,300); t(c_char,b'ab'); t(c_char,300); t(c_char,'a'); t(c_wchar,'ab'); t(c_wchar,b'a'); t(c_char_p,'a'); t(c_char_p,b'abc'); t(c_wchar_p,b'a'); t(c_wchar_p,'abc'); t(c_void_p,'a'); t(c_void_p,3); t(c_float,'a'); t(c_bool,3); t(py_object); t(py_object,3); t(c_longdouble,1.5); t(c_double_complex,1+2j); t(lambda:py_object().value); t(c_int); t(repr,c_int(5)); t(lambda:bool(c_int(0))); t(hash,c_int(1)); t(delattr,c_int(1),'value'); t(setattr,c_int(),'value','x')
class P(Structure): _fields_=[('x',c_int),('y',c_double),('n',c_char*4)]
t(lambda:P(1,2,b'abcd').x); t(lambda:P(1,2,b'abcde')); t(P,1,2,3,4); t(P,'a'); t(lambda:P(z=1)); t(lambda:P(1,x=2)); t(lambda:P.x); t(lambda:P.y.offset); t(lambda:P.y.size); t(sizeof,P); t(alignment,P); t(sizeof,int); t(sizeof,3); t(alignment,int); t(setattr,P,'_fields_',[]); t(lambda:P(y='a')); p=P(1,2.5,b'ab'); t(lambda:(p.x,p.y,p.n)); t(lambda:bytes(p)); t(lambda:memoryview(p).format); t(lambda:memoryview(a).format); t(delattr,p,'x')
t(mk(Structure,_fields_=3)); t(mk(Structure,_fields_=[3])); t(mk(Structure,_fields_=[('a',3)])); t(mk(Structure,_fields_=[('a',int)])); t(mk(Structure,_fields_=[('a',c_int,33)])); t(mk(Structure,_fields_=[('a',c_int,0)])); t(mk(Structure,_fields_=[('a',c_double,3)])); t(mk(Structure,_fields_=[(1,c_int)])); t(mk(Structure,_fields_=[('a',c_int)],_pack_=-1)); t(mk(Structure,_fields_=[('a',c_int)],_anonymous_=['b'])); t(mk(Structure,_fields_=[('a',c_int)],_anonymous_=['a'])); t(mk(Structure,_fields_=[('a',c_int)],_anonymous_=3))
class Bf(Structure): _fields_=[('a',c_int,3),('b',c_uint,5),('c',c_longlong,40)]
b=Bf(3,31,-5); t(lambda:(b.a,b.b,b.c)); b.a=9; t(lambda:b.a); t(lambda:Bf.b); t(lambda:(Bf.b.bit_size,Bf.b.bit_offset,Bf.b.byte_offset,Bf.b.is_bitfield)); t(sizeof,Bf)
class BE(BigEndianStructure): _fields_=[('a',c_int),('b',c_short,4)]
t(lambda:bytes(BE(1,2)))
class U(Union): _fields_=[('i',c_int),('f',c_float)]
u=U(f=1.0); t(lambda:hex(u.i)); t(U,1,2)
class An(Structure):
    _anonymous_=['u']; _fields_=[('u',U),('k',c_int)]
an=An(k=3); an.i=7; t(lambda:(an.i,an.u.i,an.k)); t(lambda:An.i)
pi=POINTER(c_int); q=pi(c_int(5)); t(lambda:q[0]); t(lambda:q.contents.value); t(lambda:pi().contents); t(lambda:pi()[0]); t(lambda:bool(pi())); t(pi,3); t(pi,c_long(3)); t(lambda:q['a']); t(lambda:q[0:1]); t(lambda:q[:1:2]); t(lambda:q[:]); q[0]=9; t(lambda:q[0]); t(q.__delitem__,0); t(setattr,q,'contents',3); t(POINTER,c_int); t(pointer,c_int(3)); t(lambda:POINTER(c_int) is pi); t(mk(_ctypes._Pointer,_type_=3)); t(lambda:type('Y',(_ctypes._Pointer,),{})()); t(POINTER,3)
t(c_int.from_address,'a'); t(c_int.from_buffer,b'abcd'); t(c_int.from_buffer,bytearray(b'abc')); t(c_int.from_buffer,bytearray(b'abcd'),-1); t(c_int.from_buffer,bytearray(b'abcd'),2); t(c_int.from_buffer_copy,b'abcd'); t(c_int.from_buffer_copy,b'abc'); t(c_int.from_buffer_copy,b'abcd',-1); t(c_int.from_param,3); t(c_int.from_param,'a'); t(c_char_p.from_param,b'abc'); t(c_char_p.from_param,3); t(c_void_p.from_param,3); t(c_void_p.from_param,3.5); t(pi.from_param,c_int(3)); t(pi.from_param,3); t(pi.from_param,None); t(P.from_param,3); t(P.from_param,p); t((c_char*3).from_param,b'abcd')
t(byref,3); t(byref,c_int(),'a'); t(byref,c_int(3)); t(addressof,3); t(resize,3,4); t(resize,c_int(),1); x=c_int(); resize(x,100); t(sizeof,x); t(resize, p.__class__.from_buffer(bytearray(100)),200); t(get_errno); t(set_errno,3); t(get_errno); t(set_errno,'a')
libc=CDLL(None); t(libc.abs,-5); t(libc.abs,1.5); t(libc.abs,2**70); t(libc.strlen,b'hello'); t(libc.strlen,object()); t(lambda:libc.nope); t(CDLL,'nope.so'); t(lambda:libc['abs']); libc.abs.argtypes=[c_int]; t(libc.abs,'a'); t(libc.abs); t(libc.abs,1,2); libc.abs.argtypes=None; t(setattr,libc.abs,'argtypes',3); t(setattr,libc.abs,'argtypes',[3]); t(setattr,libc.abs,'restype',3); libc.strchr.restype=c_char_p; t(libc.strchr,b'abc',b'b'[0]); libc.abs.errcheck=lambda r,f,a:(r,a); t(libc.abs,-4); t(setattr,libc.abs,'errcheck',3)
CB=CFUNCTYPE(c_int,POINTER(c_int),POINTER(c_int)); arr=(c_int*5)(5,1,4,2,3); libc.qsort(arr,5,sizeof(c_int),CB(lambda a,b:a[0]-b[0])); t(list,arr)
f=CFUNCTYPE(c_int,c_int)(lambda x:x*2); t(f,21); t(f,'a'); t(f); t(CFUNCTYPE(c_int),3); t(CFUNCTYPE(c_int),'a'); t(CFUNCTYPE(c_int),('abs',libc)); t(CFUNCTYPE(c_int),('nope',libc)); t(CFUNCTYPE(c_int),('abs',3)); t(CFUNCTYPE(P),lambda:1); t(CFUNCTYPE(c_int,c_int),('abs',libc),((1,'x',5),)); pf=CFUNCTYPE(c_int,c_int)(('abs',libc),((1,'x',-5),)); t(pf); t(pf,-6); t(pf,x=-7); t(pf,y=3); t(CFUNCTYPE(c_int,c_int),('abs',libc),((9,),)); t(CFUNCTYPE(c_int,c_int),('abs',libc),3)
g=CFUNCTYPE(py_object,py_object)(lambda o:o); t(g,[1]); h=CFUNCTYPE(c_double,c_float,c_longlong,c_char)(lambda a,b,c:a+b+ord(c)); t(h,1.5,2,b'a'); sp=CFUNCTYPE(c_double,P)(lambda s:s.x+s.y); t(sp,p); us=CFUNCTYPE(c_int,U)(lambda s:s.i); t(us,u)
t(cast,arr,POINTER(c_int)); t(cast,arr,c_int); t(cast,3.5,c_void_p); t(lambda:cast(arr,POINTER(c_byte))[0]); t(string_at,b'abc'); t(string_at,b'abc',2); t(wstring_at,'abc'); s=create_string_buffer(b'hello',10); t(lambda:(s.value,s.raw,len(s),s[1],s[1:3])); t(setattr,s,'value',b'x'*20); t(setattr,s,'value','x'); t(setattr,s,'raw',b'x'*20); w=create_unicode_buffer('hé',5); t(lambda:(w.value,w[:],len(w))); t(setattr,w,'value','x'*10); t(memmove,s,b'abc',3); t(lambda:s.value); t(memset,s,65,3); t(lambda:s.value)
import pickle,copy; t(lambda:pickle.loads(pickle.dumps(c_int(5))).value); t(lambda:pickle.loads(pickle.dumps((c_int*2)(1,2)))[1]); t(pickle.dumps,pi(c_int(2))); t(pickle.dumps,c_char_p(b'a')); t(lambda:copy.copy(c_double(1.5)).value)
t(lambda:c_int(5)._objects); t(lambda:c_char_p(b'abc')._objects); class_=type('K',(Structure,),{'_fields_':[('s',c_char_p),('p',POINTER(c_int))]}); k=class_(b'x',pointer(c_int(3))); t(lambda:sorted(k._objects)); t(lambda:k._b_base_); t(lambda:an.u._b_base_ is an); t(lambda:a._b_needsfree_)
r=CFUNCTYPE(None)(lambda:1/0); t(memoryview_at,s,3) if 'memoryview_at' in globals() else None
t(pythonapi.__getattr__,'Py_Nope'); t(lambda:c_int.in_dll(libc,'nope')); t(lambda:c_void_p.in_dll(libc,'stdout').value!=0); t(c_int.in_dll,3,'a'); t(_ctypes.dlsym,3,'a') if 0 else None; t(lambda:c_int.__ctype_be__(1).value); t(lambda:bytes(c_int.__ctype_be__(1))); t(lambda:_ctypes.buffer_info(c_int*3)); t(lambda:(c_int*3*2)._type_); t(lambda:memoryview((c_int*3*2)()).shape); t(lambda:(c_int*3*2)()[1][2])

# Callbacks while the collector runs, and from threads.
import gc, threading

def compare(a, b):
    gc.collect()
    return a[0] - b[0]

values = (c_int * 30)(*(i * 7 % 31 for i in range(30)))
libc.qsort.restype = None
libc.qsort(values, 30, sizeof(c_int), CB(compare))
print(list(values))
results = []

def work(n):
    array = (c_int * 50)(*((i * n) % 53 for i in range(50)))
    libc.qsort(array, 50, sizeof(c_int), CB(lambda a, b: a[0] - b[0]))
    results.append(list(array) == sorted(array))

threads = [threading.Thread(target=work, args=(n,)) for n in range(3, 9)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)

# A thread that C has started calls back.
START = CFUNCTYPE(c_void_p, c_void_p)
called = []

@START
def entry(argument):
    called.append((argument, threading.current_thread() is threading.main_thread()))
    gc.collect()

handle = c_ulong()
libc.pthread_join.argtypes = [c_ulong, c_void_p]
for n in range(3):
    print(libc.pthread_create(byref(handle), None, entry, c_void_p(n + 1)), libc.pthread_join(handle, None))
print(called)
