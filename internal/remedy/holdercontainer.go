package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// inContainer reports whether a cgroup is that of a container of a known engine.
func inContainer(cgroup string) bool {
	engine, _ := containerOf(cgroup)
	return engine != ""
}

// containerOf returns the engine and the id of the container that a cgroup is of, "" for none: the
// names that the engines give to theirs with either cgroup manager. A pod's container has the
// engine "kubernetes".
func containerOf(cgroup string) (engine, id string) {
	parts := strings.Split(cgroup, "/")
	for i, part := range parts {
		name := strings.TrimSuffix(part, ".scope")
		switch kind, rest, _ := strings.Cut(name, "-"); {
		case strings.HasPrefix(name, "kubepods"):
			return "kubernetes", ""
		case kind == "libpod" && isID(rest):
			return "podman", rest
		case kind == "docker" && isID(rest):
			return "docker", rest
		case i > 0 && parts[i-1] == "docker" && isID(name):
			return "docker", name
		}
	}
	return "", ""
}

// isID reports whether s is a container's id.
func isID(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// stopContainer returns the step that ends the container of a socket's holder by its engine. It
// reports false for a container that its pod would start again, and for one of another user's own
// engine, whom the operator's would not know.
func stopContainer(f *facts.Facts, s facts.Socket) ([]report.Step, bool) {
	engine, id := containerOf(s.Cgroup)
	words := []string{engine, "stop", id[:min(len(id), 12)]}
	user := fmt.Sprintf("user-%d.slice", f.Launcher.Operator.Value.UID)
	parts := strings.Split(s.Cgroup, "/")
	rootless := slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "user@") })
	switch {
	case engine == "kubernetes", rootless && !slices.Contains(parts, user):
		return nil, false
	case rootless:
		return []report.Step{{Run: Command(words...)}}, true
	default:
		return []report.Step{{Run: sudo(f, words...)}}, true
	}
}

// published is how docker's filter names what a container publishes.
func published(s facts.Socket) string {
	return fmt.Sprintf("%d/%s", s.Addr.Port(), strings.TrimSuffix(s.Network, "6"))
}
