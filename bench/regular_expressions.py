"""Regular expressions: searching, splitting, substituting and tokenising a made-up log and a made-up language."""
import re

def log(n):
    state = 99
    lines = []
    for i in range(n):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        host = "10.%d.%d.%d" % (state & 255, state >> 8 & 255, state >> 16 & 255)
        lines.append('%s - user%d [%02d/Nov/2026:%02d:%02d:%02d] "GET /path/%d?q=%x HTTP/1.1" %d %d' % (
            host, state % 50, i % 28 + 1, i % 24, i % 60, i % 59, i % 100, state, 200 if state % 7 else 404, state % 10000))
    return "\n".join(lines)

ENTRY = re.compile(r'^(\d+\.\d+\.\d+\.\d+) - (?P<user>\w+) \[([^]]+)\] "(\w+) ([^ "?]+)\??([^ "]*) [^"]*" (\d{3}) (\d+)$', re.M)
TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|([A-Za-z_]\w*)|(==|<=|>=|[-+*/()=<>;]))")

def main():
    text = log(60000)
    users = {}
    size = missing = 0
    for match in ENTRY.finditer(text):
        users[match["user"]] = users.get(match["user"], 0) + 1
        size += int(match[8])
        missing += match[7] == "404"
    program = "total = (alpha + 3.14 * beta_2) / 7 - gamma <= 42; " * 25000
    kinds = [0, 0, 0]
    position = 0
    while (match := TOKEN.match(program, position)) is not None:
        kinds[match.lastindex - 1] += 1
        position = match.end()
    shortened = re.sub(r"\b(\w)\w*(\w)\b", r"\1-\2", text[:600000])
    dates = re.findall(r"(\d\d)/Nov", text)
    pieces = re.split(r"[ \n\"]+", text[:1000000])
    found = len(re.findall(r"(?i)path/(?:1|2)\d\b", text))
    print("regular_expressions", len(users), size, missing, kinds, len(shortened), len(dates), len(pieces), found)

if __name__ == "__main__":
    main()
