package explain

import (
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/machine"
	"github.com/lowport/lowport/internal/rules"
)

// Threads that all have what is required differ in nothing: where it cannot be
// told whether that counts, no thread is blamed. Of several threads that lack it
// the report names the same one each time.
func TestRequireThreads(t *testing.T) {
	g := rules.Goal{Require: caps.SetOf(caps.NET_BIND_SERVICE)}
	facts := machines(t)["threads-differ"].record.Facts()
	has, lacks := facts.Thread.Value, facts.Thread.Value
	lacks.Effective = 0

	same := facts
	same.Threads.Value = map[int]caps.State{1: has, 2: has}
	same.NetOwner = machine.Fact[machine.Owner]{Reason: "EACCES"}
	same.UserNS = machine.Fact[string]{Reason: "EACCES"}
	if rules.Allows(same, g) != rules.Unknown {
		t.Fatal("the rules can tell")
	}
	if c := Require(same, g).Causes; len(c) != 1 || c[0].ID != "unknown" || c[0].Certainty != Possible {
		t.Errorf("every thread has it, and the namespace is not known: %+v", c)
	}

	differ := facts
	differ.Threads.Value = map[int]caps.State{1: has}
	for tid := 2; tid < 40; tid++ {
		differ.Threads.Value[tid] = lacks
	}
	found := Require(differ, g)
	if c := found.Causes; len(c) != 1 || c[0].ID != "threads-differ" || c[0].Certainty != Proven {
		t.Errorf("threads differ: %+v", c)
	}
	const want = "thread 2: CapEff 0000000000000000 lacks cap_net_bind_service"
	if e := found.Evidence[len(found.Evidence)-1]; e.Says != want {
		t.Errorf("evidence %q, not %q", e.Says, want)
	}

	hidden := facts
	hidden.Threads = machine.Fact[map[int]caps.State]{Reason: "EACCES"}
	if c := Require(hidden, g).Causes; len(c) != 1 || c[0].ID != "threads-differ" || c[0].Certainty == Proven {
		t.Errorf("the threads cannot be read: %+v", c)
	}
}
