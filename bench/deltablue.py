"""A solver of one-way constraints with strengths, kept up to date as constraints come and go. Polymorphic calls, small lists."""

REQUIRED, STRONG, MEDIUM, WEAK, WEAKEST = range(5)

class Variable:
    def __init__(self, name, value):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.strength = WEAKEST
        self.stay = True
        self.mark = 0

class Constraint:
    def __init__(self, strength):
        self.strength = strength

    def is_input(self):
        return False

    def add(self, planner):
        self.register()
        planner.satisfy_chain(self)

    def remove(self, planner):
        if self.is_satisfied():
            planner.remove_incrementally(self)
        else:
            self.unregister()

    def satisfy(self, mark, planner):
        self.choose(mark)
        if not self.is_satisfied():
            if self.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        for variable in self.inputs():
            variable.mark = mark
        output = self.output()
        overridden = output.determined_by
        if overridden is not None:
            overridden.unsatisfy()
        output.determined_by = self
        if not planner.propagate(self, mark):
            raise ValueError("cycle")
        output.mark = mark
        return overridden

    def inputs_known(self, mark):
        for variable in self.inputs():
            if not (variable.mark == mark or variable.stay or variable.determined_by is None):
                return False
        return True

class Unary(Constraint):
    def __init__(self, variable, strength):
        super().__init__(strength)
        self.variable = variable
        self.satisfied = False

    def register(self):
        self.variable.constraints.append(self)

    def unregister(self):
        self.variable.constraints.remove(self)
        self.satisfied = False

    def choose(self, mark):
        self.satisfied = self.variable.mark != mark and self.strength < self.variable.strength

    def is_satisfied(self):
        return self.satisfied

    def unsatisfy(self):
        self.satisfied = False

    def inputs(self):
        return ()

    def output(self):
        return self.variable

    def recalculate(self):
        self.variable.strength = self.strength
        self.variable.stay = not self.is_input()
        if self.variable.stay:
            self.execute()

    def execute(self):
        pass

class Stay(Unary):
    pass

class Edit(Unary):
    def is_input(self):
        return True

class Binary(Constraint):
    FORWARD, BACKWARD, NONE = 1, -1, 0

    def __init__(self, first, second, strength):
        super().__init__(strength)
        self.first = first
        self.second = second
        self.direction = self.NONE

    def register(self):
        self.first.constraints.append(self)
        self.second.constraints.append(self)
        self.direction = self.NONE

    def unregister(self):
        self.first.constraints.remove(self)
        self.second.constraints.remove(self)
        self.direction = self.NONE

    def choose(self, mark):
        first, second = self.first, self.second
        if first.mark == mark:
            self.direction = self.FORWARD if second.mark != mark and self.strength < second.strength else self.NONE
        elif second.mark == mark:
            self.direction = self.BACKWARD if self.strength < first.strength else self.NONE
        elif first.strength > second.strength:
            self.direction = self.BACKWARD if self.strength < first.strength else self.NONE
        else:
            self.direction = self.FORWARD if self.strength < second.strength else self.NONE

    def is_satisfied(self):
        return self.direction != self.NONE

    def unsatisfy(self):
        self.direction = self.NONE

    def input(self):
        return self.first if self.direction == self.FORWARD else self.second

    def inputs(self):
        return (self.input(),)

    def output(self):
        return self.second if self.direction == self.FORWARD else self.first

    def recalculate(self):
        source, target = self.input(), self.output()
        target.strength = max(self.strength, source.strength)
        target.stay = source.stay
        if target.stay:
            self.execute()

class Equal(Binary):
    def execute(self):
        self.output().value = self.input().value

class Scaled(Binary):
    def __init__(self, source, scale, offset, target, strength):
        super().__init__(source, target, strength)
        self.scale = scale
        self.offset = offset

    def execute(self):
        if self.direction == self.FORWARD:
            self.second.value = self.first.value * self.scale.value + self.offset.value
        else:
            self.first.value = (self.second.value - self.offset.value) // self.scale.value

    def inputs(self):
        return (self.input(), self.scale, self.offset)

class Planner:
    def __init__(self):
        self.mark = 0

    def new_mark(self):
        self.mark += 1
        return self.mark

    def satisfy_chain(self, constraint):
        mark = self.new_mark()
        while constraint is not None:
            constraint = constraint.satisfy(mark, self)

    def remove_incrementally(self, constraint):
        output = constraint.output()
        constraint.unsatisfy()
        constraint.unregister()
        output.determined_by = None
        output.strength = WEAKEST
        output.stay = True
        unsatisfied = []
        todo = [output]
        while todo:
            variable = todo.pop()
            for other in variable.constraints:
                if not other.is_satisfied():
                    unsatisfied.append(other)
            for other in self.consumers(variable):
                other.recalculate()
                todo.append(other.output())
        for strength in range(WEAKEST):
            for other in unsatisfied:
                if other.strength == strength:
                    self.satisfy_chain(other)

    def consumers(self, variable):
        decider = variable.determined_by
        return [c for c in variable.constraints if c is not decider and c.is_satisfied()]

    def propagate(self, constraint, mark):
        todo = [constraint]
        while todo:
            one = todo.pop()
            if one.output().mark == mark:
                self.remove_incrementally(constraint)
                return False
            one.recalculate()
            todo.extend(self.consumers(one.output()))
        return True

    def plan_from(self, sources):
        mark = self.new_mark()
        plan = []
        todo = sources
        while todo:
            one = todo.pop()
            output = one.output()
            if output.mark != mark and one.inputs_known(mark):
                plan.append(one)
                output.mark = mark
                todo.extend(self.consumers(output))
        return plan

def change(planner, variable, values):
    edit = Edit(variable, STRONG)
    edit.add(planner)
    plan = planner.plan_from([edit])
    for value in values:
        variable.value = value
        for constraint in plan:
            constraint.execute()
    edit.remove(planner)

def chain(n):
    planner = Planner()
    variables = [Variable("v%d" % i, 0) for i in range(n + 1)]
    for a, b in zip(variables, variables[1:]):
        Equal(a, b, REQUIRED).add(planner)
    Stay(variables[-1], WEAK).add(planner)
    change(planner, variables[0], range(60))
    return variables[-1].value

def projection(n):
    planner = Planner()
    scale, offset = Variable("scale", 10), Variable("offset", 1000)
    targets = []
    for i in range(n):
        source, target = Variable("source", i), Variable("target", i)
        Stay(source, MEDIUM).add(planner)
        Scaled(source, scale, offset, target, REQUIRED).add(planner)
        targets.append(target)
    change(planner, source, [17])
    first = targets[-1].value
    change(planner, scale, [5])
    change(planner, offset, [2000])
    return first, sum(t.value for t in targets)

def main():
    results = [(chain(300), projection(300)) for _ in range(160)]
    print("deltablue", results[0], len(set(results)))

if __name__ == "__main__":
    main()
