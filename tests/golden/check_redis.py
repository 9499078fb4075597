#!/usr/bin/env python3
"""Plays golden dialogues against a running server, whole and in pieces, and lists differences."""
import os
import re
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


def decode(text):
    out, i = b"", 0
    while i < len(text):
        run = re.compile(r"\{(.)\*(\d+)\}").match(text, i)
        if run:
            out += run.group(1).encode() * int(run.group(2))
            i = run.end()
        elif text[i] != "\\":
            out += text[i].encode()
            i += 1
        elif text[i + 1] == "x":
            out += bytes([int(text[i + 2:i + 4], 16)])
            i += 4
        else:
            out += ESCAPES[text[i + 1]]
            i += 2
    return out


def encode(data):
    names = {value: "\\" + key for key, value in ESCAPES.items()}
    text = "".join(names.get(bytes([b]), chr(b) if 32 <= b < 127 else "\\x%02x" % b) for b in data)
    return re.sub(r"(.)\1{99,}", lambda m: "{%s*%d}" % (m.group(1), len(m.group(0))), text)


def receive(peer, seconds):
    """Everything until the server closes, or is silent for `seconds`."""
    answer = b""
    peer.settimeout(seconds)
    try:
        while chunk := peer.recv(65536):
            answer += chunk
        return answer, True
    except socket.timeout:
        return answer, False
    except ConnectionError:
        return answer, True


def play(port, request, pieces):
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            step = 1 if pieces else max(len(request), 1)
            for i in range(0, len(request), step):
                peer.sendall(request[i:i + step])
        except ConnectionError:
            pass
        answer, closed = receive(peer, 0.15)
    return encode(answer) + ("<close>" if closed else "")


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    port = int(arguments[0])
    path = arguments[1] if len(arguments) > 1 else os.path.join(HERE, "resp.txt")
    played = different = 0
    for line in open(path, encoding="ascii"):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            if "--write" in sys.argv:
                print(line)
            continue
        sent, _, expected = line.partition("\t")
        request = decode(sent)
        if "--write" in sys.argv:
            print(sent + "\t" + play(port, request, False))
            continue
        for pieces in (False, True) if len(request) < 1000 else (False,):
            answer = play(port, request, pieces)
            played += 1
            if answer != expected:
                different += 1
                print(f"{sent[:200]}\n  expected {expected[:200]}\n  answered {answer[:200]}")
    if "--write" not in sys.argv:
        print(f"{played} played, {different} different")
    return different != 0


if __name__ == "__main__":
    sys.exit(main())
