"""How often CPython's interpreter runs an instruction before it specializes it: here any number does."""

import types

import stand_in

stand_in.stand_in("_testinternalcapi", types.ModuleType, SPECIALIZATION_THRESHOLD=12, SPECIALIZATION_COOLDOWN=52)
