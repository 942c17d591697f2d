"""Planets that attract each other: float arithmetic on attributes of a few objects."""
from math import sqrt

class Body:
    __slots__ = ("x", "y", "z", "vx", "vy", "vz", "mass")

    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x, self.y, self.z = x, y, z
        self.vx, self.vy, self.vz = vx, vy, vz
        self.mass = mass

def solar_system():
    bodies = [Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47)]
    for i in range(1, 5):
        distance = 1.0 + i * 1.7
        bodies.append(Body(distance, 0.1 * i, -0.05 * i, 0.02 * i, sqrt(39.47 / distance), 0.01, 0.04 / i))
    return bodies

def step(bodies, pairs, dt):
    for a, b in pairs:
        dx = a.x - b.x
        dy = a.y - b.y
        dz = a.z - b.z
        squared = dx * dx + dy * dy + dz * dz
        pull = dt / (squared * sqrt(squared))
        ma = a.mass * pull
        mb = b.mass * pull
        a.vx -= dx * mb
        a.vy -= dy * mb
        a.vz -= dz * mb
        b.vx += dx * ma
        b.vy += dy * ma
        b.vz += dz * ma
    for body in bodies:
        body.x += dt * body.vx
        body.y += dt * body.vy
        body.z += dt * body.vz

def energy(bodies, pairs):
    total = 0.0
    for b in bodies:
        total += 0.5 * b.mass * (b.vx * b.vx + b.vy * b.vy + b.vz * b.vz)
    for a, b in pairs:
        total -= a.mass * b.mass / sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2)
    return total

def main():
    bodies = solar_system()
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]
    for _ in range(150000):
        step(bodies, pairs, 0.001)
    print("nbody %.9f" % energy(bodies, pairs))

if __name__ == "__main__":
    main()
