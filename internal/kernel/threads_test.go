package kernel

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// Threads that all have what is required differ in nothing: where it cannot be
// told whether that counts, no thread is blamed. Of several threads that lack it
// the report names the same one each time.
func TestRequireThreads(t *testing.T) {
	g := Goal{Require: caps.SetOf(caps.NET_BIND_SERVICE)}
	machine := machines(t)["threads-differ"].record.Facts()
	has, lacks := machine.Proc.Thread.Value, machine.Proc.Thread.Value
	lacks.Effective = 0

	same := machine
	same.Proc.Threads.Value = map[int]caps.State{1: has, 2: has}
	same.Net.Owner = facts.Fact[facts.Owner]{Reason: "EACCES"}
	same.Net.UserNS = facts.Fact[string]{Reason: "EACCES"}
	if Allows(Worlds(&same, g), g) != Unknown {
		t.Fatal("the rules can tell")
	}
	if c := Explain(&same, g, nil).Causes; len(c) != 1 || c[0].ID != "foreign-user-namespace" || c[0].Certainty != report.Possible {
		t.Errorf("every thread has it, and the namespace is not known: %+v", c)
	}

	differ := machine
	differ.Proc.Threads.Value = map[int]caps.State{1: has}
	for tid := 2; tid < 40; tid++ {
		differ.Proc.Threads.Value[tid] = lacks
	}
	found := Explain(&differ, g, nil)
	if c := found.Causes; len(c) != 1 || c[0].ID != "threads-differ" || c[0].Certainty != report.Proven {
		t.Errorf("threads differ: %+v", c)
	}
	const want = "thread 2: CapEff 0000000000000000 lacks cap_net_bind_service"
	if e := found.Evidence[len(found.Evidence)-1]; e.Says != want {
		t.Errorf("evidence %q, not %q", e.Says, want)
	}

	hidden := machine
	hidden.Proc.Threads = facts.Fact[map[int]caps.State]{Reason: "EACCES"}
	if c := Explain(&hidden, g, nil).Causes; len(c) != 2 || c[0].ID != "unknown" || c[1].ID != "threads-differ" || c[1].Certainty == report.Proven {
		t.Errorf("the threads cannot be read: %+v", c)
	}
}

// A bind is refused for the thread it is made on. What that lacks and another one has was
// granted; what it has and another one lacks may be another thread's refusal, as long as
// no policy shows itself.
func TestBindThreads(t *testing.T) {
	g := Goal{Network: "tcp", Port: 443, Raises: true}
	machine := machines(t)["no-capability"].record.Facts()
	machine.Proc.AtInit = machine.Proc.AtInit.None()
	lacks, has := machine.Proc.Thread.Value, machine.Proc.Thread.Value
	has.Permitted, has.Effective = g.Need(), g.Need()
	machine.Proc.Threads.Value = map[int]caps.State{1: has, 2: lacks}
	refused := []facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}, {Network: "udp4"}, {Network: "udp6"}}
	for _, tt := range []struct {
		name   string
		thread caps.State
		probes []facts.Probe
		want   report.Cause
	}{
		{"this one lacks it", lacks, nil, report.Cause{ID: "threads-differ", Certainty: report.Proven}},
		{"this one has it", has, nil, report.Cause{ID: "threads-differ", Certainty: report.Likely}},
		{"this one has it, and a policy refuses", has, refused, report.Cause{ID: "landlock", Certainty: report.Likely}},
	} {
		f := machine
		f.Proc.Thread = f.Proc.Thread.Now(tt.thread)
		if tt.probes != nil {
			f.Policy.Probes = f.Policy.Probes.Now(tt.probes)
		}
		got := bindRefused(f, g, &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EACCES)}).Causes[0]
		if got.ID != tt.want.ID || got.Certainty != tt.want.Certainty {
			t.Errorf("%s: %s (%s)", tt.name, got.ID, got.Certainty)
		}
	}
}
