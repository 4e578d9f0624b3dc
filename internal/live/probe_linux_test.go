package live

import (
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

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
