package launch

import (
	"os"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// What a profile answers to the calls of a bind, by the engine that reads it: the errno of a bind
// over IPv4, that of one over IPv6, that of listen, and the start of the doubt.
func TestProfile(t *testing.T) {
	rest := `{"names":["` + strings.Join(append(needed, neededByRuntime...), `","`) + `"],"action":"SCMP_ACT_ALLOW"}`
	rest = strings.NewReplacer(`"bind",`, "", `"socket",`, "", `"listen",`, "").Replace(rest)
	denies := func(calls string) string { return `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[` + calls + `]}` }
	allows := func(calls string) string {
		return `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[` + calls + "," + rest + `]}`
	}
	const all = `{"names":["socket","bind","listen"],"action":"SCMP_ACT_ALLOW"}`
	for _, tt := range []struct{ name, engine, profile, want string }{
		{"nothing", "docker", denies(``), "|||"},
		{"bind", "docker", denies(`{"name":"bind","action":"SCMP_ACT_ERRNO"}`), "EPERM|EPERM||"},
		{"bind, by its errno", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","errnoRet":13}`), "EACCES|EACCES||"},
		{"listen", "docker", denies(`{"names":["listen"],"action":"SCMP_ACT_ERRNO"}`), "||EPERM|"},
		{"what nothing allows", "docker", allows(`{"names":["socket"],"action":"SCMP_ACT_ALLOW"}`), "ENOSYS|ENOSYS|ENOSYS|"},
		{"what is allowed", "docker", allows(all), "|||"},
		{"one family", "docker", allows(`{"names":["bind","listen"],"action":"SCMP_ACT_ALLOW"},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}`), "|ENOSYS||"},
		{"any but one family", "docker", allows(`{"names":["bind","listen"],"action":"SCMP_ACT_ALLOW"},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_NE"}]}`), "|||"},
		{"one kind of socket", "docker", denies(`{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":15,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"}]}`), "EPERM|EPERM||"},
		{"another kind of socket", "docker", denies(`{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":15,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"}]}`), "|||"},
		{"a kind with flags", "docker", denies(`{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":1,"op":"SCMP_CMP_EQ"}]}`), "|||what the seccomp profile answers to socket"},
		{"an argument that is not known", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":3,"op":"SCMP_CMP_EQ"}]}`), "|||what the seccomp profile answers to bind"},
		{"two that do not agree", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO"},{"names":["bind"],"action":"SCMP_ACT_ALLOW"}`), "|||what the seccomp profile answers to bind"},
		{"an end", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_KILL"}`), "|||the seccomp profile ends"},
		{"another process", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_NOTIFY"}`), "|||the seccomp profile asks"},
		{"success without a call", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","errnoRet":0}`), "|||the seccomp profile has calls succeed"},
		{"a call that servers need", "docker", denies(`{"names":["epoll_ctl"],"action":"SCMP_ACT_ERRNO"}`), "|||the seccomp profile refuses epoll_ctl"},
		{"for a capability that is there", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_CHOWN"]}}`), "EPERM|EPERM||"},
		{"for one that is not", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_SYS_TIME"]}}`), "|||"},
		{"not for one that is there", "docker", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_CHOWN"]}}`), "|||"},
		{"which containerd does not read", "containerd", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_CHOWN"]}}`), "EPERM|EPERM||"},
		{"for other machines", "podman", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","includes":{"arches":["s390"]}}`), "|||"},
		{"for later kernels", "podman", denies(`{"names":["bind"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"5.0"}}`), "|||what the seccomp profile answers to bind"},
	} {
		p, err := ParseProfile([]byte(tt.profile))
		if err != nil {
			t.Fatal(tt.name, err)
		}
		c := Container{Engine: Engine{Name: tt.engine}, Seccomp: p}
		doubt := c.Doubt(kernel.Goal{Network: "tcp"})
		if start := tt.want[strings.LastIndex(tt.want, "|")+1:]; start != "" && strings.HasPrefix(doubt, start) {
			doubt = start
		}
		if got := c.binds("tcp4").errno + "|" + c.binds("tcp6").errno + "|" + c.listens() + "|" + doubt; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		for what, c := range map[string]Container{
			"without a filter": {Engine: c.Engine, Seccomp: p, Unconfined: true}, "a privileged pod": {Engine: Engine{Name: "cri-o"}, Privileged: true, Seccomp: p},
		} {
			f, err := c.Start(facts.Image{}, "/app", nil, facts.Account{})
			if err != nil || f.Proc.Seccomp.Value != 0 || f.Policy.Probes.Value[0].Errno != "" || c.Doubt(kernel.Goal{Network: "tcp"}) != "" {
				t.Errorf("%s, %s: %+v, %v", tt.name, what, f.Policy.Probes, err)
			}
		}
	}
	for _, bad := range []string{"", "[]", "{}", `{"defaultAction":"SCMP_ACT_ALOW"}`, denies(`{"names":["bind"],"action":""}`)} {
		if p, err := ParseProfile([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, p)
		}
	}
	if d := (Container{Engine: Engine{Name: "docker"}, Seccomp: &Profile{}}).Doubt(kernel.Goal{Network: "tcp"}); !strings.Contains(d, "is not given") {
		t.Errorf("a profile that is not given: %q", d)
	}
}

// The profile that engines ship refuses no bind.
func TestUsualProfile(t *testing.T) {
	text, err := os.ReadFile("/usr/share/containers/seccomp.json")
	if err != nil {
		t.Skip("no profile of containers/common here:", err)
	}
	p, err := ParseProfile(text)
	if err != nil {
		t.Fatal(err)
	}
	c := Container{Engine: Engine{Name: "podman"}, Seccomp: p}
	if doubt := c.Doubt(kernel.Goal{Network: "tcp"}); doubt != "" || !c.binds("tcp6").allowed || c.listens() != "" {
		t.Errorf("%q, %+v, %q", doubt, c.binds("tcp6"), c.listens())
	}
}

// Whatever a profile is, it is refused, or answers a bind for every engine, and says why where it cannot
// be told.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"bind","action":"SCMP_ACT_ERRNO","errnoRet":0}]}`))
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4096,"syscalls":[{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}`))
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["listen"],"action":"SCMP_ACT_KILL","includes":{"caps":["ALL"],"minKernel":"x"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProfile(text)
		if err != nil {
			return
		}
		for _, e := range engines {
			c := Container{Engine: Engine{Name: e.name}, Seccomp: p}
			v, doubt := c.binds("tcp4"), c.Doubt(kernel.Goal{Network: "tcp4"})
			if !v.allowed && v.errno == "" && doubt == "" {
				t.Errorf("%s: neither allowed, refused nor doubted", e.name)
			}
			if v.allowed && v.errno != "" || v.doubt != "" && v.doubt != doubt {
				t.Errorf("%s: %+v, %q", e.name, v, doubt)
			}
		}
	})
}

// Whatever the files of an image say, a user is found or not; a number is always itself.
func FuzzDatabase(f *testing.F) {
	f.Add("root:x:0:0::/:/bin/sh\nwww:x:33:33::/:\n", "www:x:33:www,root\nnobody:x:65534:\n", "www", "nobody")
	f.Add("a:x:4294967296:0\n:::\n#b:x:1:1\n", "a:x:-1:\n", "4294967295", "")
	f.Fuzz(func(t *testing.T, passwd, group, user, of string) {
		who, err := Database{passwd, group}.Account(user, of)
		if err != nil {
			return
		}
		if len(who.Groups) == 0 || of == "" && user == "0" && passwd == "" && who.UID != 0 {
			t.Errorf("%q: %+v", user, who)
		}
	})
}
