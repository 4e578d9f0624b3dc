package ask

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/guard/report"
)

// Outside returns a report that says that it is about another process, which has that id.
func Outside(pid int, r report.Report) report.Report {
	r.Headline = fmt.Sprintf("process %d: %s", pid, r.Headline)
	named := strings.NewReplacer("/proc/self/", fmt.Sprintf("/proc/%d/", pid), "/proc/thread-self/", fmt.Sprintf("/proc/%d/", pid))
	for i := range r.Facts {
		r.Facts[i].Source = named.Replace(r.Facts[i].Source)
	}
	return r
}
