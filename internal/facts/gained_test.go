package facts

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"
)

func TestGainedOrChangedUser(t *testing.T) {
	data := func(s string) Item { return Item{Data: []byte(s)} }
	for _, tt := range []struct {
		dumpable, secure, label Item
		state                   State
		grown                   bool
	}{
		{data("1\n"), data("0\n"), Item{Err: "EINVAL"}, Known, false},
		{data("1\n"), data("1\n"), Item{Err: "EINVAL"}, Known, true},
		{data("1\n"), data("1\n"), data("unconfined\n"), Known, true},
		{data("0\n"), data("0\n"), Item{Err: "EINVAL"}, Known, true},
		{data("2\n"), Item{Err: "EACCES"}, Item{Err: "EINVAL"}, Known, true},
		{data("1\n"), data("1\n"), data("system_u:system_r:app_t:s0\x00"), Unreadable, false},
		{data("1\n"), data("0\n"), data("system_u:system_r:app_t:s0\x00"), Known, false},
		{data("1\n"), Item{Err: "EACCES"}, Item{Err: "EINVAL"}, Unreadable, false},
		{Item{Err: "EPERM"}, data("0\n"), Item{Err: "EINVAL"}, Unreadable, false},
		{data("x\n"), data("0\n"), Item{Err: "EINVAL"}, Unreadable, false},
	} {
		got := Record{"prctl PR_GET_DUMPABLE": tt.dumpable, "AT_SECURE": tt.secure, "proc/self/attr/current": tt.label}.Facts().Proc.GainedOrChangedUser
		if got.State != tt.state || got.Value != tt.grown || got.State == Unreadable && got.Reason == "" {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
	// Who made itself undumpable is not taken for one that changed its user, which its
	// parent is then not.
	for _, tt := range []struct {
		ancestor Item
		secure   string
		state    State
	}{
		{data("Tgid:\t8\n"), "0\n", Known},
		{data("Tgid:\t7\n"), "0\n", Unreadable},
		{data("Tgid:\t7\n"), "1\n", Known},
		{Item{Err: "ENODATA"}, "0\n", Unreadable},
		{Item{Err: "process 8: ENOENT"}, "0\n", Known},
		{Item{Err: "ENODATA"}, "", Unreadable}, // AT_SECURE is hidden
	} {
		got := Record{"prctl PR_GET_DUMPABLE": data("0\n"), "AT_SECURE": data(tt.secure), "ancestor status": tt.ancestor, "proc/thread-self/status": data("PPid:\t8\n")}.Facts().Proc.GainedOrChangedUser
		if got.State != tt.state || got.Value != (tt.state == Known) {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

// What execve of a setuid or setgid file leaves is no trace of the program's own doing.
func TestGainedOrChangedUserSetid(t *testing.T) {
	r := func(mode uint32, dumpable, secure string) Record {
		return Record{
			"exe stat":              {Data: fmt.Appendf(nil, `{"Mode":%d,"UID":0,"GID":0,"Dev":1,"Ino":2}`, mode)},
			"prctl PR_GET_DUMPABLE": {Data: []byte(dumpable)}, "AT_SECURE": {Data: []byte(secure)}, "proc/self/attr/current": {Err: "EINVAL"},
		}
	}
	for _, tt := range []struct {
		mode             uint32
		dumpable, secure string
		state            State
		grown            bool
	}{
		{0o104755, "0\n", "1\n", Unreadable, false},
		{0o102755, "0\n", "1\n", Unreadable, false},
		{0o102755, "1\n", "1\n", Unreadable, false},
		{0o102755, "1\n", "0\n", Known, false},
		{0o102745, "0\n", "1\n", Known, true}, // no setgid: the group may not execute it
		{0o100755, "0\n", "1\n", Known, true},
	} {
		if got := r(tt.mode, tt.dumpable, tt.secure).Facts().Proc.GainedOrChangedUser; got.State != tt.state || got.Value != tt.grown {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

func TestAuxv(t *testing.T) {
	vector := func(words ...uint64) (b []byte) {
		for _, w := range words {
			if bits.UintSize == 32 {
				b = binary.NativeEndian.AppendUint32(b, uint32(w))
			} else {
				b = binary.NativeEndian.AppendUint64(b, w)
			}
		}
		return b
	}
	for _, want := range []int{0, 1} {
		if got, err := ParseAuxv(vector(6, 4096, 23, uint64(want), 0, 0)); got != want || err != nil {
			t.Errorf("%d, %v, want %d", got, err, want)
		}
	}
	whole := vector(6, 4096, 23, 1, 0, 0)
	for _, b := range [][]byte{nil, whole[:bits.UintSize/8*3], vector(6, 4096, 0, 0, 23, 1), vector(23, 2), vector(6, 4096)} {
		if got, err := ParseAuxv(b); err == nil {
			t.Errorf("%v: %d", b, got)
		}
	}
}
