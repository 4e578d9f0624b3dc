package facts_test

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/facts/factstest"
)

const hash = "b8588168422804d9651d4df7b8e0cf85382e7c7a695b3aaab616182e0b7e1b68"

func TestGoRun(t *testing.T) {
	for p, want := range map[string]bool{
		"/tmp/go-build3098990398/b001/exe/app":          true,
		"/tmp/go-build3098990398/b001/app.test":         true,
		"/root/.cache/go-build/b8/" + hash + "-d/app":   true,
		"/var/cache/x/b8/" + hash + "-d/a\nb":           true,
		"/srv/app":                                      false,
		"":                                              false,
		"app":                                           false,
		"/home/u/go-build1/app":                         false, // somebody's folder
		"/home/u/go-build1/cmd/app":                     false,
		"/tmp/go-build/b001/exe/app":                    false,
		"/tmp/go-buildx/b001/exe/app":                   false,
		"/tmp/go-build1/b001/exe/app/app":               false,
		"/cache/b8/" + hash[1:] + "-d/app":              false,
		"/cache/b8/" + strings.ToUpper(hash) + "-d/app": false,
		"/srv/" + hash + "-d/app":                       false,
		"b8/" + hash + "-d/app":                         false, // a running program has an absolute path
		"go-build1/b001/app":                            false,
	} {
		if got := facts.GoRun(p); got != want {
			t.Errorf("GoRun(%q) = %v", p, got)
		}
	}
}

func TestUnitName(t *testing.T) {
	for name, want := range map[string]bool{
		"app.service":                         true,
		"app@1.service":                       true,
		`app\x2dweb.service`:                  true,
		"a:b_c-d.e.service":                   true,
		"azAZ09.service":                      true,
		strings.Repeat("a", 247) + ".service": true,
		strings.Repeat("a", 248) + ".service": false,
		"":                                    false,
		".service":                            false,
		"app":                                 false,
		"app.socket":                          false,
		"app.service\n":                       false,
		"a b.service":                         false,
		"a;id.service":                        false,
		"$(id).service":                       false,
		"a'b.service":                         false,
		"../a.service":                        false,
		"ä.service":                           false,
		"a\x1b[31m.service":                   false,
	} {
		if got := facts.UnitName(name); got != want {
			t.Errorf("UnitName(%q) = %v", name, got)
		}
	}
}

func TestUnit(t *testing.T) {
	marked := facts.Record{"environ": {Data: []byte("LISTEN_FDS\nINVOCATION_ID\n")}, "run/systemd/system": {}}
	for _, tt := range []struct{ cgroup, want string }{
		{"0::/system.slice/app.service\n", "known {Name:app.service User:false Transient:false}"},
		{"0::/system.slice/app.service/worker\n", "known {Name:app.service User:false Transient:false}"},
		{"0::/system.slice/system-app.slice/app@1.service\n", "known {Name:app@1.service User:false Transient:false}"},
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.service\n", "known {Name:app.service User:true Transient:false}"},
		{"0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "absent "},
		{"0::/user.slice/user-1000.slice/session-2.scope\n", "absent "},
		{"0::/system.slice/docker.service/docker-1.scope\n", "absent "},
		{"0::/\n", "absent "},
		{"", "absent "},
		{"9:name=systemd:/\n8:pids:/\n0::/system.slice/app.service\n", "known {Name:app.service User:false Transient:false}"},
		{"1:name=systemd:/system.slice/app.service\n0::/\n", "known {Name:app.service User:false Transient:false}"},
		{"4:cpu:/system.slice/other.service\n1:name=systemd:/\n", "absent "},
		{"0::/system.slice/$(id).service\n", "absent "},
		{"0::/system.slice/a b.service\n", "absent "},
		{"0::/system.slice/app.service (deleted)\n", "absent "},
		{"0::/a:b/app.service\n", "known {Name:app.service User:false Transient:false}"},
		{"0::/system.slice/app.serv", "unreadable "}, // cut short
		{"0::system.slice/app.service\n", "unreadable "},
		{"app.service\n", "unreadable "},
		{"x::/app.service\n", "unreadable "},
	} {
		r := facts.Record{"proc/self/cgroup": {Data: []byte(tt.cgroup)}}
		for name, item := range marked {
			r[name] = item
		}
		if got := factstest.Words(r.Facts())["Launcher.Unit"]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q: facts.Unit is %q, want %q", tt.cgroup, got, tt.want)
		}
	}
}

