package caps_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/lowport/lowport/caps"
)

func ExampleParseCap() {
	c, err := caps.ParseCap("NET_BIND_SERVICE")
	fmt.Println(c, err)
	_, err = caps.ParseCap("net_bnd_service")
	fmt.Println(err)
	// Output:
	// cap_net_bind_service <nil>
	// capability "net_bnd_service": byte 0: no capability is named "net_bnd_service"; nearest is cap_net_bind_service
}

func ExampleParseText() {
	s, err := caps.ParseText("cap_net_raw+ep cap_net_bind_service+ep")
	fmt.Println(caps.FormatText(s), err)
	_, err = caps.ParseText("cap_net_raw=epx")
	fmt.Println(err)
	// Output:
	// cap_net_bind_service,cap_net_raw=ep <nil>
	// cap_text "cap_net_raw=epx": byte 14: want one of e, i, p
}

func ExampleParseMask() {
	s, err := caps.ParseMask("0000020000002400")
	fmt.Println(s.Decode(), err)
	// Output: 0x0000020000002400=cap_net_bind_service,cap_net_raw,41 <nil>
}

func ExampleSet() {
	s := caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_RAW)
	fmt.Println("cap_text(3):", s)
	fmt.Println("Kubernetes: ", s.Kubernetes())
	fmt.Println("systemd:    ", s.Systemd())
	fmt.Println("setpriv:    ", s.Setpriv())
	b, _ := json.Marshal(s)
	fmt.Printf("OCI:         %s\n", b)
	// Output:
	// cap_text(3): cap_net_bind_service,cap_net_raw
	// Kubernetes:  [NET_BIND_SERVICE NET_RAW]
	// systemd:     CAP_NET_BIND_SERVICE CAP_NET_RAW
	// setpriv:     -all,+net_bind_service,+net_raw
	// OCI:         ["CAP_NET_BIND_SERVICE","CAP_NET_RAW"]
}

func ExampleSet_flag() {
	var keep caps.Set
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.Var(&keep, "keep", "capabilities to keep")
	_ = flags.Parse([]string{"-keep", "net_raw,NET_BIND_SERVICE"})
	fmt.Println(keep)
	// Output: cap_net_bind_service,cap_net_raw
}

func ExampleSet_ParseSystemd() {
	// CapabilityBoundingSet= is full where the unit does not say it,
	// AmbientCapabilities= is empty.
	bounding, err := caps.UpTo(caps.Last).ParseSystemd("CAP_NET_BIND_SERVICE CAP_SYS_ADMIN", "~CAP_SYS_ADMIN")
	fmt.Println(bounding, err)
	ambient, err := caps.Set(0).ParseSystemd("NET_BIND_SERVICE")
	fmt.Println(ambient, err)
	// Output:
	// cap_net_bind_service <nil>
	//  systemd capability list "NET_BIND_SERVICE": byte 0: no capability is named "NET_BIND_SERVICE"; nearest is cap_net_bind_service
}

func ExampleParseIAB() {
	v, err := caps.ParseIAB("!cap_sys_admin,^cap_net_bind_service")
	fmt.Println("ambient:", v.Ambient, "inheritable:", v.Inheritable, "blocked:", v.Blocked, err)
	// Output: ambient: cap_net_bind_service inheritable: cap_net_bind_service blocked: cap_sys_admin <nil>
}

func ExampleReadStatus() {
	proc := fstest.MapFS{"42/status": {Data: []byte(`CapInh:	0000000000000000
CapPrm:	0000000000000400
CapEff:	0000000000000000
CapBnd:	000001ffffffffff
CapAmb:	0000000000000000
NoNewPrivs:	0
`)}}
	s, err := caps.ReadStatus(proc, 42)
	fmt.Println(caps.FormatText(s), err)
	_, err = caps.ReadStatus(proc, 43)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// cap_net_bind_service=p <nil>
	// true
}

// What will a program hold that setcap gave cap_net_bind_service=+ep? And what
// if the bounding set, such as a container's, lacks it?
func ExampleState_Exec() {
	user := caps.State{Bounding: caps.UpTo(caps.Last)}
	file, _ := caps.ParseFile("cap_net_bind_service=+ep")
	e := caps.Exec{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000, File: &file}

	s, err := user.Exec(e)
	fmt.Println(caps.FormatText(s), err)

	user.NoNewPrivs = true
	s, err = user.Exec(e)
	fmt.Println(caps.FormatText(s), err)

	user.Bounding = 0
	_, err = user.Exec(e)
	fmt.Println(errors.Is(err, fs.ErrPermission))
	// Output:
	// cap_net_bind_service=ep <nil>
	// = <nil>
	// true
}

// Root becomes a user: everything but the inheritable set is gone.
func ExampleState_SetUIDs() {
	root := caps.State{Permitted: caps.UpTo(caps.Last), Effective: caps.UpTo(caps.Last), Inheritable: caps.SetOf(caps.NET_RAW)}
	user := caps.UIDs{Real: 1000, Effective: 1000, Saved: 1000}
	fmt.Println(caps.FormatText(root.SetUIDs(caps.UIDs{}, user)))

	root.Securebits |= caps.KeepCaps
	fmt.Println(caps.FormatText(root.SetUIDs(caps.UIDs{}, user)))
	// Output:
	// cap_net_raw=i
	// =p cap_net_raw+i
}

func ExampleDecodeFile() {
	f, err := caps.DecodeFile([]byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	fmt.Println(f, err)
	// Output: cap_net_bind_service=ep <nil>
}
