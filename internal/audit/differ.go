package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// threadsDiffer compares what the kernel keeps by thread.
func threadsDiffer(p Process) (Finding, bool) {
	tids := slices.Sorted(maps.Keys(p.Threads.Value))
	var odd []int
	for _, tid := range tids {
		if p.Threads.Value[tid] != p.Threads.Value[tids[0]] {
			odd = append(odd, tid)
		}
	}
	if len(odd) == 0 {
		return Finding{}, false
	}
	first := p.Threads.Value[tids[0]]
	f := Finding{ID: "threads-differ", Severity: Medium, Summary: fmt.Sprintf("%d of its %d threads differ from the first", len(odd), len(tids))}
	for _, tid := range odd {
		if t := p.Threads.Value[tid]; !alike(t, first) {
			f.Severity = High
		}
	}
	for i, tid := range append([]int{tids[0]}, odd...) {
		if i > 3 {
			break // the others are of the kind
		}
		t, than := p.Threads.Value[tid], first
		if i == 0 {
			than = p.Threads.Value[odd[0]]
		}
		f.Evidence = append(f.Evidence, known("thread "+strconv.Itoa(tid), t.differs(than), "thread "+strconv.Itoa(tid)+": "+t.differs(than), p.source("task/"+strconv.Itoa(tid)+"/status")))
	}
	return f, true
}

// alike reports whether two threads differ in their bounding sets at most, which give
// nothing by themselves.
func alike(t, u Thread) bool {
	t.Bounding = u.Bounding
	return t == u
}

// differs says what of a thread is not as in another one.
func (t Thread) differs(u Thread) string {
	var words []string
	note := func(differ bool, format string, args ...any) {
		if differ {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	note(t.Permitted != u.Permitted, "CapPrm %s", t.Permitted.Hex())
	note(t.Effective != u.Effective, "CapEff %s", t.Effective.Hex())
	note(t.Inheritable != u.Inheritable, "CapInh %s", t.Inheritable.Hex())
	note(t.Ambient != u.Ambient, "CapAmb %s", t.Ambient.Hex())
	note(t.Bounding != u.Bounding, "CapBnd %s", t.Bounding.Hex())
	note(t.NoNewPrivs != u.NoNewPrivs, "NoNewPrivs %t", t.NoNewPrivs)
	note(t.Seccomp != u.Seccomp, "seccomp %v", t.Seccomp)
	note(t.UIDs != u.UIDs, "Uid %d %d %d %d", t.UIDs.Real, t.UIDs.Effective, t.UIDs.Saved, t.UIDs.FS)
	note(t.GIDs != u.GIDs, "Gid %d %d %d %d", t.GIDs.Real, t.GIDs.Effective, t.GIDs.Saved, t.GIDs.FS)
	note(t.Groups != u.Groups, "groups %s", t.Groups)
	return strings.Join(words, ", ")
}
