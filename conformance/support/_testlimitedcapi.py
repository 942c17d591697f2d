"""Stands in for CPython's test module of its limited C API; see stand_in.py."""

import operator

from stand_in import stand_in


def object_hasattrstring(object, name):
    return int(hasattr(object, name.decode()))


stand_in(__name__, object_hasattrstring=object_hasattrstring, sequence_getitem=operator.getitem,
         sequence_setitem=operator.setitem, sequence_delitem=operator.delitem)
