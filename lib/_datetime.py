"""What datetime looks for first: here the standard library's own implementation in Python serves."""

from _pydatetime import *
from _pydatetime import __doc__, UTC, MAXYEAR, MINYEAR
