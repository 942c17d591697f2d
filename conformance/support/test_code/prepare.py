"""test_code looks one of CPython's own instructions up at its top, and puts it into code in one case: that case alone may fail."""

import opcode

opcode.opmap.setdefault("COPY_FREE_VARS", 0)
