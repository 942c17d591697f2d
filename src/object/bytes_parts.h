/* What bytes and bytearray share: their bytes as a span, arguments that are bytes-like, and the table of common methods. */
#ifndef TY_OBJECT_BYTES_PARTS_H
#define TY_OBJECT_BYTES_PARTS_H

#include "base/search.h"
#include "object/buffer.h"
#include "object/bytes.h"
#include "object/exception.h"
#include "object/native.h"

/* A moment's view of the bytes of a bytes or bytearray. A bytearray's store is never freed under a reader: the span stays readable while it is
 * in use, though a writer may change what is in it. Take it after everything that may run Python code. */
typedef struct TySpan { const uint8_t *data; int64_t length; } TySpan;
TySpan ty_bytes_span(Value self);
/* The same of a bytearray as it is, without a lock: for its length, and under its lock. */
TySpan ty_bytes_view(Value self);
TY_INLINE bool ty_is_bytearray(Value v) { return ty_is_instance_of(v, &ty_bytearray_type); }

/* A bytes-like argument; release it. False with TypeError "a bytes-like object is required, not 'x'". */
typedef struct TyBytesArgument { const uint8_t *data; int64_t length; TyBuffer view; bool held; } TyBytesArgument;
bool ty_bytes_argument(Value v, TyBytesArgument *argument);
void ty_bytes_argument_release(TyBytesArgument *argument);

/* An int in range(0, 256), by __index__. */
bool ty_byte_value(Value v, uint8_t *out);
/* What bytes(source, encoding, errors) and bytearray(…) are made of, as bytes. */
Value ty_bytes_from_arguments(Value source, Value encoding, Value errors, bool for_bytearray);
/* The bytes of an iterable of ints, or of a buffer. */
Value ty_bytes_from_iterable(Value v, bool for_bytearray);
/* b'…'; bytearray's repr escapes a single quote between double ones too. */
Value ty_bytes_repr_of(TySpan s, bool escape_single);
/* hex() with its two optional arguments. */
Value ty_bytes_hex(const uint8_t *data, int64_t length, Value separator, Value group);
Value ty_bytes_from_hex(Value text); /* as bytes */
Value ty_bytes_str(Value self);
Value ty_bytes_compare(Value left, Value right, int op);
int ty_bytes_contains(Value self, Value item);
Value ty_bytes_remainder(Value left, Value right);
/* self[index] as an int, and other reading that both do the same way. */
Value ty_bytes_iterator(TyType *type, Value self);

