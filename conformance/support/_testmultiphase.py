"""Stands in for CPython's test module of extension modules with several phases of initialization; see stand_in.py."""

from stand_in import Absent, stand_in

stand_in(__name__, __file__=Absent(__name__))
