package remedy

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

const id64 = "69487c8e945ae65c7b5bc706cd0ec539537ba5dc16fe575381ae3ec149dbf9ae"

// The holder of a port is ended by what runs it.
func TestHolderEnded(t *testing.T) {
	at := netip.MustParseAddrPort("0.0.0.0:443")
	deaf := facts.Socket{PID: 77, UID: 1000, Deaf: true}
	docker := facts.Socket{PID: 77, Cgroup: "/system.slice/docker.service"}
	ours := facts.Socket{PID: 77, Cgroup: "/system.slice/app.service"}
	in := func(cgroup string) facts.Socket { return facts.Socket{PID: 77, Cgroup: cgroup, Deaf: true} }
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		socket  facts.Socket
		want    string // the commands
		says    string // what the fix depends on, and costs
	}{
		{"a first process that catches SIGTERM", nil, facts.Socket{PID: 77, UID: 1000}, "kill 77", ""},
		{"a first process that does not", nil, deaf, "kill -KILL 77", "all of its pid namespace ends, at once"},
		{"docker-proxy", nil, docker, "sudo sh -c 'docker stop $(docker ps -q --filter publish=443/tcp)'", "if a container publishes the port, and it is not Docker's own"},
		{"podman, by systemd", nil, in("/machine.slice/libpod-" + id64 + ".scope/container"), "sudo podman stop 69487c8e945a", "the whole container ends"},
		{"podman, by itself", nil, in("/libpod_parent/libpod-" + id64), "sudo podman stop 69487c8e945a", "the whole container ends"},
		{"docker, by systemd", nil, in("/system.slice/docker-" + id64 + ".scope"), "sudo docker stop 69487c8e945a", "the whole container ends"},
		{"docker, by itself", nil, in("/docker/" + id64), "sudo docker stop 69487c8e945a", "the whole container ends"},
		{"the operator's podman", nil, in("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id64 + ".scope"), "podman stop 69487c8e945a", "the whole container ends"},
		{"another user's podman", nil, in("/user.slice/user-7.slice/user@7.service/user.slice/libpod-" + id64 + ".scope"), "", ""},
		{"a pod", nil, in("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id64 + ".scope"), "", ""},
		{"a Quadlet unit", nil, in("/system.slice/web.service/libpod-payload-" + id64), "sudo systemctl stop web.service", ""},
		{"a name like one", nil, in("/libpod-1"), "sudo kill -KILL 77", "all of its pid namespace ends, at once"},
		{"what our unit left behind", []func(*facts.Facts){unit}, ours, "sudo systemctl kill app.service\nsudo systemctl restart app.service",
			"if an earlier start left it behind; every process of app.service ends first"},
		{"a name like our user's unit", []func(*facts.Facts){userUnit}, ours, "", ""},
	} {
		s := tt.socket
		s.Network, s.Addr, s.Listen = "tcp", at, true
		f := app(append(tt.changes, holds, func(f *facts.Facts) { f.Net.Sockets = known([]facts.Socket{s}) })...)
		var fix report.Fix
		for _, each := range fixesOf(f, low) {
			if each.ID == "stop-owner" {
				fix = each
			}
		}
		var runs, says []string
		for _, step := range fix.Steps {
			runs = append(runs, step.Run)
		}
		for _, text := range []string{fix.Depends, fix.Costs} {
			if text != "" {
				says = append(says, text)
			}
		}
		if got := strings.Join(runs, "\n"); got != tt.want || strings.Join(says, "; ") != tt.says {
			t.Errorf("%s: %q, %q, want %q, %q", tt.name, got, says, tt.want, tt.says)
		}
	}
}
