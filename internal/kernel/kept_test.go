package kernel_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	. "github.com/lowport/lowport/internal/kernel"
)

// A user's process that has a capability which no execve left it was root's, and changed its user
// itself (PR_SET_KEEPCAPS): then it let go of the rest.
func TestKeptOthers(t *testing.T) {
	raw := caps.SetOf(caps.NET_RAW)
	ambient := caps.State{Permitted: raw, Effective: raw, Inheritable: raw, Ambient: raw, Bounding: caps.UpTo(caps.Last)}
	kept := ambient
	kept.Inheritable, kept.Ambient = 0, 0
	changed := func(f *facts.Facts) { f.Proc.Dumpable = known(0) }
	same := func(f *facts.Facts) { f.Proc.Dumpable, f.File.ChangedSince = known(1), known(false) }
	unchanged := func(f *facts.Facts) { f.File.ChangedSince = known(false) }
	for _, tt := range []struct {
		name string
		f    facts.Facts
		want string
	}{
		{"kept", with(web(), holding(kept), changed, unchanged), "let-go"},
		{"ambient", with(web(), holding(ambient), same), "no-capability"},
		{"by its file", with(web(), holding(kept), same, func(f *facts.Facts) {
			f.File.Exe.Caps = known(caps.File{Version: 2, Permitted: raw, Effective: true})
		}), "file-caps-partial"},
	} {
		err, g := os.NewSyscallError("bind", syscall.EACCES), tcp("", 443)
		g.Refused = RefusalOf(err)
		if c := Explain(&tt.f, g, err).Causes[0]; c.ID != tt.want {
			t.Errorf("%s: %s (%s), not %s", tt.name, c.ID, c.Certainty, tt.want)
		}
	}
}
