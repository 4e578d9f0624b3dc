package live

import (
	"os"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// This process leads no session that process 1 started, and no unit has a made-up id.
func TestNoUnitOfInvocation(t *testing.T) {
	session := facts.Record{"proc/self/cgroup": {Data: []byte("0::/user.slice/session-1.scope\n")}}
	for _, id := range []string{"", "00000000000000000000000000000000"} {
		if name, err := unitOfInvocation(session, id); err == nil {
			t.Errorf("%q: %s", id, name)
		}
	}
	service := facts.Record{"proc/self/cgroup": {Data: []byte("0::/system.slice/app.service\n")}}
	if name, err := unitOfInvocation(service, "1"); err == nil {
		t.Errorf("beside its cgroup: %s", name)
	}
	if leadsSession(os.Getpid()) && os.Getenv("INVOCATION_ID") == "" {
		t.Error("a child of go test leads a session")
	}
}
