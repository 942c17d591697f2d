"""Records: dataclasses made, compared, ordered, hashed and printed; named tuples; enumerations."""
from collections import namedtuple
from dataclasses import dataclass, field, replace
from enum import Enum, IntFlag

class Color(Enum):
    RED = 1
    GREEN = 2
    BLUE = 3

class Right(IntFlag):
    READ = 1
    WRITE = 2
    RUN = 4

@dataclass(order=True, frozen=True)
class Version:
    major: int
    minor: int
    patch: int = 0

@dataclass
class Item:
    name: str
    price: float
    tags: list = field(default_factory=list)
    color: Color = Color.RED

    @property
    def label(self):
        return f"{self.name}:{self.color.name}"

Pair = namedtuple("Pair", "left right")

def main():
    versions = [Version(i % 7, i % 11, i % 13) for i in range(100000)]
    distinct = set(versions)
    newest = max(versions)
    ordered = sorted(distinct)
    items = [Item("n%d" % (i % 100), i * 0.25) for i in range(160000)]
    for i, item in enumerate(items):
        item.tags.append(i)
        item.color = Color(i % 3 + 1)
    by_label = {}
    for item in items:
        by_label.setdefault(item.label, []).append(item.price)
    same = sum(a == b for a, b in zip(items, items[100:]))
    texts = sum(len(repr(item)) for item in items[:20000])
    later = [replace(v, patch=v.patch + 1) for v in ordered[:800] for _ in range(10)]
    pairs = [Pair(i, i + 1) for i in range(300000)]
    total = sum(p.left * p.right for p in pairs)
    rights = Right.READ
    for i in range(60000):
        rights = rights | Right.RUN if i & 1 else rights & ~Right.RUN
    print("data_classes", len(distinct), newest, len(by_label), same, texts, len(later), total, rights.value)

if __name__ == "__main__":
    main()
