"""Sorting: by value, by key functions, of strings, tuples and nearly sorted data, and a quicksort in Python."""

def numbers(n, seed):
    state = seed
    result = []
    for _ in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        result.append(state >> 40)
    return result

def quicksort(items, low, high):
    while low < high:
        pivot = items[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while items[i] < pivot:
                i += 1
            while items[j] > pivot:
                j -= 1
            if i <= j:
                items[i], items[j] = items[j], items[i]
                i += 1
                j -= 1
        if j - low < high - i:
            quicksort(items, low, j)
            low = i
        else:
            quicksort(items, i, high)
            high = j

def main():
    data = numbers(400000, 7)
    ascending = sorted(data)
    by_key = sorted(data, key=lambda x: (x % 1000, x))
    texts = sorted(map(str, data[:200000]))
    floats = sorted(x * 0.5 for x in data)
    nearly = ascending[:]
    for i in range(0, len(nearly), 100):
        nearly[i], nearly[-i - 1] = nearly[-i - 1], nearly[i]
    nearly.sort(reverse=True)
    mine = data[:160000]
    quicksort(mine, 0, len(mine) - 1)
    print("sorting", ascending[0], by_key[200000], texts[100000], floats[-1], nearly[0], mine[80000], mine == sorted(data[:160000]))

if __name__ == "__main__":
    main()
