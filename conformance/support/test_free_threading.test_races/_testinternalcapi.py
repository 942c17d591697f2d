"""Stands in for CPython's test module of its C API, which few of the cases of this file use; see stand_in.py."""

from stand_in import stand_in

stand_in(__name__)