/* The methods common to both types, for their tables. */
#define TY_BYTES_COMMON_METHODS(X) \
    X("capitalize(self, /)", capitalize, "A copy with its first letter upper case and the rest lower case, in ASCII.") \
    X("center(self, width, fillchar=b' ', /)", center, "A copy centered in a text of that width.") \
    X("count(self, sub, start=None, end=None, /)", count, "How often sub, bytes or an int, occurs without overlap in self[start:end].") \
    X("decode(self, /, encoding='utf-8', errors='strict')", decode, "The bytes decoded to a str; errors names what is done about those that can't be.") \
    X("endswith(self, suffix, start=None, end=None, /)", endswith, "Whether self[start:end] ends with the suffix, or one of a tuple of them.") \
    X("expandtabs(self, /, tabsize=8)", expandtabs, "A copy with spaces up to the next tab stop instead of each tab.") \
    X("find(self, sub, start=None, end=None, /)", find, "The first place of sub, bytes or an int, in self[start:end], or -1.") \
    X("hex(self, /, sep=<unrepresentable>, bytes_per_sep=1)", hex_method, "Two hexadecimal digits for each byte, with sep between groups of bytes_per_sep,\ncounted from the right, or from the left if it is negative.") \
    X("index(self, sub, start=None, end=None, /)", index, "As find(), but ValueError if there is no such place.") \
    X("isalnum(self, /)", isalnum, "Whether all bytes are ASCII letters or digits and there is one.") \
    X("isalpha(self, /)", isalpha, "Whether all bytes are ASCII letters and there is one.") \
    X("isascii(self, /)", isascii, "Whether all bytes are ASCII.") \
    X("isdigit(self, /)", isdigit, "Whether all bytes are ASCII digits and there is one.") \
    X("islower(self, /)", islower, "Whether there are letters and all of them are lower case.") \
    X("isspace(self, /)", isspace, "Whether all bytes are ASCII whitespace and there is one.") \
    X("istitle(self, /)", istitle, "Whether each word begins with a capital and goes on in lower case.") \
    X("isupper(self, /)", isupper, "Whether there are letters and all of them are upper case.") \
    X("join(self, iterable_of_bytes, /)", join, "The bytes-like objects of the iterable put together, with this one between them.") \
    X("ljust(self, width, fillchar=b' ', /)", ljust, "A copy at the left of a text of that width.") \
    X("lower(self, /)", lower, "A copy with ASCII letters in lower case.") \
    X("lstrip(self, bytes=None, /)", lstrip, "A copy without ASCII whitespace, or the given bytes, at its start.") \
    X("partition(self, sep, /)", partition, "(before, sep, after) for the first place of sep; (self, b'', b'') if there is none.") \
    X("removeprefix(self, prefix, /)", removeprefix, "A copy without the prefix, if it is there.") \
    X("removesuffix(self, suffix, /)", removesuffix, "A copy without the suffix, if it is there.") \
    X("replace(self, old, new, count=-1, /)", replace, "A copy with old replaced by new, everywhere or in the first count places.") \
    X("rfind(self, sub, start=None, end=None, /)", rfind, "The last place of sub, bytes or an int, in self[start:end], or -1.") \
    X("rindex(self, sub, start=None, end=None, /)", rindex, "As rfind(), but ValueError if there is no such place.") \
    X("rjust(self, width, fillchar=b' ', /)", rjust, "A copy at the right of a text of that width.") \
    X("rpartition(self, sep, /)", rpartition, "(before, sep, after) for the last place of sep; (b'', b'', self) if there is none.") \
    X("rsplit(self, /, sep=None, maxsplit=-1)", rsplit, "The list of what stands between the separators, by default runs of ASCII whitespace.\n\nAt most maxsplit splits are made, from the right.") \
    X("rstrip(self, bytes=None, /)", rstrip, "A copy without ASCII whitespace, or the given bytes, at its end.") \
    X("split(self, /, sep=None, maxsplit=-1)", split, "The list of what stands between the separators, by default runs of ASCII whitespace.\n\nAt most maxsplit splits are made, from the left.") \
    X("splitlines(self, /, keepends=False)", splitlines, "The list of its lines, with their ends only if keepends is true.") \
    X("startswith(self, prefix, start=None, end=None, /)", startswith, "Whether self[start:end] begins with the prefix, or one of a tuple of them.") \
    X("strip(self, bytes=None, /)", strip, "A copy without ASCII whitespace, or the given bytes, at both ends.") \
    X("swapcase(self, /)", swapcase, "A copy with upper and lower case exchanged, in ASCII.") \
    X("title(self, /)", title, "A copy in which each word begins with a capital and goes on in lower case, in ASCII.") \
    X("translate(self, table, /, delete=b'')", translate, "A copy without the bytes of delete and the others mapped through the table,\nbytes of length 256 or None.") \
    X("upper(self, /)", upper, "A copy with ASCII letters in upper case.") \
    X("zfill(self, width, /)", zfill, "A copy with zeros at the left, after a sign, up to that width.")

#define TY_BYTES_DECLARE(signature, name, doc) Value ty_bytes_##name(Value self, Value *a);
TY_BYTES_COMMON_METHODS(TY_BYTES_DECLARE)
#undef TY_BYTES_DECLARE
Value ty_bytes_maketrans(Value self, Value *a);
#define TY_BYTES_METHOD(signature_, name, doc_) TY_METHOD(signature_, ty_bytes_##name, doc_),

#endif
