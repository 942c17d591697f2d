# _zstd: what it refuses and how it says so, pieces, threads.
from compression import zstd
import _zstd
from compression.zstd import *
from compression.zstd import CompressionParameter as C, DecompressionParameter as D
def t(f,*a,**k):
    try: print(ascii(f(*a, **k))[:150].split(" at 0x")[0])
    except BaseException as e: print(type(e).__name__, e)
lo,hi=C.compression_level.bounds(); print(lo,hi)
t(ZstdCompressor, 100); t(ZstdCompressor,2**40); t(ZstdCompressor,-2**40); t(ZstdCompressor,'a'); t(ZstdCompressor,3.5)
t(ZstdCompressor, 1, {}); t(ZstdCompressor, options=3); t(ZstdCompressor, options={'a':1}); t(ZstdCompressor, options={C.window_log:'x'}); t(ZstdCompressor, options={C.window_log:100}); t(ZstdCompressor, options={C.window_log:2**80})
t(ZstdCompressor, options={D.window_log_max:10}); t(ZstdDecompressor, options={C.window_log:10}); t(ZstdDecompressor, options={D.window_log_max:100}); t(ZstdDecompressor, options={2**31:100}); t(ZstdDecompressor, options={99:100}); t(ZstdCompressor, options={99:100}); t(ZstdCompressor, options={2**40:100})
t(ZstdCompressor, options={C.compression_level:100});t(ZstdCompressor, options={C.compression_level:2**40}); t(ZstdCompressor, options={C.nb_workers:1000}); t(ZstdCompressor, options={C.strategy:100}); t(ZstdCompressor, options={C.checksum_flag:7})
t(ZstdCompressor, zstd_dict=3); t(ZstdCompressor, zstd_dict=(1,2)); t(ZstdDecompressor, zstd_dict=(1,2,3)); t(ZstdDecompressor, zstd_dict=b'x');t(ZstdDecompressor, options=5);t(ZstdDecompressor, 3,4,5);t(ZstdCompressor, 3,4,5,6);t(ZstdCompressor, foo=1)
t(ZstdDict, b'abc'); t(ZstdDict,'abc'); t(ZstdDict, b'abcdefghijkl'); d=ZstdDict(b'abcdefghijkl',is_raw=True); t(repr,d); t(len,d); t(lambda: d.dict_id); t(lambda: d.dict_content); t(lambda: d.as_prefix); t(lambda:d.as_digested_dict);t(lambda:d.as_undigested_dict); t(ZstdDict); t(ZstdDict,b'a'*9,True)
t(ZstdDict, b'abc', is_raw=True)
t(lambda: (setattr(d,'dict_id',3))); t(lambda: (setattr(d,'as_prefix',3)))
t(ZstdCompressor, zstd_dict=(d,7)); t(ZstdCompressor, zstd_dict=(d,-1)); t(ZstdCompressor, zstd_dict=(d,2)); t(ZstdDecompressor, zstd_dict=(d,7)); t(ZstdCompressor, zstd_dict=(d,'a'))
c=ZstdCompressor()
t(c.compress,'a'); t(c.compress,b'a',5); t(c.compress,b'a',mode='x'); t(c.flush,0); t(c.flush,7); t(c.flush,mode='a'); t(c.set_pledged_input_size,-1); t(c.set_pledged_input_size,None); t(c.set_pledged_input_size,2**64); t(c.set_pledged_input_size,2**64-1); t(c.set_pledged_input_size,2**64-2);t(c.set_pledged_input_size,'a'); t(lambda:c.last_mode); c.compress(b'a'); t(lambda:c.last_mode); t(c.set_pledged_input_size,3)
c=ZstdCompressor(); c.set_pledged_input_size(10); c.compress(b'abc'); t(c.flush); t(lambda:c.last_mode); t(c.set_pledged_input_size,3); t(c.compress,b'abcd',2)
c=ZstdCompressor(); c.set_pledged_input_size(10); t(c.compress,b'abcd'*10,2)
x=zstd.compress(b'abc'*100)
dd=ZstdDecompressor()
t(dd.decompress,'a'); t(dd.decompress, x,max_length='a'); t(dd.decompress, b'sdafasdfasdf'); t(dd.decompress,b''); t(lambda:(dd.eof,dd.needs_input,dd.unused_data)); t(dd.decompress,x+b'tail',10); t(lambda:(dd.eof,dd.needs_input,dd.unused_data)); t(dd.decompress,b''); t(lambda:(dd.eof,dd.needs_input,dd.unused_data)); t(dd.decompress,b'')
t(_zstd.get_frame_info,b''); t(_zstd.get_frame_info,b'sdfsfdsfadsfds'); t(_zstd.get_frame_size,b'asdf'); t(_zstd.get_frame_info,x); t(_zstd.get_frame_size,x); t(_zstd.get_frame_info,'a')
c=ZstdCompressor(); y=c.compress(b'a')+c.flush(); t(_zstd.get_frame_info,y)
t(_zstd.get_param_bounds,100,True); t(_zstd.get_param_bounds,99,True); t(_zstd.get_param_bounds,99,False); t(_zstd.get_param_bounds,'a',False); t(_zstd.get_param_bounds,100,False)
t(_zstd.set_parameter_types,int,3); t(_zstd.set_parameter_types,3,int); t(ZstdError, 'a'); print(ZstdError.__mro__)
t(ZstdDict.__new__, int)

import threading

text = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(20000))
results = [None] * 6


def work(n):
    compressor = ZstdCompressor(level=n)
    packed = b"".join(compressor.compress(text[i : i + 9973]) for i in range(0, len(text), 9973)) + compressor.flush()
    reader, whole, data = ZstdDecompressor(), [], packed + b"rest"
    while not reader.eof:
        piece, data = (data[:1000], data[1000:]) if reader.needs_input else (b"", data)
        whole.append(reader.decompress(piece, 5000))
    results[n] = (b"".join(whole) == text, max(map(len, whole)), reader.unused_data + data)


threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)

samples = [b"sample %d of many, each a little different: %d" % (i, i * 7919 % 1000) for i in range(2000)]
trained = train_dict(samples, 2000)
for form in (trained, trained.as_digested_dict, trained.as_undigested_dict, trained.as_prefix):
    packed = zstd.compress(samples[3], zstd_dict=form)
    print(decompress(packed, zstd_dict=form) == samples[3])
damaged = bytearray(zstd.compress(text))
for place in range(0, len(damaged), 97):
    damaged[place] ^= 0x55
    try:
        decompress(bytes(damaged))
    except ZstdError:
        pass
    damaged[place] ^= 0x55
print(decompress(bytes(damaged)) == text)
