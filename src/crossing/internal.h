/* What the files of this layer share: parcels, nodes, and the packer.
 *
 * Packing walks the graph with a worklist of its own, in the order in which pickle would, and makes a copy of it. A list, dict, set, tuple or bytearray is
 * copied there and then, into objects that the receiver gets as they are. What only the receiver can make (an instance of its own class, something that
 * it has under a name, what a call gives) is a TyNode. A parcel is the root and the nodes in the order in which the receiver goes through them: some come
 * twice, first to be made, later to be filled. A container that holds nodes stays empty until a node of its own fills it, so that no Python code run meanwhile sees a node;
 * a tuple has a mark in their places. A graph without nodes needs no parcel: its root is handed over as it is. */
#ifndef TY_CROSSING_INTERNAL_H
#define TY_CROSSING_INTERNAL_H

#include "crossing/crossing.h"
#include "object/dict.h"
#include "object/exception.h"
#include "object/list.h"
#include "object/native.h"
#include "object/str.h"
#include "object/tuple.h"
#include "object/type.h"

/* --- nodes -------------------------------------------------------------------------------------------------------------- */

/* Kind, fields packed before it is made, whether it is made, fields packed after that, whether it is filled. A field's bit is 1 << its number. */
#define TY_NODES(X)                                                                                              \
    X(NAME, 0, true, 0, false)        /* module, qualified name */                                               \
    X(MODULE, 0, true, 0, false)      /* name; tuple of further modules to import, or none */                    \
    X(MAIN, 0, true, 0, false)        /* the module __main__ */                                                  \
    X(INSTANCE, 1, true, 4, true)     /* class; names (tuple); values (array); how many of them are attributes (the others: slots) */ \
    X(NEW, 7, true, 0, false)         /* class, arguments, keywords or none */                                   \
    X(CALL, 7, true, 0, false)        /* callable, arguments, keywords or none */                                \
    X(METHOD, 3, true, 0, false)      /* function, self */                                                       \
    X(HANDLE, 0, true, 0, false)      /* how to open it (bytes); what it packed */                                             \
    X(DEFINITION, 0, true, 0, false)  /* a function, class or cell that travels by value: its TyPackage */       \
    X(CLASS_DICT, 0, true, 0, false)  /* the namespace of a class: its package */                                        \
    X(LIST, 0, false, 0, true)        /* the copy; array of items */                                             \
    X(TUPLE, 0, false, 0, true)       /* the copy; array of items */                                             \
    X(DICT, 0, false, 0, true)        /* the copy; a dict with its table, or TY_NULL; array of keys and values, or TY_NULL */ \
    X(SET, 0, false, 2, true)         /* the copy; array of items */                                             \
    X(EXTEND, 0, false, 2, true)      /* object; array of items to append */                                     \
    X(ITEMS, 0, false, 2, true)       /* object; array of keys and values to set */                              \
    X(STATE, 0, false, 6, true)       /* object; state; function that sets it, or none */

typedef enum TyNodeKind {
#define TY_NODE_ENUM(name, before, made, after, filled) TY_NODE_##name,
    TY_NODES(TY_NODE_ENUM)
#undef TY_NODE_ENUM
} TyNodeKind;

#define TY_NODE_FIELDS 4

typedef struct TyNode {
    TyObject base;
    uint32_t kind;
    bool created;                /* in the packer: the step that makes it is written */
    bool done;                   /* in the receiver: that step was taken */
    bool whole;                  /* it is filled as soon as it is made: no second step */
    Value made;                  /* in the receiver */
    Value fields[TY_NODE_FIELDS];
} TyNode;

typedef struct TyParcel {
    TyObject base;
    Value root;
    TyArray *steps;              /* nodes */
    int64_t count;
} TyParcel;

extern TyType ty_node_type, ty_parcel_type;

TY_INLINE bool ty_is_node(Value v) { return ty_is_exact(v, &ty_node_type); }
TY_INLINE TyNode *ty_as_node(Value v) { return (TyNode *)ty_object(v); }
Value ty_node_new(TyNodeKind kind, Value a, Value b, Value c, Value d);

