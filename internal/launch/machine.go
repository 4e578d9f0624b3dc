package launch

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// ofMachine answers the conditions about the machine, by what it shows of process 1. sure is
// false where it does not show it.
func ofMachine(root fs.FS, name, value string) (met, sure bool) {
	read := func(file string) string {
		b, err := fs.ReadFile(root, file)
		sure = err == nil
		return strings.TrimSpace(string(b))
	}
	switch name {
	case "Architecture":
		is, known := architectures[read("proc/sys/kernel/arch")]
		return is == value, known && sure && value != "native"
	case "Capability":
		state, err := caps.ParseStatus([]byte(read("proc/1/status") + "\n"))
		c, errCap := caps.ParseCap(strings.ToLower(value))
		return state.Bounding.Has(c), sure && err == nil && errCap == nil
	case "FirstBoot":
		on, ok := boolean(value)
		_, err := fs.Stat(root, "run/systemd/first-boot")
		return (err == nil) == on, ok && (err == nil || errors.Is(err, fs.ErrNotExist))
	case "KernelVersion":
		return atLeast(read("proc/sys/kernel/osrelease"), value)
	}
	mount, found := facts.ParseMounts([]byte(read("proc/1/mountinfo"))).At(path.Clean(value))
	_, err := fs.Stat(root, inside(value))
	there := err == nil
	if name == "PathIsMountPoint" {
		return there && mount.Point == path.Clean(value), sure && found
	}
	return there && !mount.ReadOnly, sure && found
}

// architectures are systemd's names of what uname(2) says.
var architectures = map[string]string{"x86_64": "x86-64", "aarch64": "arm64", "i686": "x86", "armv7l": "arm", "riscv64": "riscv64",
	"ppc64le": "ppc64-le", "s390x": "s390x", "loongarch64": "loongarch64"}

// atLeast answers a comparison of the kernel's version with a number such as ">=5.10". What
// compares otherwise, or at the same number, is not looked at.
func atLeast(release, value string) (met, sure bool) {
	number := strings.TrimSpace(strings.TrimLeft(value, "<>="))
	sign := strings.TrimSpace(strings.TrimSuffix(value, number))
	order := 0
	has, wanted := strings.SplitN(release, ".", 3), strings.SplitN(number, ".", 3)
	for i := 0; i < 2 && i < len(has) && i < len(wanted) && order == 0; i++ {
		a, errA := strconv.Atoi(has[i])
		b, errB := strconv.Atoi(wanted[i])
		if errA != nil || errB != nil {
			return false, false
		}
		order = cmp.Compare(a, b)
	}
	switch sign {
	case ">=", ">":
		return order == 1, order != 0
	case "<=", "<":
		return order == -1, order != 0
	}
	return false, false
}

// virtualization answers ConditionVirtualization=. In a container systemd names it in
// /run/systemd/container; a virtual machine of x86 shows the flag of a hypervisor.
func virtualization(root fs.FS, value string) (met, sure bool) {
	name, err := fs.ReadFile(root, "run/systemd/container")
	inside := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, false
	}
	cpu, err := fs.ReadFile(root, "proc/cpuinfo")
	machine := err == nil && strings.Contains(string(cpu), " hypervisor")
	switch on, isBool := boolean(value); {
	case isBool:
		return (inside || machine) == on, inside || machine
	case value == "container":
		return inside, true
	case value == "vm":
		return machine && !inside, inside || machine
	case inside:
		return strings.TrimSpace(string(name)) == value, value != "private-users"
	}
	return false, false
}
