package needs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Root ends a test that needs to be root, where it is not or one of the tools is
// not installed. Root is the one of a whole machine: that of a container has not
// the capabilities, that of a user namespace is nobody outside of it, and under
// no_new_privs no file gives any. It is [Suid] too.
func Root(t testing.TB, tools ...string) {
	t.Helper()
	if why := notRoot(); why != "" {
		Lack(t, "root, and "+why)
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			Lack(t, tool)
		}
	}
	Suid(t)
}

// Suid sees to it that the temporary files of a test are from then on where a
// file's capabilities count. Many a /tmp is a mount of its own with nosuid.
func Suid(t testing.TB) {
	t.Helper()
	if nosuid(os.TempDir()) {
		if nosuid("/var/tmp") {
			Lack(t, "a folder for temporary files that is not on a nosuid mount")
		}
		t.Setenv("TMPDIR", "/var/tmp")
	}
}

// nosuid reports whether a folder is on such a mount, or cannot be looked at.
func nosuid(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) != nil || st.Flags&unix.ST_NOSUID != 0
}

// rootHas is what the tests do as root. It is not everything: a virtual machine's
// root may lack some of the rest.
var rootHas = []uint{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_KILL, unix.CAP_MKNOD,
	unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_RAW, unix.CAP_SETFCAP,
	unix.CAP_SETGID, unix.CAP_SETPCAP, unix.CAP_SETUID, unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT,
}

// notRoot says why this process is not the root of a whole machine, "" where it is.
func notRoot() string {
	if os.Geteuid() != 0 {
		return "this is an ordinary user"
	}
	// Without user namespaces in the kernel there is no such file.
	ids, err := os.ReadFile("/proc/self/uid_map")
	if err == nil && strings.Join(strings.Fields(string(ids)), " ") != "0 0 4294967295" {
		return "this is the root of a user namespace"
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err.Error()
	}
	for _, c := range rootHas {
		bounding, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if err != nil || bounding != 1 || data[c/32].Effective&(1<<(c%32)) == 0 {
			return fmt.Sprintf("this one lacks capability %d, as in a container", c)
		}
	}
	if nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || nnp != 0 {
		return "no_new_privs is set"
	}
	return ""
}
