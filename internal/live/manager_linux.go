package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// UserManager returns what the systemd of a user holds, Absent if none is seen to run. It is
// the process named systemd in init.scope of user@UID.service, where else only a helper of
// PAM runs.
func UserManager(uid uint32) facts.Fact[caps.State] {
	none := facts.Fact[caps.State]{State: facts.Absent, Source: "/proc"}
	all, err := os.ReadDir("/proc")
	if err != nil {
		return facts.Fact[caps.State]{Source: "/proc", Reason: Reason(err)}
	}
	scope := fmt.Sprintf("/user@%d.service/init.scope\n", uid)
	for _, e := range all {
		dir := filepath.Join("/proc", e.Name())
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		cgroup, err := readPath(dir + "/cgroup") // an error means that it has ended, or is hidden
		if err != nil || !strings.HasSuffix(string(cgroup), scope) {
			continue
		}
		if name, err := readPath(dir + "/comm"); err != nil || string(name) != "systemd\n" {
			continue
		}
		status, err := readPath(dir + "/status")
		if err == nil {
			var s caps.State
			if s, err = caps.ParseStatus(status); err == nil {
				return facts.Fact[caps.State]{Value: s, State: facts.Known, Source: dir + "/status"}
			}
		}
		return facts.Fact[caps.State]{Source: dir + "/status", Reason: Reason(err)}
	}
	return none
}
