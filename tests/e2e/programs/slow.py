"""A program whose request never ends: it sends what it is given, and prints the first that it hears."""

import socket
import ssl
import sys

port, trust, request = sys.argv[1:]
context = ssl.create_default_context(cafile=trust)
with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as raw:
    with context.wrap_socket(raw, server_hostname="localhost") as gateway:
        gateway.sendall(request.encode())
        print(gateway.recv(4096).decode())
