package rules

import (
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Profile is the name of the AppArmor profile that confines this process, if one
// does: in complain mode it refuses nothing.
func Profile(f facts.Facts) (name string, enforced bool) {
	label, _ := f.Policy.Label.Is()
	return strings.CutSuffix(label, " (enforce)")
}

// ProfileRules are the lines that the profile lacks, or may lack: apparmor.d(5).
func ProfileRules(f facts.Facts, g Goal) []string {
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
