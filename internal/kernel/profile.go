package kernel

import (
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Profile is the name of the AppArmor profile that confines this process, if one
// does: in complain mode it refuses nothing.
func Profile(f *facts.Facts) (name string, enforced bool) {
	label, _ := f.Policy.Label.Is()
	return strings.CutSuffix(label, " (enforce)")
}

// Granted reports whether the security modules let the thread use the set, once
// held: capable() asks them after the namespace (apparmor_capable). Of what the
// thread does not hold an AppArmor profile tells nothing; those of containers
// grant what containers may have.
func Granted(f *facts.Facts, set caps.Set) Answer {
	withheld, _ := f.Policy.Withheld.Is()
	granted, _ := f.Policy.Granted.Is()
	_, confined := Profile(f)
	switch {
	case withheld&set != 0:
		return No
	case confined && f.Launcher.Container.State != facts.Known && !granted.Contains(set):
		return Unknown
	default:
		return Yes
	}
}

// ProfileRules are the lines that the profile lacks, or may lack: apparmor.d(5).
func ProfileRules(f *facts.Facts, g Goal) []string {
	var lines []string
	for c := range g.Need().All() {
		if Granted(f, caps.SetOf(c)) != Yes {
			lines = append(lines, "capability "+strings.TrimPrefix(caps.SetOf(c).String(), "cap_")+",")
		}
	}
	if g.Network != "" && Policy(f, g) == No {
		kind := map[string]string{"tcp": "stream", "udp": "dgram"}[g.Protocol()]
		lines = append(lines, "network inet "+kind+",", "network inet6 "+kind+",")
	}
	return lines
}
