package main

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
)

// The hardened unit hears a unit that is refused, writes to the journal with the priority of
// an error, and holds afterwards what reading takes and nothing else.
func TestDeployedUnit(t *testing.T) {
	m := lab(t)
	b := openBox(t, m, true)
	unit, err := os.ReadFile("deploy/watch.service")
	if err != nil {
		t.Fatal(err)
	}
	b.must("install -m 755 /lab/watch /usr/local/bin/watch\ncat >/etc/systemd/system/watch.service <<'END'\n" + string(unit) +
		"END\nsystemctl daemon-reload; systemctl start watch || { journalctl -u watch --no-pager; exit 1; }")
	status := b.must("cat /proc/$(systemctl show --value -p MainPID watch)/status")
	held, err := caps.ParseStatus([]byte(status))
	if err != nil {
		t.Fatal(err)
	}
	if held.Permitted != needed || held.Effective != needed || held.Inheritable|held.Ambient != 0 || !held.NoNewPrivs {
		t.Errorf("it holds %+v", held)
	}
	s := servers()[4]
	b.unit(s)
	if r := b.sh(0, "systemctl start web-"+s.name); r.Code == 0 {
		t.Fatal("it was not refused")
	}
	said := b.must(`for i in $(seq 500); do
	journalctl -u watch -p err --no-pager -o cat | grep -q no-capability && break
	sleep 0.02
done
journalctl -u watch -p err --no-pager -o cat`)
	if !strings.Contains(said, "(static, unit web-static.service): listen tcp :443: ") || !strings.Contains(said, "[no-capability]") ||
		!strings.Contains(said, "AmbientCapabilities=CAP_NET_BIND_SERVICE") {
		t.Errorf("the journal has %q", said)
	}
}

// What a machine lacks, the watch says in one line.
func TestMissing(t *testing.T) {
	m := lab(t)
	b := openBox(t, m, false)
	for _, tt := range []struct{ name, start, want string }{
		{"user", "/lab/watch", "takes cap_bpf and cap_perfmon; not effective: cap_perfmon,cap_bpf"},
		{"user namespace", "unshare -Ur /lab/watch", "this is not the initial user namespace"},
	} {
		r := b.sh(1000, tt.start)
		if r.Code != 77 || strings.Count(r.Output, "\n") != 1 || !strings.Contains(r.Output, tt.want) {
			t.Errorf("%s: status %d: %s", tt.name, r.Code, r.Output)
		}
	}
	for _, tt := range []struct{ name, start, want string }{
		{"BTF", "unshare -m sh -c 'mount -t tmpfs tmpfs /sys && exec /lab/watch'", "does not describe its types"},
		{"one capability", "capsh --drop=cap_sys_admin,cap_perfmon -- -c /lab/watch", "not effective: cap_perfmon"},
		{"cgroup", "/lab/watch -cgroup /tmp", "/tmp is no cgroup of version 2"},
	} {
		r := b.sh(0, tt.start)
		if r.Code != 77 && tt.name != "cgroup" || strings.Count(r.Output, "\n") != 1 || !strings.Contains(r.Output, tt.want) {
			t.Errorf("%s: status %d: %s", tt.name, r.Code, r.Output)
		}
	}
}

// Names that are made to look like something else are escaped.
func TestHostileNames(t *testing.T) {
	m := lab(t)
	b := openBox(t, m, false)
	b.watch()
	name := "a\x1b[2Jb\n; touch pwned #'"
	b.must("printf %s '" + hex.EncodeToString([]byte("/srv/"+name)) + `' | xxd -r -p >/run/name; cp /lab/static "$(cat /run/name)"`)
	r := b.sh(1000, `exec "$(cat /run/name)"`)
	if r.Code == 0 {
		t.Fatal("it was not refused")
	}
	told := b.told(`"a\x1b[2Jb\n; touch "`)
	for _, text := range []string{told.Command, told.Exe, told.Report.String(), told.Report.Headline} {
		if strings.ContainsAny(text, "\x1b") || strings.Contains(text, "\n;") {
			t.Errorf("%q", text)
		}
	}
	for _, f := range told.Report.Fixes {
		b.apply(f)
	}
	if r := b.sh(0, "ls /pwned /srv/pwned pwned 2>/dev/null"); r.Output != "" {
		t.Error("a name became a command: ", r.Output)
	}
}
