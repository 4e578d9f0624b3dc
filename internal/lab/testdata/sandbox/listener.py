#!/usr/bin/python3
# listener, in a language with an interpreter: it takes the socket it was given or binds :443,
# writes down how that went, and answers.
import os, socket

status = dict(l.rstrip("\n").split(":\t", 1) for l in open("/proc/self/status") if ":\t" in l)
try:
	if os.environ.get("LISTEN_PID") == str(os.getpid()):
		ln = socket.socket(fileno=3)
	else:
		ln = socket.create_server(("", 443))
	how = "bound"
except PermissionError:
	ln, how = None, "refused"
except OSError:
	ln, how = None, "failed"
with open("/srv/say/said.new", "w") as f:
	print(how, os.getuid(), status["CapPrm"], status["NoNewPrivs"], file=f)
os.rename("/srv/say/said.new", "/srv/say/said")
if ln is None:
	os._exit(77)
while True:
	c, _ = ln.accept()
	c.sendall(b"hello\n")
	c.close()
