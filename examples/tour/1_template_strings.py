# A template string keeps its parts: t"…" is a Template where f"…" is a str.
who = 'reader'
template = t"welcome, {who}"
text = f"welcome, {who}"

type(template), type(text)
