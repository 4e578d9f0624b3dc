package audit

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
)

const status = `Name:	server
State:	S (sleeping)
Uid:	1000	0	0	1000
Gid:	1000	1000	1000	1000
Groups:	27 4 1000 
VmSize:	    1000 kB
Threads:	3
CapInh:	0000000000000000
CapPrm:	0000000000000400
CapEff:	0000000000000000
CapBnd:	000001ffffffffff
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	2
`

func TestParseThread(t *testing.T) {
	want := Thread{
		State: caps.State{Permitted: port, Bounding: caps.UpTo(caps.Last), NoNewPrivs: true},
		UIDs:  IDs{1000, 0, 0, 1000}, GIDs: same4(1000), Groups: "4 27 1000", Seccomp: caps.SeccompFilter,
	}
	got, err := ParseThread([]byte(status))
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if !reflect.DeepEqual(got.groups(), []uint32{4, 27, 1000}) {
		t.Errorf("groups %v", got.groups())
	}
	if got, err := ParseThread([]byte(strings.Replace(status, "Seccomp:\t2\n", "", 1))); err != nil || got.Seccomp != 0 {
		t.Errorf("without seccomp: %+v, %v", got, err)
	}
	for _, cut := range []string{"Uid:\t1000\t0\t0\t1000\n", "\t1000\nGid", "Groups:\t27 4 1000 \n", "CapPrm:\t0000000000000400\n", "NoNewPrivs:\t1\n", "Seccomp:\t2"} {
		text := strings.Replace(status, cut, "", 1)
		if cut == "Seccomp:\t2" {
			text = strings.Replace(status, cut, "Seccomp:\tx", 1)
		}
		if _, err := ParseThread([]byte(text)); err == nil {
			t.Errorf("without %q it can be read", cut)
		}
		if _, err := ParseThread([]byte(status + cut)); err == nil && strings.Contains(cut, "Uid:") {
			t.Errorf("twice %q", cut)
		}
	}
}

func TestEnded(t *testing.T) {
	zombie := strings.Replace(status, "S (sleeping)", "Z (zombie)", 1)
	for text, want := range map[string][2]bool{
		status: {false, false},
		strings.Replace(zombie, "Threads:\t3", "Threads:\t1", 1):                                        {true, false},
		strings.Replace(zombie, "VmSize:\t    1000 kB\n", "", 1):                                        {false, false}, // others go on
		strings.Replace(status, "VmSize:\t    1000 kB\n", "", 1):                                        {false, false}, // it ends, and others go on
		strings.NewReplacer("VmSize:\t    1000 kB\n", "", "Threads:\t3", "Threads:\t1").Replace(status): {false, true},
		strings.Replace(status, "S (sleeping)", "X (dead)\nX:\tx", 1):                                   {false, false},
		strings.Replace(status, "Name:\tserver", "Name:\tState:\\tZ", 1):                                {false, false},
	} {
		if got := [2]bool{ended([]byte(text)), isKernel([]byte(text))}; got != want {
			t.Errorf("%v, not %v: %s", got, want, text)
		}
	}
}

func TestHides(t *testing.T) {
	for text, want := range map[string]bool{
		"22 1 0:20 / /proc rw,nosuid - proc proc rw\n":                                                              false,
		"22 1 0:20 / /proc rw,nosuid shared:3 - proc proc rw,hidepid=invisible\n":                                   true,
		"22 1 0:20 / /proc rw - proc proc rw,gid=12,hidepid=2\n":                                                    true,
		"22 1 0:20 / /proc rw - proc proc rw,hidepid=off\n":                                                         false,
		"22 1 0:20 / /proc rw - proc proc rw,hidepid=0\n":                                                           false,
		"22 1 0:20 / /proc rw - proc proc rw,hidepid=2\n23 22 0:21 / /proc rw - proc proc rw\n":                     false,
		"22 1 0:20 / /proc rw - proc proc rw\n23 22 0:21 / /proc/sys rw - proc proc rw,hidepid=2\n":                 false,
		"22 1 0:20 / /proc rw - tmpfs proc rw,hidepid=2\nshort\n22 1 0:20 / /proc rw - proc\n22 1 / - proc p hid\n": false,
	} {
		if _, _, got := hides([]byte(text)); got != want {
			t.Errorf("%v: %s", got, text)
		}
	}
	if _, gid, _ := hides([]byte("22 1 0:20 / /proc rw - proc proc rw,gid=12,hidepid=2\n")); gid != 12 {
		t.Errorf("gid %d", gid)
	}
	for _, v := range []string{"4", "ptraceable"} {
		if _, gid, hidden := hides([]byte("22 1 0:20 / /proc rw - proc proc rw,gid=12,hidepid=" + v + "\n")); gid != 0 || !hidden {
			t.Errorf("%s: %v, though its group %d sees no more", v, hidden, gid)
		}
	}
}

// What is read is all there, and what is not is an error and no panic.
func FuzzParseThread(f *testing.F) {
	f.Add([]byte(status))
	f.Add([]byte("Uid:\t1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ended(text)
		isKernel(text)
		hides(text)
		uidMap(text)
		thread, err := ParseThread(text)
		if err != nil {
			if thread != (Thread{}) {
				t.Errorf("%+v beside %v", thread, err)
			}
			return
		}
		for _, name := range []string{"Uid:", "Gid:", "Groups:", "CapPrm:", "CapEff:", "CapInh:", "CapBnd:", "CapAmb:", "NoNewPrivs:"} {
			if !strings.Contains("\n"+string(text), "\n"+name) {
				t.Errorf("read without %s", name)
			}
		}
	})
}
