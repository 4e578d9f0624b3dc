package live

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// dumpable asks whether this process is dumpable. fs.suid_dumpable decides that for a process
// that changed its user (commit_creds). A process that may not read its program is not
// dumpable (would_dump), which says nothing about its user: that is an error.
func dumpable() ([]byte, error) {
	n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return nil, err
	}
	const suidDumpable = "/proc/sys/fs/suid_dumpable"
	if n == 1 {
		switch set, err := task.ReadFile(suidDumpable, make([]byte, 16)); {
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

// Keys of the auxiliary vector, from <linux/auxvec.h>.
const (
	atSecure = 23
	atExecfn = 31
)

// secure reads AT_SECURE of getauxval(3).
func secure() ([]byte, error) {
	v, err := auxv(atSecure)
	if v > 1 {
		return nil, fmt.Errorf("AT_SECURE is %d", v)
	}
	return fmt.Appendln(nil, v), err
}

// executed returns the path that execve was called with (AT_EXECFN of getauxval(3)), which
// names the running file without /proc. It refuses a relative path, since the folder may have
// changed since, and a script, whose interpreter is the file that runs.
func executed() ([]byte, error) {
	at, err := auxv(atExecfn)
	if err != nil {
		return nil, err
	}
	name := unix.BytePtrToString(*(**byte)(unsafe.Pointer(&at))) // which the kernel left on the stack
	if !filepath.IsAbs(name) {
		return nil, errors.New("not started by a whole path")
	}
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, err
	}
	if isScript(path) {
		return nil, errors.New("a script's name")
	}
	return []byte(path), nil
}

// isScript reports whether the file begins as one that has an interpreter (binfmt_script).
func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false // an interpreter could not have read it either
	}
	defer f.Close()
	var mark [2]byte
	_, err = io.ReadFull(f, mark[:])
	return err == nil && string(mark[:]) == "#!"
}

// auxv finds a value of the auxiliary vector, which the kernel gave the program at execve.
func auxv(key uintptr) (uintptr, error) {
	vector, err := unix.Auxv()
	if err != nil {
		return 0, err
	}
	for _, entry := range vector {
		if entry[0] == key {
			return entry[1], nil
		}
	}
	return 0, fmt.Errorf("no entry %d in the auxiliary vector", key)
}
