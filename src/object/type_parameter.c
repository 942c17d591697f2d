#include "object/exception.h"
#include "vm/frame.h"
Value ty_typevar_new(Value name, Value evaluate_bound, Value evaluate_constraints) { return ty_raise(&ty_NotImplementedError, "TypeVar"); }
Value ty_paramspec_new(Value name) { return ty_raise(&ty_NotImplementedError, "ParamSpec"); }
Value ty_typevartuple_new(Value name) { return ty_raise(&ty_NotImplementedError, "TypeVarTuple"); }
Value ty_typealias_new(Value name, Value type_params, Value evaluate) { return ty_raise(&ty_NotImplementedError, "TypeAliasType"); }
Value ty_type_parameter_set_default(Value parameter, Value evaluate) { return ty_raise(&ty_NotImplementedError, "defaults of type parameters"); }
Value ty_subscript_generic(Value parameters) { return ty_raise(&ty_NotImplementedError, "Generic"); }
