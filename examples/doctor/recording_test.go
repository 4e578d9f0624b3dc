package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
)

// What is no recording is an error that names the file, and a refusal in one is
// still a report.
func TestRecorded(t *testing.T) {
	const file = "machine.txtar"
	for content, want := range map[string]bool{"root:x:0:0\n": false, string(guardtest.OrdinaryUser): true} {
		machine := replaying(file, []byte(content))
		var r guard.Report
		for _, err := range []error{machine.bind([]string{":443"}, &r), machine.require(&r, caps.SetOf(caps.NET_ADMIN))} {
			if errors.As(err, new(*guard.Error)) != want || err == nil || !strings.HasPrefix(err.Error(), file) {
				t.Errorf("%.10q: %v", content, err)
			}
		}
	}
}
