"""A compiler for arithmetic and its little machine: tokens, a precedence parser, code in a list, a loop that runs it."""

BINARY = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2}

def tokens(text):
    at = 0
    while at < len(text):
        c = text[at]
        if c.isspace():
            at += 1
        elif c.isdigit():
            start = at
            while at < len(text) and text[at].isdigit():
                at += 1
            yield "number", int(text[start:at])
        elif c.isalpha():
            start = at
            while at < len(text) and text[at].isalnum():
                at += 1
            yield "name", text[start:at]
        else:
            yield "mark", c
            at += 1
    yield "end", None

class Compiler:
    def __init__(self, text):
        self.source = tokens(text)
        self.kind, self.value = next(self.source)
        self.code = []

    def advance(self):
        self.kind, self.value = next(self.source)

    def primary(self):
        if self.kind == "number":
            self.code.append(("push", self.value))
            self.advance()
        elif self.kind == "name":
            self.code.append(("load", self.value))
            self.advance()
        elif self.value == "-":
            self.advance()
            self.primary()
            self.code.append(("negate", None))
        elif self.value == "(":
            self.advance()
            self.expression(0)
            self.advance()
        else:
            raise SyntaxError(self.value)

    def expression(self, lowest):
        self.primary()
        while self.kind == "mark" and (level := BINARY.get(self.value, 0)) > lowest:
            operator = self.value
            self.advance()
            self.expression(level)
            self.code.append(("binary", operator))

def run(code, variables):
    stack = []
    for operation, argument in code:
        match operation:
            case "push":
                stack.append(argument)
            case "load":
                stack.append(variables[argument])
            case "negate":
                stack.append(-stack.pop())
            case "binary":
                right = stack.pop()
                left = stack.pop()
                match argument:
                    case "+":
                        stack.append(left + right)
                    case "-":
                        stack.append(left - right)
                    case "*":
                        stack.append(left * right)
                    case "/":
                        stack.append(left // right if right else 0)
                    case "%":
                        stack.append(left % right if right else 0)
    return stack.pop()

def main():
    text = "(alpha + 12 * beta3) % 1009 - -gamma / (7 - 3) * (alpha % 13 + 1)"
    size = 0
    for _ in range(8000):
        compiler = Compiler(text)
        compiler.expression(0)
        size += len(compiler.code)
    total = 0
    variables = {"alpha": 0, "beta3": 5, "gamma": 77}
    for i in range(160000):
        variables["alpha"] = i
        total += run(compiler.code, variables)
    print("tokenizer", size, total)

if __name__ == "__main__":
    main()
