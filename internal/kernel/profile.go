package kernel

import (
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Profile returns the name of the AppArmor profile of this process, and whether the kernel
// enforces it. In complain mode a profile refuses nothing.
func Profile(f *facts.Facts) (name string, enforced bool) {
	label, _ := f.Policy.Label.Is()
	return strings.CutSuffix(label, " (enforce)")
}

// Granted reports whether the security modules let the thread use the set, once it holds it:
// capable() asks them after the namespace (apparmor_capable). Whether an AppArmor profile
// grants what the thread does not hold cannot be seen. The profiles of containers grant
// what containers may have.
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

// ProfileRules returns the lines that the profile lacks, or may lack (apparmor.d(5)).
func ProfileRules(f *facts.Facts, g Goal) []string {
	var lines []string
	for c := range g.Need().All() {
		if Granted(f, caps.SetOf(c)) != Yes {
			lines = append(lines, "capability "+strings.TrimPrefix(caps.SetOf(c).String(), "cap_")+",")
		}
	}
	if g.Network != "" && Policy(f, g) == No {
		lines = append(lines, "network inet "+g.stream()+",", "network inet6 "+g.stream()+",")
	}
	return lines
}
