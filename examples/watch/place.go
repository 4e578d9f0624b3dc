package main

import (
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupRoots are where the hierarchy of cgroups(7), version 2, is mounted: alone, or beside
// those of version 1.
var cgroupRoots = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}

// cgroupRoot returns the id of the cgroup that this process sees as the root, 0 for none.
func cgroupRoot() uint64 {
	for _, at := range cgroupRoots {
		var fs unix.Statfs_t
		var st unix.Stat_t
		if unix.Statfs(at, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC && unix.Stat(at, &st) == nil {
			return st.Ino
		}
	}
	return 0
}

// Whereabouts are what a cgroup is of.
type whereabouts struct {
	Unit      string `json:"unit,omitempty"`      // "app.service"
	Container string `json:"container,omitempty"` // its id, shortened as the engines do
	Pod       string `json:"pod,omitempty"`       // the uid of a Kubernetes pod
}

var (
	inContainer = regexp.MustCompile(`(?:docker|libpod|cri-containerd|crio|nerdctl)[-/](?:conmon-)?([0-9a-f]{12})[0-9a-f]{52}\b|/([0-9a-f]{12})[0-9a-f]{52}(?:/|$)`)
	inPod       = regexp.MustCompile(`[/-]pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})(?:\.slice)?(?:/|$)`)
	inUnit      = regexp.MustCompile(`/([^/]+\.(?:service|scope))(?:/|$)`)
)

// placeOf names the unit, container and pod of a cgroup, by the names that systemd, the
// container engines and the kubelet give to cgroups.
func placeOf(cgroup string) (p whereabouts) {
	if m := inContainer.FindStringSubmatch(cgroup); m != nil {
		p.Container = m[1] + m[2]
	}
	if m := inPod.FindStringSubmatch(cgroup); m != nil {
		p.Pod = strings.ReplaceAll(m[1], "_", "-")
	}
	if all := inUnit.FindAllStringSubmatch(cgroup, -1); all != nil && p == (whereabouts{}) {
		p.Unit = all[len(all)-1][1]
	}
	return p
}

// String names it in a few words, "" for none.
func (p whereabouts) String() string {
	var words []string
	for _, w := range []struct{ kind, name string }{{"unit", p.Unit}, {"container", p.Container}, {"pod", p.Pod}} {
		if w.name != "" {
			words = append(words, w.kind+" "+w.name)
		}
	}
	return strings.Join(words, ", ")
}
