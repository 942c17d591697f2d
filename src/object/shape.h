/* Shapes: which attributes an instance has, and where.
 *
 * Instances with attributes of their own hold a TyAttributes at their type's attributes_offset (in instances of variable size: at the end of the cell).
 * The header's shape number names a TyShape: a chain of names, each with an index; the first `inline_count` indexes of the type are slots in
 * the instance, the others lie in the `spill` array. Adding an attribute moves the instance to the shape's child for that name. An instance whose
 * attributes are deleted, too many, or asked for as `__dict__`, gets a dict instead (`spill` is then the dict), and its type's dictionary shape.
 *
 * Invariants: a shape belongs to one type and lives as long as it; the shape number of an object tells its type and layout, so an inline cache that
 * compares it needs no other test. A slot is written before the shape that has it is published; writers hold the object's lock; a slot's old
 * value stays in place when the instance turns to a dict, so that a reader that saw the old shape reads a value that was there. Numbers below
 * TY_SHAPE_FIRST are not used (an inline cache word with a shape number never looks like a pointer). */
#ifndef TY_OBJECT_SHAPE_H
#define TY_OBJECT_SHAPE_H

#include "object/dict.h"
#include "object/list.h"

#define TY_SHAPE_FIRST 256u

struct TyShape {
    TyObject base;
    uint32_t number;
    uint32_t count;              /* attributes */
    bool dictionary;             /* attributes are in a dict */
    TyType *owner;
    TyShape *parent;             /* the shape without the last attribute; NULL for a root */
    Value name;                  /* of the last attribute */
    _Atomic Value children;      /* dict from name to shape, or TY_NULL */
    _Atomic Value indexes;       /* dict from name to index, made when the chain is long; or TY_NULL */
};

typedef struct TyAttributes {
    Value spill;                 /* TY_NULL, a TyArray, or the dict */
    Value slots[];
} TyAttributes;

extern TyType ty_shape_type;

TyShape *ty_shape_from_number(uint32_t number);
uint32_t ty_shape_of_type(TyType *type);              /* number for fresh instances; 0 when memory is short */
int64_t ty_shape_index(TyShape *shape, Value name);   /* -1: no such attribute; name interned */
TyAttributes *ty_object_attributes(TyObject *object, const TyType *type);
/* Byte offset in the object of attribute `index`, or 0 if it is in the spill array. */
uint32_t ty_attribute_offset(const TyType *type, uint32_t index);

Value ty_attributes_get(TyObject *object, TyType *type, Value name);             /* TY_NULL, no exception: none (dict mode may raise) */
bool ty_attributes_set(TyObject *object, TyType *type, Value name, Value value);
int ty_attributes_delete(TyObject *object, TyType *type, Value name);            /* 1, 0 missing, -1 */
Value ty_attributes_dict(TyObject *object, TyType *type);                        /* turns the instance to dict mode */
bool ty_attributes_set_dict(TyObject *object, TyType *type, Value dict);
Value ty_attributes_copy_dict(TyObject *object, TyType *type);                   /* a fresh dict, the instance as it was */
void ty_attributes_trace(TyObject *object, const TyType *type, TyMarker *marker);
bool ty_attributes_change_type(TyObject *object, TyType *from, TyType *to);      /* __class__ assignment, layouts known to agree */

#endif
