"""Takes out of a program what is not needed for its replies to differ in the same command."""

import time

from differences import FIXED_WORDS, full_name

SECONDS_MAX = 60
# What a word may become, simplest first.
SIMPLE_WORDS = [b"k0", b"1", b"v", b""]


class Shrinker:
    def __init__(self, program, found, play):
        self.program, self.found, self.play_, self.end = program, found, play, time.monotonic() + SECONDS_MAX

    def fails(self, steps):
        """Keeps the program if it still differs as wanted."""
        if time.monotonic() > self.end:
            return False
        program = dict(self.program, steps=steps)
        found = self.play_(program)
        if found is None or found["name"] != self.found["name"]:
            return False
        self.program, self.found = program, found
        return True

    def cut(self, get, put):
        """Takes out pieces of a list, halves first."""
        size = max(1, len(get()) // 2)
        while True:
            at = 0
            while at < len(get()):
                items = get()
                if not self.fails(put(items[:at] + items[at + size:])):
                    at += size
            if size == 1:
                return
            size //= 2

    def steps(self):
        return self.program["steps"]

    def with_commands(self, at, commands):
        steps = list(self.steps())
        steps[at] = [steps[at][0], steps[at][1], commands]
        return steps

    def run(self):
        if "step" in self.found:
            self.fails(self.steps()[:self.found["step"] + 1])
        before = None
        while before != self.program and time.monotonic() < self.end:
            before = self.program
            self.cut(self.steps, lambda items: items)
            for at in range(len(self.steps())):
                if at < len(self.steps()) and self.steps()[at][0] == "run":
                    self.cut(lambda: self.steps()[at][2], lambda items: self.with_commands(at, items))
                if at < len(self.steps()) and self.steps()[at][0] == "together":
                    self.one_after_the_other(at)
            self.one_connection()
            self.simpler_words()
        return self.program, self.found

    def one_connection(self):
        for at, step in enumerate(self.steps()):
            if step[0] == "run" and step[1] != 0:
                self.fails(self.steps()[:at] + [["run", 0, step[2]]] + self.steps()[at + 1:])

    def one_after_the_other(self, at):
        """Or, if they have to be at the same time, fewer of them."""
        couples = self.steps()[at][1]
        if self.fails(self.steps()[:at] + [["run", *couple] for couple in couples] + self.steps()[at + 1:]):
            return
        for which in range(len(couples)):
            def put(items):
                changed = list(self.steps()[at][1])
                changed[which] = [changed[which][0], items]
                return self.steps()[:at] + [["together", changed]] + self.steps()[at + 1:]
            self.cut(lambda: self.steps()[at][1][which][1], put)

    def simpler_words(self):
        for at, step in enumerate(self.steps()):
            if step[0] != "run":
                continue
            for number in range(len(step[2])):
                form, words = self.steps()[at][2][number]
                if full_name(words) in FIXED_WORDS:
                    continue  # with other words they might do harm
                for place in range(len(words) - 1, 0, -1):
                    words = self.steps()[at][2][number][1]
                    if place < len(words) and not self.try_words(at, number, words[:place] + words[place + 1:]):
                        for simple in SIMPLE_WORDS:
                            if words[place] == simple or self.try_words(at, number, words[:place] + [simple] + words[place + 1:]):
                                break
                if form == "inline":
                    self.try_words(at, number, self.steps()[at][2][number][1], "resp")

    def try_words(self, at, number, words, form=None):
        commands = list(self.steps()[at][2])
        commands[number] = [form or commands[number][0], words]
        return self.fails(self.with_commands(at, commands))


def shrink(program, found, play):
    """(the smaller program, how it differs)"""
    return Shrinker(program, found, play).run()
