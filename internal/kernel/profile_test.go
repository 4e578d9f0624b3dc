package kernel_test

import (
	. "github.com/lowport/lowport/internal/kernel"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
)

func TestProfile(t *testing.T) {
	for label, want := range map[string]string{
		"/srv/app (enforce)":        "/srv/app",
		"app//child (enforce)":      "app//child",
		"a (enforce) (enforce)":     "a (enforce)",
		"/srv/app (complain)":       "",
		"unconfined":                "",
		"u:r:app_t:s0":              "",
		"":                          "",
		"/srv/app (enforce) (kill)": "",
	} {
		f := with(web(), func(f *facts.Facts) { f.Policy.Label = known(label) })
		name, ok := Profile(&f)
		if ok != (want != "") || ok && name != want {
			t.Errorf("%q: profile %q, %v", label, name, ok)
		}
	}
	if name, ok := Profile(&facts.Facts{}); ok {
		t.Errorf("without a label: %q", name)
	}
}

// What a profile withholds stands in the way of nothing else.
func TestGranted(t *testing.T) {
	withheld := func(s caps.Set) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Policy.Withheld = known(s) }
	}
	enforced := func(f *facts.Facts) { f.Policy.Label = known("/srv/app (enforce)") }
	granted := func(f *facts.Facts) { f.Policy.Granted = known(bindCap) }
	for _, tt := range []struct {
		name string
		f    facts.Facts
		g    Goal
		want Answer
	}{
		{"nothing", with(web(), holding(effective), withheld(0)), tcp("", 443), Yes},
		{"the capability", with(web(), holding(effective), withheld(bindCap)), tcp("", 443), No},
		{"another", with(web(), holding(effective), withheld(caps.SetOf(caps.NET_RAW))), tcp("", 443), Yes},
		{"not known", with(web(), holding(effective)), tcp("", 443), Yes},
		{"a profile, and held", with(web(), holding(effective), enforced, withheld(0), granted), tcp("", 443), Yes},
		{"a profile, and not shown", with(web(), holding(effective), enforced), tcp("", 443), Unknown},
		{"a profile that complains", with(web(), holding(effective), func(f *facts.Facts) { f.Policy.Label = known("/srv/app (complain)") }), tcp("", 443), Yes},
		{"a container's profile", with(web(), holding(effective), enforced, func(f *facts.Facts) { f.Launcher.Container = known("docker") }), tcp("", 443), Yes},
		{"an unprivileged port", with(web(), withheld(bindCap)), tcp("", 8443), Yes},
		{"lowered", with(web(), withheld(bindCap), lowered), tcp("", 443), Yes},
		{"required", with(web(), holding(effective), withheld(bindCap)), Goal{Require: bindCap}, No},
		{"another required", with(web(), holding(effective), withheld(caps.SetOf(caps.NET_RAW))), Goal{Require: bindCap}, Yes},
	} {
		if got := allows(tt.f, tt.g); got != tt.want {
			t.Errorf("%s: %v, not %v", tt.name, got, tt.want)
		}
	}
}

// AppArmor lets few programs open a namespace's file. In the initial user
// namespace it need not be read: every other is below it.
func TestCountsInInitial(t *testing.T) {
	hidden := func(f *facts.Facts) { f.Net.Owner = facts.Fact[facts.Owner]{Reason: "EACCES"} }
	in := func(ns string) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Net.UserNS = known(ns) }
	}
	for _, tt := range []struct {
		name string
		f    facts.Facts
		want Answer
	}{
		{"initial", with(web(), hidden, in(facts.InitialUserNS)), Yes},
		{"another", with(web(), hidden, in("user:[4026532000]")), Unknown},
		{"not known", with(web(), hidden), Unknown},
	} {
		if got := Counts(&tt.f, bindCap); got != tt.want {
			t.Errorf("%s: %v, not %v", tt.name, got, tt.want)
		}
	}
}

func TestProfileRules(t *testing.T) {
	refused := func(f *facts.Facts) {
		f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}, {Network: "udp4"}, {Network: "udp6"}})
	}
	withheld := func(f *facts.Facts) { f.Policy.Withheld = known(bindCap | caps.SetOf(caps.NET_RAW)) }
	capability, tcpLines := "capability net_bind_service,", []string{"network inet stream,", "network inet6 stream,"}
	for _, tt := range []struct {
		name string
		f    facts.Facts
		g    Goal
		want []string
	}{
		{"nothing", web(), tcp("", 443), nil},
		{"the capability", with(web(), withheld), tcp("", 443), []string{capability}},
		{"TCP", with(web(), refused), tcp("", 443), tcpLines},
		{"both", with(web(), withheld, refused), tcp("", 443), append([]string{capability}, tcpLines...)},
		{"UDP is allowed", with(web(), refused), Goal{Network: "udp", Port: 53}, nil},
		{"required", with(web(), withheld, refused), Goal{Require: bindCap}, []string{capability}},
	} {
		if diff := diff.Of(tt.want, ProfileRules(&tt.f, tt.g)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
