package guard

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/kernel"
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
		line := outcome{port: 443, errno: kernel.ErrnoName(e)}.String()
		if o, err := parseOutcome(line); err != nil || o.errno == "" {
			t.Fatalf("errno %d: %q is read as %+v, %v", e, line, o, err)
		}
		if again, ok := kernel.Errno(kernel.ErrnoName(e)); !ok || again != e && kernel.ErrnoName(again) != kernel.ErrnoName(e) {
			t.Fatalf("errno %d is read back as %d", e, again)
		}
	}
}

func TestReplayOfAnyErrno(t *testing.T) {
	for _, name := range []string{"ENOSYS", "200"} {
		var refused *Error
		var errno syscall.Errno
		err := Replay([]byte("bind 443 "+name+"\n-- user --\napp\n"), ":443")
		if !errors.As(err, &refused) || !errors.As(err, &errno) || refused.Errno != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is no errno of this system is no refusal, and no errno 0.
func TestProbesOfNoErrno(t *testing.T) {
	err := Replay([]byte("-- probes --\n"+`[{"Network":"tcp4","Errno":"EWHAT"},{"Network":"tcp6","Errno":"EWHAT"}]`+"\n"), ":443")
	if refused := (*Error)(nil); err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), "EWHAT") {
		t.Errorf("%v", err)
	}
}
