/* File descriptors as arguments of Python functions. */
#ifndef TY_MODULES_DESCRIPTOR_H
#define TY_MODULES_DESCRIPTOR_H

#include "object/object.h"

/* An int, or what an object's fileno() gives; not negative. False with TypeError, ValueError or OverflowError. */
bool ty_to_descriptor(Value v, int *out);
bool ty_warn_descriptor(Value v); /* RuntimeWarning for a bool; false if that became an exception */

#endif
