# Annotations may name what comes later: they are evaluated when somebody asks.
from dataclasses import dataclass

def convert(source: Source) -> Result:
    return Result(source.label, [source.weight] * 2)

@dataclass
class Source:
    label: str
    weight: float

@dataclass
class Result:
    label: str
    weights: list[float]

convert(Source('pair', 1.5)), convert.__annotations__['return'].__name__
