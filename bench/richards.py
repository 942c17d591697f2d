"""An operating system's kernel in small: tasks of several classes that pass packets. Method calls and attributes."""

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
WORK, DEVICE = 0, 1

class Packet:
    def __init__(self, link, task, kind):
        self.link = link
        self.task = task
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue

class Task:
    def __init__(self, kernel, identity, priority, queue, ready):
        self.kernel = kernel
        self.identity = identity
        self.priority = priority
        self.queue = queue
        self.pending = queue is not None
        self.waiting = not ready
        self.held = False
        self.next = kernel.tasks
        kernel.tasks = self
        kernel.table[identity] = self

    def stopped(self):
        return self.held or (self.waiting and not self.pending)

    def receive(self, packet, sender):
        if self.queue is None:
            self.queue = packet
            self.pending = True
            if self.priority > sender.priority:
                return self
        else:
            packet.append_to(self.queue)
        return sender

    def take_turn(self):
        if self.waiting and self.pending:
            packet = self.queue
            self.queue = packet.link
            self.waiting = False
            self.pending = self.queue is not None
        else:
            packet = None
        return self.run(packet)

    def wait(self):
        self.waiting = True
        return self

class Idle(Task):
    def __init__(self, kernel, count):
        super().__init__(kernel, IDLE, 0, None, True)
        self.control = 1
        self.count = count

    def run(self, packet):
        self.count -= 1
        if self.count == 0:
            return self.kernel.hold(self)
        if self.control & 1:
            self.control = (self.control >> 1) ^ 0xD008
            return self.kernel.release(DEVICE_B)
        self.control >>= 1
        return self.kernel.release(DEVICE_A)

class Worker(Task):
    def __init__(self, kernel, queue):
        super().__init__(kernel, WORKER, 1000, queue, False)
        self.destination = HANDLER_A
        self.letter = 0

    def run(self, packet):
        if packet is None:
            return self.wait()
        self.destination = HANDLER_B if self.destination == HANDLER_A else HANDLER_A
        packet.task = self.destination
        packet.datum = 0
        for i in range(4):
            self.letter = self.letter % 26 + 1
            packet.data[i] = self.letter + 64
        return self.kernel.send(self, packet)

class Handler(Task):
    def __init__(self, kernel, identity, priority, queue):
        super().__init__(kernel, identity, priority, queue, False)
        self.work = None
        self.devices = None

    def run(self, packet):
        if packet is not None:
            if packet.kind == WORK:
                self.work = packet.append_to(self.work)
            else:
                self.devices = packet.append_to(self.devices)
        if self.work is not None:
            work = self.work
            if work.datum >= 4:
                self.work = work.link
                return self.kernel.send(self, work)
            if self.devices is not None:
                device = self.devices
                self.devices = device.link
                device.datum = work.data[work.datum]
                work.datum += 1
                return self.kernel.send(self, device)
        return self.wait()

class Device(Task):
    def __init__(self, kernel, identity, priority):
        super().__init__(kernel, identity, priority, None, False)
        self.held_packet = None

    def run(self, packet):
        if packet is None:
            packet = self.held_packet
            if packet is None:
                return self.wait()
            self.held_packet = None
            return self.kernel.send(self, packet)
        self.held_packet = packet
        return self.kernel.hold(self)

class Kernel:
    def __init__(self):
        self.tasks = None
        self.table = [None] * 6
        self.sent = 0
        self.holds = 0

    def send(self, sender, packet):
        target = self.table[packet.task]
        self.sent += 1
        packet.link = None
        packet.task = sender.identity
        return target.receive(packet, sender)

    def hold(self, task):
        self.holds += 1
        task.held = True
        return task.next

    def release(self, identity):
        task = self.table[identity]
        task.held = False
        return task

    def schedule(self):
        current = self.tasks
        while current is not None:
            if current.stopped():
                current = current.next
            else:
                current = current.take_turn()

def simulate():
    kernel = Kernel()
    Idle(kernel, 10000)
    Worker(kernel, Packet(Packet(None, WORKER, WORK), WORKER, WORK))
    for identity, device, priority in ((HANDLER_A, DEVICE_A, 2000), (HANDLER_B, DEVICE_B, 3000)):
        queue = None
        for _ in range(3):
            queue = Packet(queue, device, DEVICE)
        Handler(kernel, identity, priority, queue)
    Device(kernel, DEVICE_A, 4000)
    Device(kernel, DEVICE_B, 5000)
    kernel.schedule()
    return kernel.sent, kernel.holds

def main():
    totals = [simulate() for _ in range(25)]
    print("richards", totals[0], len(set(totals)))

if __name__ == "__main__":
    main()
