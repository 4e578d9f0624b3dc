package live

import (
	"strings"
	"testing"
)

func TestIsRunName(t *testing.T) {
	for unit, want := range map[string]bool{
		"run-u12.service": true, "run-p12-i34.service": true, "run-r" + strings.Repeat("0a", 16) + ".service": true,
		"run-.service": false, "run-u.service": false, "run-u1x.service": false, "run-p1.service": false, "run-p1-i.service": false,
		"run-r0a.service": false, "run-u1.scope": false, "x-run-u1.service": false, "run-x1.service": false, "": false,
		"run-r" + strings.Repeat("0A", 16) + ".service": false,
	} {
		if got := isRunName(unit); got != want {
			t.Errorf("%q: %t", unit, got)
		}
	}
}
