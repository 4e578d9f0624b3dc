package main

// A row is one line of the tables of README.md.
type row struct {
	work, beside string // beside is what the work is compared with; "" for nothing
	name         string // of the benchmark
	metric       string
	most         float64 // the bar: 0 for none
}

// A run is one call of the benchmarks.
type run struct{ bench, benchtime string }

var runs = []run{
	{"Bind/(lowport|Listen|BindPacket)/net$", "2000x"},
	{"Raise/(bind|net.Listen|guard.Bind)$", "500x"},
	{"Require", "60x"},
	{"Threads", "10x"},
	{"Process", "2000x"},
	{"Start/(lowport|OwnNetwork)/bare$", "2000x"},
	{"Refusal", "100x"},
	{"Diagnose", "3x"},
	{"Audit", "1x"},
	{"Preflight", "20x"},
	{"Worlds", "100x"},
	{"Scan/getcap/lowport$", "2x"},
}

// ratios compare two ways in turn, in processor time: 1.00 is as much.
var ratios = []row{
	{"guard.Bind, plain, with its Close", "net.Listen", "Bind/lowport/net", "ratio", 1.1},
	{"guard.Listen, plain", "net.Listen", "Bind/Listen/net", "ratio", 0},
	{"guard.BindPacket, plain", "net.ListenPacket", "Bind/BindPacket/net", "ratio", 0},
	{"guard.Bind, raised", "refused, capset, net.Listen, capset", "Raise/guard.Bind", "ratio", 0},
	{"privport.Raise around a bind", "capset, bind, capset", "Raise/bind", "ratio", 1.5},
	{"guard.Require, that holds, 10 threads", "caps.Threads", "Require/Require/Threads/threads=10", "ratio", 1.5},
	{"the same, 1,000 threads", "caps.Threads", "Require/Require/Threads/threads=1000", "ratio", 1.5},
	{"caps.Threads, 10 threads", "list, openat, read, close of each, list", "Threads/Threads/raw/threads=10", "ratio", 0},
	{"the same, 5,000 threads", "list, openat, read, close of each, list", "Threads/Threads/raw/threads=5000", "ratio", 0},
	{"caps.Process", "open, read, close", "Process/Process/raw", "ratio", 1.1},
	{"privport.Start", "open, read, close of the sysctl", "Start/lowport/bare", "ratio", 2},
	{"privport.OwnNetwork", "open, ioctl, close", "Start/OwnNetwork/bare", "ratio", 2},
	{"a refusal, nothing on the port", "the one list of TCP's sockets in it", "Refusal/list", "ratio", 0},
	{"a refusal, port in use, 18,000 sockets", "ss -ltnp", "Diagnose/ss/sockets=18000", "ratio", 1},
	{"getcap -r /usr", "caps.Scan(\"/usr\")", "Scan/getcap/lowport", "ratio", 0},
}

// times are medians of processor time, in microseconds.
var times = []row{
	{"a refusal, nothing on the port", "", "Refusal/list", "cpu-µs", 0},
	{"a refusal, port in use", "", "Diagnose/sockets=0", "cpu-µs", 0},
	{"the same beside 18,000 sockets", "", "Diagnose/sockets=18000", "cpu-µs", 0},
	{"the same beside 108,000 sockets", "", "Diagnose/sockets=108000", "cpu-µs", 0},
	{"audit.All, 500 processes more", "", "Audit/processes=500", "cpu-µs", 0},
	{"audit.All, 1,000 processes more", "", "Audit/processes=1000", "cpu-µs", 0},
	{"audit.All, 2,000 processes more", "", "Audit/processes=2000", "cpu-µs", 0},
	{"preflight.Bind of a program", "", "Preflight/Bind", "cpu-µs", 0},
	{"recording.Replay: the worlds, causes and fixes", "", "Worlds/Replay", "cpu-µs", 0},
}
