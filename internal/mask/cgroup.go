package mask

import (
	"regexp"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

var (
	cgroupLine = regexp.MustCompile(`\A([0-9]+):([^:]*):(/.*)\n\z`)
	controller = regexp.MustCompile(`\A(?:name=systemd|(?:blkio|cpu|cpuacct|cpuset|devices|freezer|hugetlb|memory|misc|net_cls|net_prio|perf_event|pids|rdma|,)*)\z`)
)

// maskCgroups keeps the hierarchies, and of each path what maskCgroup keeps.
func maskCgroups(b []byte, _ addrMask) ([]byte, bool) {
	var out []byte
	for line := range strings.Lines(string(b)) {
		m := cgroupLine.FindStringSubmatch(line)
		if m == nil {
			return nil, false
		}
		if !controller.MatchString(m[2]) {
			m[2] = "name=other"
		}
		out = append(out, m[1]+":"+m[2]+":"+maskCgroup(m[3])+"\n"...)
	}
	return out, true
}

// maskCgroup keeps the shape of a cgroup's path: which parts are slices, scopes
// and services, and the marks of container engines.
func maskCgroup(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = maskPart(part)
	}
	return strings.Join(parts, "/")
}

func maskPart(part string) string {
	switch part {
	case "", "..", "system.slice", "user.slice", "app.slice", "session.slice", "init.scope":
		return part
	}
	suffix := ""
	for _, s := range []string{".service", ".slice", ".scope", ".socket"} {
		if strings.HasSuffix(part, s) {
			suffix = s
		}
	}
	for _, mark := range []string{"kubepods", "docker", "lxc"} {
		if strings.HasPrefix(part, mark) {
			return mark + suffix
		}
	}
	for _, mark := range []string{"cri-containerd", "libpod"} {
		if strings.Contains(part, mark) {
			return mark + suffix
		}
	}
	switch {
	case suffix == ".service" && !facts.UnitName(part):
		return "no name of a unit" + suffix
	case suffix == ".service" && strings.HasPrefix(part, "user@"):
		return "user@1000.service"
	case suffix == ".service":
		return maskedUnit
	case suffix != "":
		return "group" + suffix
	default:
		return "group"
	}
}