// A service is known without the mark in the environment, and without its cgroup, if systemd
// started the program through launchers alone.
func TestUnitLaunched(t *testing.T) {
	const (
		service = "0::/system.slice/app.service\n"
		session = "0::/user.slice/user-1000.slice/session-2.scope\n"
		manager = `{"PID":1,"UID":0}`
		sudo    = `{"PID":8,"UID":0,"Launches":true,"Leads":true},`
		orphan  = `{"PID":8,"UID":0,"Launches":true},`
		inner   = `{"PID":9,"UID":0,"Launches":true},`
		runner  = `{"PID":7,"UID":0,"Leads":true},`
	)
	marked := facts.Item{Data: []byte("INVOCATION_ID\n")}
	for _, tt := range []struct {
		name    string
		cgroup  string
		environ facts.Item
		by      string // the unit that was started with the INVOCATION_ID
		line    string
		want    string
	}{
		{"sudo", service, facts.Item{}, "", sudo + manager, "known {Name:app.service"},
		{"two launchers", service, facts.Item{}, "", inner + sudo + manager, "known {Name:app.service"},
		{"a service's child", service, facts.Item{}, "", inner + runner + manager, "absent"},
		{"a service's child, whose parent has ended", service, facts.Item{}, "", orphan + manager, "absent"},
		{"an orphan", service, facts.Item{}, "", manager, "absent"},
		{"a shell that asks", service, facts.Item{}, "", `{"PID":8,"UID":0,"Launches":true,"Leads":true}`, "absent"},
		{"the environment is hidden", service, facts.Item{Err: "EACCES"}, "", sudo + manager, "unreadable"},
		{"PAMName=", session, marked, "app.service", manager, "known {Name:app.service"},
		{"su", session, marked, "app.service", sudo + manager, "known {Name:app.service"},
		{"PAMName=, of another program", session, marked, "app.service", runner + manager, "absent"},
		{"no such unit", session, marked, "", manager, "absent"},
		{"no name of a unit", session, marked, "a b.service", manager, "absent"},
		{"its own cgroup counts first", service, marked, "other.service", runner + manager, "known {Name:app.service"},
	} {
		r := facts.Record{"proc/self/cgroup": {Data: []byte(tt.cgroup)}, "environ": tt.environ, "run/systemd/system": {},
			"unit of invocation": {Err: "ENODATA"}, "ancestors": {Data: []byte("[" + tt.line + "]\n")}}
		if tt.by != "" {
			r["unit of invocation"] = facts.Item{Data: []byte(tt.by + "\n")}
		}
		if got := factstest.Words(r.Facts())["Launcher.Unit"]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: Unit is %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What systemd-run made is kept in a folder of its own.
func TestUnitTransient(t *testing.T) {
	r := facts.Record{"proc/self/cgroup": {Data: []byte("0::/system.slice/run-u1.service\n")}, "environ": {Data: []byte("INVOCATION_ID\n")}, "run/systemd/system": {}}
	for err, want := range map[string]bool{"": true, "ENOENT": false, "EACCES": false} {
		r["run/systemd/transient"] = facts.Item{Err: err}
		if u, ok := r.Facts().Launcher.Unit.Is(); !ok || u.Transient != want {
			t.Errorf("%q: %+v", err, u)
		}
	}
}

// A root that is not process 1's does not show the names of network namespaces.
func TestNetworkName(t *testing.T) {
	r := facts.Record{"network namespace name": {Err: "ENOENT"}, "path outside": {Data: []byte("same\n")}}
	if f := r.Facts().Net.Name; f.State != facts.Absent {
		t.Errorf("%+v", f)
	}
	r["path outside"] = facts.Item{Data: []byte("/srv/jail/app")}
	if f := r.Facts().Net.Name; f.State != facts.Unreadable {
		t.Errorf("%+v", f)
	}
}

// A root that is not process 1's, as of RootDirectory=, says nothing of systemd.
func TestUnitRoot(t *testing.T) {
	r := facts.Record{"proc/self/cgroup": {Data: []byte("0::/system.slice/app.service\n")}, "environ": {Data: []byte("INVOCATION_ID\n")}, "run/systemd/system": {Err: "ENOENT"}}
	for _, tt := range []struct {
		at   facts.Item
		want bool
	}{
		{facts.Item{Data: []byte("/srv/jail/app")}, true},
		{facts.Item{Err: "ENODATA"}, true},
		{facts.Item{Data: []byte("same\n")}, false},
		{facts.Item{Err: "ENOENT"}, true}, // of process 1, which is hidden
	} {
		r["path outside"] = tt.at
		if _, ok := r.Facts().Launcher.Unit.Is(); ok != tt.want {
			t.Errorf("%+v: %v", tt.at, ok)
		}
	}
}

// A cgroup alone makes no unit: systemd has to be there, and to have started us.
func TestUnitMarks(t *testing.T) {
	const env, run = "environ", "run/systemd/system"
	for _, tt := range []struct {
		change string
		item   facts.Item
		want   string
	}{
		{env, facts.Item{}, "absent"},
		{env, facts.Item{Err: "EACCES"}, "unreadable"},
		{env, facts.Item{Data: []byte("XINVOCATION_ID\n")}, "absent"},
		{run, facts.Item{Err: "ENOENT"}, "absent"},
		{run, facts.Item{Err: "EACCES"}, "unreadable"},
		{run, facts.Item{}, "known"},
	} {
		r := facts.Record{"proc/self/cgroup": {Data: []byte("0::/system.slice/app.service\n")}, env: {Data: []byte("INVOCATION_ID\n")}, run: {}}
		r[tt.change] = tt.item
		if got := factstest.Words(r.Facts())["Launcher.Unit"]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %q: facts.Unit is %q, want %q", tt.change, tt.item, got, tt.want)
		}
	}
}

func TestContainer(t *testing.T) {
	none := facts.Record{
		"proc/self/ns/pid": {Data: []byte("pid:[4026532001]")}, "proc/self/ns/uts": {Data: []byte("uts:[4026532002]")},
		"proc/self/cgroup": {Data: []byte("0::/\n")}, "environ": {},
		"run/.containerenv": {Err: "ENOENT"}, ".dockerenv": {Err: "ENOENT"},
	}
	initial := facts.Record{"proc/self/ns/pid": {Data: []byte("pid:[4026531836]")}, "proc/self/ns/uts": {Data: []byte("uts:[4026531838]")}}
	hidden := facts.Record{"proc/self/ns/pid": {Err: "EACCES"}, "proc/self/ns/uts": {Err: "EACCES"}}
	podman, docker := facts.Record{"run/.containerenv": {}}, facts.Record{".dockerenv": {}}
	env := func(name string) facts.Record { return facts.Record{"environ": {Data: []byte(name + "\n")}} }
	cgroup := func(p string) facts.Record { return facts.Record{"proc/self/cgroup": {Data: []byte("0::" + p + "\n")}} }
	failed := func(item string) facts.Record { return facts.Record{item: {Err: "EACCES"}} }
	for _, tt := range []struct {
		name    string
		changes []facts.Record
		want    string
	}{
		{"none", nil, "absent "},
		{"podman", []facts.Record{podman}, "known podman"},
		{"docker", []facts.Record{docker}, "known docker"},
		{"pod of podman", []facts.Record{podman, env("KUBERNETES_SERVICE_HOST")}, "known kubernetes"},
		{"pod by cgroup", []facts.Record{cgroup("/kubepods/burstable/pod1/2")}, "known kubernetes"},
		{"one that is not known by name", []facts.Record{env("container")}, "known container"},
		{"LXC", []facts.Record{env("container\ncontainer=lxc")}, "known lxc"},
		{"nspawn", []facts.Record{docker, env("container"), {"run/host/container-manager": {Data: []byte("systemd-nspawn\n")}}}, "known systemd-nspawn"},
		{"another manager", []facts.Record{docker, {"run/host/container-manager": {Data: []byte("other\n")}}}, "known docker"},
		{"by cgroup", []facts.Record{cgroup("/docker/12")}, "known container"},
		{"leftover file on a host", []facts.Record{docker, initial}, "absent "},
		{"a host name of its own", []facts.Record{docker, {"proc/self/ns/pid": initial["proc/self/ns/pid"]}}, "known docker"},
		{"processes of its own", []facts.Record{docker, {"proc/self/ns/uts": initial["proc/self/ns/uts"]}}, "known docker"},
		{"half of the namespaces hidden, and the other half initial",
			[]facts.Record{docker, initial, {"proc/self/ns/uts": hidden["proc/self/ns/uts"]}}, "unreadable"},
		{"the other half hidden", []facts.Record{docker, initial, {"proc/self/ns/pid": hidden["proc/self/ns/pid"]}}, "unreadable"},
		{"a variable on a host", []facts.Record{env("container"), initial}, "absent "},
		{"a mark, namespaces hidden", []facts.Record{docker, hidden}, "unreadable"},
		{"no mark, namespaces hidden", []facts.Record{hidden}, "unreadable"},
		{"cgroup hidden", []facts.Record{failed("proc/self/cgroup")}, "unreadable"},
		{"environment hidden", []facts.Record{failed("environ")}, "unreadable"},
		{"marks hidden", []facts.Record{failed(".dockerenv")}, "unreadable"},
		{"a mark says it, another is hidden", []facts.Record{docker, failed("proc/self/cgroup")}, "known docker"},
	} {
		r := facts.Record{}
		for _, change := range append([]facts.Record{none}, tt.changes...) {
			for name, item := range change {
				r[name] = item
			}
		}
		if got := factstest.Words(r.Facts())["Launcher.Container"]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: Container is %q, want %q", tt.name, got, tt.want)
		}
	}
}

// That process 1 has the same network namespace counts unless it belongs to a sandbox, whose
// network may be its own; the one that the system booted with is the machine's in any case.
func TestApartInSandbox(t *testing.T) {
	for _, tt := range []struct{ apart, sandbox, net, want string }{
		{"false\n", "false\n", "net:[4026532000]", "known false"},
		{"false\n", "true\n", "net:[4026532000]", "unreadable process 1 belongs to what started this program"},
		{"false\n", "true\n", "net:[4026531833]", "known false"},
		{"true\n", "true\n", "net:[4026532000]", "known true"},
	} {
		r := facts.Record{"network apart": {Data: []byte(tt.apart)}, "sandbox": {Data: []byte(tt.sandbox)}, "proc/self/ns/net": {Data: []byte(tt.net)}}
		if got := factstest.Words(r.Facts())["Net.Apart"]; got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}
