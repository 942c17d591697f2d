/* Definitions: functions, classes and closure cells that travel by value.
 *
 * A TyPackage is what such a thing is in all interpreters at once: the original (in its origin), and what stands for it in each interpreter that received it. All of them point
 * to the package, so that it is found again whichever is sent, and by whom; a parcel only names the package. What a receiver needs to make its own is the package's
 * TyContent, which the origin replaces when the original has changed: the receivers follow when they next meet it. A content is never changed and serves any number
 * of receivers: they take copies of its templates.
 *
 * Nothing here keeps a closed interpreter's objects alive: what belongs to an interpreter is marked while it lives, and never looked at afterwards. */
#ifndef TY_CROSSING_DEFINITION_H
#define TY_CROSSING_DEFINITION_H

#include "crossing/internal.h"
#include "crossing/state.h"
#include "object/function.h"

typedef enum TyPackageKind { TY_PACKAGE_FUNCTION, TY_PACKAGE_CLASS, TY_PACKAGE_CELL, TY_PACKAGE_NAMESPACE, TY_PACKAGE_PARAMETER } TyPackageKind;

/* One interpreter's part in a package: so many Values in `entries`. */
enum { TY_ENTRY_ID, TY_ENTRY_MADE, TY_ENTRY_CONTENT, TY_ENTRY_EPOCH, TY_ENTRY_SIZE };

typedef struct TyPackage {
    TyObject base;
    uint32_t kind;
    int64_t origin;              /* id of the interpreter of the original */
    TyArray *_Atomic entries;    /* the origin's first; changed under the package's lock */
    _Atomic Value content;       /* TyContent, or TY_NULL until the original was packed */
} TyPackage;

/* A global variable as it was sent. */
typedef struct TyVariable {
    TyObject base;
    int64_t origin;
    Value name;
    Value source;                /* what the sender has under that name */
    Value template;
} TyVariable;

typedef struct TyContent {
    TyObject base;
    int64_t origin;
    uint64_t version;            /* of a class: its type's; else 0 */
    Value seen[6];               /* what the original held: of a function code, defaults, keyword defaults, annotate, annotations, attributes (dict or TY_NULL) */
    Value head;                  /* template of what the shell is made of */
    Value body;                  /* template of the rest */
    Value names;                 /* of a class: tuple, the names that go with the body's values */
    Value namespace;             /* of a function: the name of its module, or a package */
    TyArray *cells;              /* packages */
    TyArray *variables;
    TyArray *uses;               /* packages: all that the templates name */
} TyContent;

extern TyType ty_package_type, ty_content_type, ty_variable_type;

TY_INLINE TyPackage *ty_as_package(Value v) { return (TyPackage *)ty_object(v); }

/* In the sender. */
Value ty_package_of(TyPackageKind kind, Value v, Value *place); /* the package at `place` in v, made if need be */
bool ty_package_ensure(TyPacker *p, TyPackage *package, Value v); /* its content is that of v; only the origin can see to that */
Value ty_package_original(TyPackage *package);
bool ty_packer_use(TyPacker *p, Value package);                 /* notes that the content under construction names it */
Value ty_packer_part(TyPacker *p, Value label, Value v);        /* packs a part with a name of its own in errors, to its end */

typedef struct TyVisited { Value packages[128]; int count; } TyVisited; /* beyond, packages count as changed */
bool ty_package_valid(TyPacker *p, TyPackage *package, TyVisited *visited);

/* What each kind does: whether the content still says what the original is; fills a fresh content; makes an empty one in the receiver; gives it its content. */
bool ty_function_valid(TyContent *content, Value v);
bool ty_function_pack(TyPacker *p, TyContent *content, Value v);
Value ty_function_shell(TyContent *content);
bool ty_function_apply(TyContent *content, Value made, bool fresh);
bool ty_parameter_pack(TyPacker *p, TyContent *content, Value v);
Value ty_parameter_shell(TyContent *content);
bool ty_parameter_apply(TyContent *content, Value made);
bool ty_class_valid(TyContent *content, Value v);
bool ty_class_pack(TyPacker *p, TyContent *content, Value v);
Value ty_class_shell(TyContent *content);
bool ty_class_apply(TyContent *content, TyContent *before, Value made);

/* In the receiver. */
Value ty_template_open(Value template);                         /* a fresh copy, unpacked */
TyArray *ty_template_fields(Value template, int64_t count);     /* the same, of an array of fields */
Value ty_package_shell(TyPackage *package);                     /* what stands for it here, maybe not filled yet */

TyArray *ty_array_of_list(Value list);

#endif
