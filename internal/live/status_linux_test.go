package live

import (
	"runtime"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
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

// A filter answers a call that nobody can mean as it answers the others.
func TestBy(t *testing.T) {
	for _, tt := range []struct {
		refused, absurd unix.Errno
		want            facts.By
	}{
		{unix.EPERM, unix.EPERM, facts.ByFilter},
		{unix.EACCES, unix.EINVAL, facts.ByKernel},
		{unix.EINVAL, unix.EINVAL, ""},
		{unix.EPERM, unix.ENOSYS, ""},
	} {
		if got := by(tt.refused, tt.absurd); got != tt.want {
			t.Errorf("%v, %v: %q, want %q", tt.refused, tt.absurd, got, tt.want)
		}
	}
}
