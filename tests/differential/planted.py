"""Is a difference found at all, and shrunk? One command of a program is another for one server."""

from shrink import shrink
import play


class Planted(play.Player):
    """The last server gets APPEND with another value."""

    def connect(self):
        streams = super().connect()
        streams[-1].socket = Liar(streams[-1].socket)
        return streams


class Liar:
    def __init__(self, socket):
        self.socket = socket

    def __getattr__(self, name):
        return getattr(self.socket, name)

    def send(self, data):
        self.socket.sendall(data.replace(b"$6\r\nplant1\r\n", b"$6\r\nplant2\r\n"))
        return len(data)


def check(field):
    """(passed, failed)"""
    player = Planted(field.servers)
    noise = [["resp", [b"INCR", b"k%d" % i]] for i in range(20)]
    steps = [["run", 0, noise], ["run", 1, noise + [["resp", [b"SETRANGE", b"k3", b"0", b"plant1"]]] + noise],
             ["run", 0, noise], ["state", [0]]]
    program = {"native": False, "alone": False, "steps": steps}
    found = player.play(program)
    if not found:
        print("FAIL a planted difference was not found")
        return 0, 1
    small, found = shrink(program, found, player.play)
    count = sum(len(step[2]) for step in small["steps"] if step[0] == "run")
    if count > 2 or not player.play(small):
        print("FAIL a planted difference was not shrunk: %d commands are left" % count)
        return 0, 1
    return 1, 0
