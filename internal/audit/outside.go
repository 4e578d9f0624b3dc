package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/term"
)

func extraListener(p Process) (Finding, bool) {
	start, ok := p.PortStart.Is()
	if !ok {
		return Finding{}, false
	}
	low := func(l Listen) bool { return int(l.Addr.Port()) < start }
	if !slices.ContainsFunc(p.Listens.Value, low) {
		return Finding{}, false
	}
	f := Finding{ID: "extra-listener", Severity: Medium}
	var ports []string
	for i, e := range p.sockets() {
		l := p.Listens.Value[i]
		if l.Network == "tcp" && !low(l) && l.Addr.Addr().IsUnspecified() {
			f.Evidence, ports = append(f.Evidence, e), append(ports, strconv.Itoa(int(l.Addr.Port())))
		}
	}
	if len(ports) == 0 {
		return Finding{}, false
	}
	f.Summary = "it listens on " + strings.Join(slices.Compact(ports), ", ") + " too, on every address"
	return f, true
}

func wayToRoot(p Process) (Finding, bool) {
	f := Finding{ID: "way-to-root", Severity: Medium}
	if p.IsRoot() {
		return f, false
	}
	seen := map[string]bool{}
	for _, t := range p.threads() {
		for _, d := range p.Doors.Value {
			whose, open := d.opens(t)
			if !open || d.Unsure != "" || d.asks() || seen[d.Path+d.Allows] {
				continue
			}
			seen[d.Path+d.Allows] = true
			if d.Root {
				f.Severity = High
			}
			if f.Summary == "" || d.Root && !strings.Contains(f.Summary, "root") {
				f.Summary = whose + " may " + verb(d) + " " + term.Show(d.Path)
				f.Allows = d.Allows
			}
			f.Evidence = append(f.Evidence, known("mode of "+d.Path, fmt.Sprintf("%#o %d:%d", d.Mode&0o7777, d.UID, d.GID),
				fmt.Sprintf("%s is %#o %d:%d: %s may %s it", term.Show(d.Path), d.Mode&0o7777, d.UID, d.GID, whose, verb(d)), "stat"))
		}
	}
	if f.Summary == "" {
		return f, false
	}
	t := p.threads()[0]
	f.Evidence = append(f.Evidence, known("Groups", t.Groups, fmt.Sprintf("uid %d, gid %d, groups %q", t.UIDs.FS, t.GIDs.FS, t.Groups), p.source("status")))
	return f, true
}

// openDoor: what was opened before a change of user or a drop stays open.
func openDoor(p Process) (Finding, bool) {
	f := Finding{ID: "open-door", Severity: Medium}
	if p.IsRoot() {
		return f, false
	}
	for _, o := range p.Open.Value {
		if o.Door == nil {
			continue
		}
		if o.Door.Root {
			f.Severity = High
		}
		fd := fmt.Sprintf("fd/%d", o.FD)
		what := "descriptor " + fmt.Sprint(o.FD) + " is " + term.Show(o.Door.Path) + ", open to " + verb(*o.Door)
		if o.Span != "" {
			fd, what = "map_files/"+o.Span, "its memory is "+term.Show(o.Door.Path)+", mapped to "+verb(*o.Door)
		}
		if f.Summary == "" {
			f.Summary, f.Allows = what, o.Door.Allows
		}
		f.Evidence = append(f.Evidence, known(fd, o.Door.Path, what, p.source(fd)))
	}
	return f, f.Summary != ""
}

func verb(d Door) string {
	switch d.Need {
	case 2:
		return "write"
	case 3:
		return "put a file into"
	}
	return "read"
}
