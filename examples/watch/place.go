package main

import (
	"encoding/binary"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroups is the hierarchy of cgroups(7), version 2.
type cgroups struct{ root *os.File } // nil: none is mounted

// cgroupRoots are where it is mounted: alone, or beside those of version 1.
var cgroupRoots = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}

// openCgroups opens the hierarchy.
func openCgroups() (c cgroups) {
	for _, at := range cgroupRoots {
		var st unix.Statfs_t
		if unix.Statfs(at, &st) != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		if root, err := os.Open(at); err == nil {
			return cgroups{root}
		}
	}
	return cgroups{}
}

const fileIDKernfs = 0xfe // FILEID_KERNFS: the handle is the id (kernfs_encode_fh)

// path returns the path of a cgroup from its id, below the root of the hierarchy; "" if it is
// gone or cannot be opened.
func (c cgroups) path(id uint64) string {
	if c.root == nil {
		return ""
	}
	handle := unix.NewFileHandle(fileIDKernfs, binary.NativeEndian.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(int(c.root.Fd()), handle, unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return ""
	}
	below, ok := strings.CutPrefix(name, c.root.Name())
	if !ok || strings.HasSuffix(name, " (deleted)") {
		return ""
	}
	return path.Clean("/" + below)
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
