"""A reader and a writer of nested data in the JSON manner, in plain Python: characters, recursion, building containers."""

class Reader:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def blank(self):
        text = self.text
        at = self.at
        while at < len(text) and text[at] in " \n\t":
            at += 1
        self.at = at

    def value(self):
        self.blank()
        c = self.text[self.at]
        if c == "{":
            return self.mapping()
        if c == "[":
            return self.sequence()
        if c == '"':
            return self.string()
        for word, meaning in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return meaning
        return self.number()

    def mapping(self):
        result = {}
        self.at += 1
        self.blank()
        while self.text[self.at] != "}":
            self.blank()
            key = self.string()
            self.blank()
            self.at += 1
            result[key] = self.value()
            self.blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1
        return result

    def sequence(self):
        result = []
        self.at += 1
        self.blank()
        while self.text[self.at] != "]":
            result.append(self.value())
            self.blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1
        return result

    def string(self):
        self.at += 1
        pieces = []
        while (c := self.text[self.at]) != '"':
            if c == "\\":
                self.at += 1
                c = {"n": "\n", "t": "\t"}.get(self.text[self.at], self.text[self.at])
            pieces.append(c)
            self.at += 1
        self.at += 1
        return "".join(pieces)

    def number(self):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "+-.0123456789eE":
            self.at += 1
        word = self.text[start:self.at]
        return float(word) if "." in word or "e" in word else int(word)

def write(value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(write(k) + ": " + write(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([write(v) for v in value]) + "]"
    return repr(value)

def sample(depth):
    if depth == 0:
        return [1, -2.5, "text with \"quotes\" and\na line", True, None]
    return {"name%d" % i: sample(depth - 1) if i % 2 else [i, {"k": "v" * i}, i / 4] for i in range(6)}

def main():
    text = write([sample(5) for _ in range(90)])
    data = Reader(text).value()
    again = write(data)
    print("json_like", len(text), again == text, len(data))

if __name__ == "__main__":
    main()
