package kernel

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
)

// Where the system was booted to ignore file capabilities, what the file grants is not
// missed for another reason.
func TestNoFileCaps(t *testing.T) {
	f := machines(t)["traced"].record.Facts()
	f.Proc.TracerPid, f.Kernel.NoFile = f.Proc.TracerPid.Now(0), f.Kernel.NoFile.Now(true)
	g := Goal{Network: "tcp", Port: 443, Raises: true}
	got := bindRefused(f, g, &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EACCES)}).Causes
	if len(got) != 1 || got[0].ID != "no-file-caps" || got[0].Certainty != report.Proven {
		t.Errorf("%+v", got)
	}
}
