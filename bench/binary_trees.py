"""Trees made, walked and dropped: allocation and collection of many small objects."""

class Node:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right

def grow(depth):
    if depth == 0:
        return Node(None, None)
    return Node(grow(depth - 1), grow(depth - 1))

def size(node):
    if node.left is None:
        return 1
    return 1 + size(node.left) + size(node.right)

def main():
    deepest = 17
    lasting = grow(deepest)
    total = 0
    for depth in range(4, deepest + 1, 2):
        for _ in range(1 << (deepest - depth)):
            total += size(grow(depth))
    print("binary_trees", total, size(lasting))

if __name__ == "__main__":
    main()
