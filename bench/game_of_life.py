"""Life on a torus with sets of coordinates, and on a grid with lists of lists."""

def evolve(alive, size):
    neighbours = {}
    for x, y in alive:
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                if dx or dy:
                    place = ((x + dx) % size, (y + dy) % size)
                    neighbours[place] = neighbours.get(place, 0) + 1
    return {place for place, n in neighbours.items() if n == 3 or n == 2 and place in alive}

def evolve_grid(grid):
    size = len(grid)
    result = []
    for y in range(size):
        above, here, below = grid[y - 1], grid[y], grid[(y + 1) % size]
        row = []
        for x in range(size):
            r = (x + 1) % size
            n = above[x - 1] + above[x] + above[r] + here[x - 1] + here[r] + below[x - 1] + below[x] + below[r]
            row.append(1 if n == 3 or n == 2 and here[x] else 0)
        result.append(row)
    return result

def main():
    size = 64
    alive = {(x, y) for x in range(size) for y in range(size) if (x * x * 7 + y * 13 + x * y * y) % 11 < 4}
    grid = [[1 if (x, y) in alive else 0 for x in range(size)] for y in range(size)]
    for _ in range(400):
        alive = evolve(alive, size)
    for _ in range(400):
        grid = evolve_grid(grid)
    print("game_of_life", len(alive), sum(map(sum, grid)), {(x, y) for y in range(size) for x in range(size) if grid[y][x]} == alive)

if __name__ == "__main__":
    main()
