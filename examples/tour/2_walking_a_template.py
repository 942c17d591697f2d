# Walking a template: plain strings, and interpolations whose values can be changed before they become text.
from string.templatelib import Interpolation

parts = []
for part in template:
    parts.append(part.value.upper() if isinstance(part, Interpolation) else part)

''.join(parts)
