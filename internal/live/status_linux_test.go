package live

import (
	"runtime"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// What system calls say of a thread is what /proc says.
func TestStatusByCalls(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	want, err := readPath("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	got, err := statusByCalls()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Tgid", "PPid", "Seccomp"} {
		parse := facts.StatusInt(line, 1<<30)
		a, err := parse(got)
		b, err2 := parse(want)
		if a != b || err != nil || err2 != nil {
			t.Errorf("%s: %d (%v), and in /proc %d (%v)", line, a, err, b, err2)
		}
	}
	state, err := caps.ParseStatus(got)
	inProc, err2 := caps.ParseStatus(want)
	if state != inProc || err != nil || err2 != nil {
		t.Errorf("%v (%v), and in /proc %v (%v)", state, err, inProc, err2)
	}
	ids, err := facts.ParseIDs(got)
	idsInProc, err2 := facts.ParseIDs(want)
	if ids != idsInProc || err != nil || err2 != nil {
		t.Errorf("%v (%v), and in /proc %v (%v)", ids, err, idsInProc, err2)
	}
}