/* --- the packer ---------------------------------------------------------------------------------------------------------- */

typedef struct TyPacker { /* on the C stack */
    struct TyPacker *outer;      /* that came to the definition whose contents this one packs; or NULL */
    const char *root;            /* how the root is called in errors; NULL: it has no name */
    Value label;                 /* a str, instead of `root`; or TY_NULL */
    Value package;               /* the definition whose contents it packs, or TY_NULL */
    Value class_dict;            /* of a class whose contents it packs: its namespace, which cells of its functions hold; or TY_NULL */
    Value uses;                  /* list of the other definitions met in it, or TY_NULL */
    bool copying;                /* copies a template, nodes and all */
    TyArray *map;                /* originals and what they became, by identity */
    int64_t map_count;
    TyArray *stack;              /* frames */
    int64_t depth;               /* Values in use there */
    TyArray *steps;
    int64_t step_count;
    TyType *plain_type;          /* the last class whose instances were seen to be plain, and its version */
    uint32_t plain_version;
    Value names;                 /* of the attributes of names_shape */
    uint32_t names_shape;
} TyPacker;

bool ty_packer_start(TyPacker *p, TyPacker *outer, const char *root);
/* The packed form of a value; what it holds may still lie on the stack: ty_packer_run. TY_NULL with an exception. */
Value ty_packer_value(TyPacker *p, Value v);
bool ty_packer_run(TyPacker *p);
/* The packed form of a whole: the value itself, a copy, or a parcel. */
Value ty_packer_finish(TyPacker *p, Value root);
Value ty_packer_map_get(const TyPacker *p, Value original);
bool ty_packer_map_put(TyPacker *p, Value original, Value packed);
bool ty_packer_push_node(TyPacker *p, Value node, Value original);
Value ty_packer_add(TyPacker *p, Value original, Value node); /* enters and pushes a node that stands for the original; gives the node */
Value ty_packer_refuse(TyPacker *p, Value v); /* raises NotShareableError with the path to v */
Value ty_packer_path(TyPacker *p);            /* str */

/* --- by reference, by name, by handle, by pickling ------------------------------------------------------------------------ */

/* Whether nobody can change the value: quick, false for some deep tuples. */
bool ty_crossing_immutable(Value v);
/* A NAME node for a function or class that the receiver can import by module and name; TY_NULL without an exception: it can't. */
Value ty_crossing_name(Value v);
bool ty_crossing_find_name(Value v, Value *module, Value *qualname);     /* the same as two str; false may mean an exception */
bool ty_crossing_resolve(TyArray *items, int64_t count);                 /* in the receiver: instead of nodes what they stand for */
Value ty_crossing_named_here(Value module, Value qualname);              /* in the receiver: what has that name */
bool ty_crossing_importable(Value module_name); /* a module that another interpreter can import under that name; false may mean an exception */
Value ty_crossing_module(TyPacker *p, Value module); /* a node */
Value ty_crossing_main_module(void);                 /* the receiver's __main__ */
Value ty_crossing_module_here(Value name);           /* the receiver's, imported if need be */
Value ty_crossing_handle(Value v, bool *handled);
bool ty_crossing_has_handle(TyType *type);
Value ty_crossing_open_handle(Value handler, Value packed);
Value ty_crossing_named(TyPacker *p, Value v, Value name); /* a NAME node for what says that it has that name */
Value ty_crossing_pickle(TyPacker *p, Value v);       /* by copyreg, __reduce_ex__ */
bool ty_crossing_plain(TyPacker *p, TyType *type);    /* instances that no pickling protocol of their own concerns */
Value ty_crossing_memoryview(Value view);             /* a view of the same memory whose exporter is no plain object */

/* --- definitions: functions and classes that travel by value --------------------------------------------------------------- */

Value ty_crossing_definition(TyPacker *p, Value v);   /* a node */
Value ty_crossing_package(TyPacker *p, Value v);      /* its package, with a content that is up to date */
Value ty_crossing_define(Value package);              /* in the receiver: what stands for it there */

#endif
