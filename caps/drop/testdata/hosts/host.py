"""A Python program with threads, which calls DropAll of the Go library that it is given,
and then reads in /proc what every thread holds."""
import ctypes
import os
import sys
import threading

for _ in range(5):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
lib = ctypes.CDLL(sys.argv[1])
lib.DropAll.restype = ctypes.c_char_p
error = lib.DropAll()
if error:
    sys.exit(error.decode())
none = "0" * 16
for tid in os.listdir("/proc/self/task"):
    try:
        with open(f"/proc/self/task/{tid}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
    except (FileNotFoundError, ProcessLookupError):
        continue
    held = [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")]
    if held != [none] * 4 or status["NoNewPrivs"] != "1":
        sys.exit(f"thread {tid}: {status}")
sys.stdout.flush()
os._exit(0)
