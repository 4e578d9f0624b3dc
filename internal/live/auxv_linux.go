package live

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// dumpable asks whether this process is dumpable. A process that changed its user is as
// fs.suid_dumpable says (commit_creds), and one that may not read its program is not
// (would_dump).
func dumpable() ([]byte, error) {
	n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return nil, err
	}
	const suidDumpable = "/proc/sys/fs/suid_dumpable"
	if n == 1 {
		switch set, err := readPath(suidDumpable); {
		case err != nil:
			return nil, fmt.Errorf("%s: %s", suidDumpable, Reason(err))
		case string(set) != "0\n" && string(set) != "2\n":
			return nil, errors.New(suidDumpable + " makes every process dumpable")
		}
	} else if err := unix.Faccessat(unix.AT_FDCWD, "/proc/self/exe", unix.R_OK, unix.AT_EACCESS); err != nil {
		return nil, fmt.Errorf("the program may not be read: %s", Reason(err))
	}
	return fmt.Appendln(nil, n), nil
}

// secure reads AT_SECURE: by prctl(2), which Linux has since 6.4, else from /proc,
// where a process that is not dumpable may not read it.
func secure() ([]byte, error) {
	const getAuxv = 0x41555856 // PR_GET_AUXV
	b := make([]byte, 4096)
	n, _, errno := unix.Syscall6(unix.SYS_PRCTL, getAuxv, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if errno == 0 && n <= uintptr(len(b)) {
		b = b[:n]
	} else {
		var err error
		if b, err = readPath("/proc/self/auxv"); err != nil {
			return nil, err
		}
	}
	v, err := facts.ParseAuxv(b)
	return fmt.Appendln(nil, v), err
}
