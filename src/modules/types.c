/* _types: the built-in types that have no name of their own in builtins, for the module types. */
#include "object/code.h"
#include "object/exception.h"
#include "object/function.h"
#include "object/generic_alias.h"
#include "object/mappingproxy.h"
#include "object/module.h"
#include "object/namespace.h"
#include "object/native.h"
#include "object/type.h"
#include "vm/frame.h"
#include "vm/generator.h"

/* There are no capsules: they hold pointers of CPython's C API. Programs ask for the type to tell them from other objects. */
static TyType capsule_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .name = "PyCapsule", .flags = TY_TYPE_FINAL | TY_TYPE_NO_NEW, .layout = { .size = sizeof(TyObject) }, .parent = &ty_object_type_,
    .doc = "A pointer of a C library. This runtime makes none.",
};

#define TYPES(X) \
    X(AsyncGeneratorType, ty_async_generator_type) X(BuiltinFunctionType, ty_native_type) X(BuiltinMethodType, ty_native_type) X(CapsuleType, capsule_type) \
    X(CellType, ty_cell_type) X(ClassMethodDescriptorType, ty_class_method_descriptor_type) X(CodeType, ty_code_type) X(CoroutineType, ty_coroutine_type) \
    X(EllipsisType, ty_ellipsis_type) X(FrameType, ty_frame_type) X(FunctionType, ty_function_type) X(GeneratorType, ty_generator_type) \
    X(GenericAlias, ty_generic_alias_type) X(GetSetDescriptorType, ty_getset_type) X(LambdaType, ty_function_type) X(MappingProxyType, ty_mappingproxy_type) \
    X(MemberDescriptorType, ty_member_type) X(MethodDescriptorType, ty_method_descriptor_type) X(MethodType, ty_method_type) \
    X(MethodWrapperType, ty_method_wrapper_type) X(ModuleType, ty_module_type) X(NoneType, ty_none_type) X(NotImplementedType, ty_not_implemented_type) \
    X(SimpleNamespace, ty_namespace_type) X(TracebackType, ty_traceback_type) X(UnionType, ty_union_type) X(WrapperDescriptorType, ty_wrapper_descriptor_type)

static bool execute(Value module)
{
    static const struct {
        const char *name;
        TyType *type;
    } types[] = {
#define ENTRY(name, type) { #name, &type },
        TYPES(ENTRY)
#undef ENTRY
    };
    if (!ty_type_ready(&capsule_type))
        return false;
    for (size_t i = 0; i < TY_COUNT_OF(types); i++)
        if (!ty_module_add(module, types[i].name, ty_from_object(types[i].type)))
            return false;
    return true;
}

const TyModuleDef ty_module__types = { .name = "_types", .doc = "Built-in types for the module types.", .execute = execute };
