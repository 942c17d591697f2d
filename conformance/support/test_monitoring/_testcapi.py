"""test_monitoring's setUp takes three tools' numbers before it asks for CPython's C API: they are given back before the case is skipped."""

import sys
import unittest

import stand_in


def give_back(*arguments):
    for number in 2, 3, 4:
        sys.monitoring.free_tool_id(number)
    raise unittest.SkipTest("_testcapi.CodeLike is CPython's C API")


stand_in.stand_in("_testcapi", CodeLike=give_back)
