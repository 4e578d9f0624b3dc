package recording

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
)

func TestReplayOfAnyErrno(t *testing.T) {
	for _, name := range []string{"ENOSYS", "200"} {
		var refused *report.Error
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
	if refused := (*report.Error)(nil); err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), "EWHAT") {
		t.Errorf("%v", err)
	}
}
