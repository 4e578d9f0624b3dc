package caps_test

import (
	"fmt"
	"testing/fstest"

	"github.com/lowport/lowport/caps"
)

// status is that of a process in text, as /proc has it.
const status = `Name:	server
Uid:	1000	1000	1000	1000
CapInh:	0000000000000000
CapPrm:	0000000000000400
CapEff:	0000000000000000
CapBnd:	000001ffffffffff
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	2
`

func ExampleParseStatus() {
	s, err := caps.ParseStatus([]byte(status))
	fmt.Println(s.Permitted, s.NoNewPrivs, err)
	// Output: cap_net_bind_service true <nil>
}

func ExampleParseSeccomp() {
	mode, err := caps.ParseSeccomp([]byte(status))
	fmt.Println(mode, err)
	// Output: filter <nil>
}

func ExampleReadThreads() {
	proc := fstest.MapFS{
		"7/task/7/status": {Data: []byte(status)},
		"7/task/9/status": {Data: []byte(status)},
	}
	threads, err := caps.ReadThreads(proc, 7)
	fmt.Println(len(threads), threads[9].Permitted, err)
	// Output: 2 cap_net_bind_service <nil>
}

func ExampleReadLastCap() {
	proc := fstest.MapFS{"sys/kernel/cap_last_cap": {Data: []byte("40\n")}}
	last, err := caps.ReadLastCap(proc)
	fmt.Println(last, err)
	// Output: cap_checkpoint_restore <nil>
}

func ExampleFormatText() {
	s := caps.State{Permitted: caps.SetOf(caps.NET_RAW), Inheritable: caps.SetOf(caps.NET_RAW)}
	fmt.Println(caps.FormatText(s))
	// Output: cap_net_raw=ip
}

func ExampleAppendText() {
	b := caps.AppendText([]byte("holds "), caps.State{Permitted: caps.SetOf(caps.NET_RAW)})
	fmt.Printf("%s\n", b)
	// Output: holds cap_net_raw=p
}

// What capsh --iab would be given to start a program so.
func ExampleState_IAB() {
	s := caps.State{
		Inheritable: caps.SetOf(caps.NET_BIND_SERVICE),
		Ambient:     caps.SetOf(caps.NET_BIND_SERVICE),
		Bounding:    caps.UpTo(caps.CHECKPOINT_RESTORE).Without(caps.SYS_ADMIN),
	}
	fmt.Println(s.IAB(caps.CHECKPOINT_RESTORE))
	// Output: ^cap_net_bind_service,!cap_sys_admin
}

// Root that takes another filesystem uid cannot read everybody's files.
func ExampleState_SetFSUID() {
	root := caps.State{
		Permitted: caps.SetOf(caps.DAC_READ_SEARCH, caps.NET_BIND_SERVICE),
		Effective: caps.SetOf(caps.DAC_READ_SEARCH, caps.NET_BIND_SERVICE),
	}
	fmt.Println(root.SetFSUID(0, 1000).Effective)
	// Output: cap_net_bind_service
}

// The map of a rootless container: its root is uid 1000 outside.
func ExampleParseIDMap() {
	m, err := caps.ParseIDMap([]byte("0 1000 1\n1 100000 65536\n"))
	fmt.Println(m, err)
	// Output: [{0 1000 1} {1 100000 65536}] <nil>
}

func ExampleIDMap_Outside() {
	m := caps.IDMap{{Inside: 0, Outside: 1000, Count: 1}}
	fmt.Println(m.Outside(0))
	// Output: 1000 true
}

func ExampleIDMap_Inside() {
	m := caps.IDMap{{Inside: 0, Outside: 1000, Count: 1}}
	fmt.Println(m.Inside(0))
	// Output: 0 false
}
