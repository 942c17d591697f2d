"""Stands in for CPython's internal test module, which the cases of this file (CPython's own) ask for copies of bytecode; see stand_in.py."""

from stand_in import stand_in

stand_in(__name__)
