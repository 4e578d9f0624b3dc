package predict

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/errnos"
)

// A seccomp filter and a BPF program may answer with any errno, and the recording
// of such a bind is the one that a bug report needs: none is taken for a success,
// and each is read back.
func TestOutcomeOfAnyErrno(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("recordings are made on Linux")
	}
	for e := syscall.Errno(1); e <= 4095; e++ {
		if e == 200 {
			e = 4080 // those between have no names either
		}
		line := Outcome{Port: 443, Errno: errnos.Name(e)}.String()
		if o, err := ParseOutcome(line); err != nil || o.Errno == "" {
			t.Fatalf("errno %d: %q is read as %+v, %v", e, line, o, err)
		}
		if again, ok := errnos.Of(errnos.Name(e)); !ok || again != e && errnos.Name(again) != errnos.Name(e) {
			t.Fatalf("errno %d is read back as %d", e, again)
		}
	}
}

// A recording of a program that knows nothing of capabilities says so.
func TestOutcomeOfForeign(t *testing.T) {
	line := Outcome{Port: 443, Errno: "EACCES", Via: "plain", Foreign: true, OnlyTCP: true}.String()
	if o, err := ParseOutcome(line); err != nil || !o.Foreign || !o.OnlyTCP || o.Via != "plain" {
		t.Errorf("%q is read as %+v, %v", line, o, err)
	}
	if o, err := ParseOutcome("bind 443 EACCES\n"); err != nil || o.Foreign {
		t.Errorf("foreign without the word: %+v, %v", o, err)
	}
}
