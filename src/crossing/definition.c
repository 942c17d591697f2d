#include "crossing/internal.h"

Value ty_crossing_definition(TyPacker *p, Value v) { return ty_packer_refuse(p, v); }
Value ty_crossing_define(Value package) { return ty_raise(&ty_NotImplementedError, "crossing of definitions"); }
