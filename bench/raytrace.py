"""A ray tracer with spheres, a floor, shadows and reflections: small immutable vectors with operators."""
from math import sqrt, inf

class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        return self * (1.0 / sqrt(self.dot(self)))

class Sphere:
    def __init__(self, center, radius, color, mirror):
        self.center = center
        self.radius = radius
        self.color = color
        self.mirror = mirror

    def hit(self, origin, direction):
        offset = origin - self.center
        b = offset.dot(direction)
        c = offset.dot(offset) - self.radius * self.radius
        inside = b * b - c
        if inside < 0.0:
            return inf
        distance = -b - sqrt(inside)
        return distance if distance > 1e-4 else inf

    def normal(self, point):
        return (point - self.center).unit()

    def shade(self, point):
        return self.color

class Floor:
    mirror = 0.1

    def hit(self, origin, direction):
        if direction.y > -1e-6:
            return inf
        return (-1.0 - origin.y) / direction.y

    def normal(self, point):
        return Vector(0.0, 1.0, 0.0)

    def shade(self, point):
        return 0.9 if (int(point.x // 1) + int(point.z // 1)) % 2 else 0.3

LIGHT = Vector(5.0, 8.0, -6.0)

def nearest(scene, origin, direction):
    best, found = inf, None
    for thing in scene:
        distance = thing.hit(origin, direction)
        if distance < best:
            best, found = distance, thing
    return best, found

def trace(scene, origin, direction, depth):
    distance, thing = nearest(scene, origin, direction)
    if thing is None:
        return 0.2 + 0.3 * max(0.0, direction.y)
    point = origin + direction * distance
    normal = thing.normal(point)
    to_light = (LIGHT - point).unit()
    brightness = 0.1
    facing = normal.dot(to_light)
    if facing > 0.0 and nearest(scene, point + normal * 1e-3, to_light)[1] is None:
        brightness += 0.9 * facing
    color = thing.shade(point) * brightness
    if depth and thing.mirror:
        reflected = direction - normal * (2.0 * direction.dot(normal))
        color = color * (1.0 - thing.mirror) + thing.mirror * trace(scene, point + normal * 1e-3, reflected, depth - 1)
    return color

def main():
    scene = [Floor()] + [Sphere(Vector(i * 1.3 - 2.6, -0.3 + 0.2 * (i % 3), 2.0 + i % 2), 0.6, 0.4 + 0.1 * i, 0.15 * i) for i in range(5)]
    width, height = 320, 210
    eye = Vector(0.0, 0.4, -4.0)
    total = 0.0
    for y in range(height):
        for x in range(width):
            direction = Vector((x - width / 2) / width * 1.6, (height / 2 - y) / width * 1.6, 1.0).unit()
            total += trace(scene, eye, direction, 2)
    print("raytrace %.6f" % total)

if __name__ == "__main__":
    main()
