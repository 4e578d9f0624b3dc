package remedy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

const id64 = "69487c8e945ae65c7b5bc706cd0ec539537ba5dc16fe575381ae3ec149dbf9ae"

// The holder of a port is ended by what runs it.
func TestHolderEnded(t *testing.T) {
	at := netip.MustParseAddrPort("0.0.0.0:443")
	deaf := facts.Socket{PID: 77, UID: 1000, Ends: facts.Ends{Deaf: true, First: true}}
	docker := facts.Socket{PID: 77, Cgroup: "/system.slice/docker.service"}
	ours := facts.Socket{PID: 77, Cgroup: "/system.slice/app.service"}
	in := func(cgroup string) facts.Socket {
		return facts.Socket{PID: 77, Cgroup: cgroup, Ends: facts.Ends{Deaf: true, First: true}}
	}
	stopped := facts.Socket{PID: 77, UID: 1000, Ends: facts.Ends{Stopped: true}}
	of := func(unit string, ends facts.UnitEnds) facts.Socket {
		return facts.Socket{PID: 77, Inode: 5, Cgroup: "/system.slice/" + unit, Ends: facts.Ends{Unit: ends}}
	}
	by := func(s facts.Supervisor) facts.Socket {
		return facts.Socket{PID: 77, Cgroup: "/system.slice/supervisor.service", Ends: facts.Ends{Supervisor: s}}
	}
	userOwned := func(below string, uid uint32) facts.Socket {
		return facts.Socket{PID: 77, UID: uid, Inode: 5, Cgroup: fmt.Sprintf("/user.slice/user-%d.slice/user@%d.service/%s", uid, uid, below)}
	}
	const other = "sudo setpriv --reuid=7 --clear-groups env XDG_RUNTIME_DIR=/run/user/7 sh -c '"
	operator2 := func(f *facts.Facts) { f.Launcher.Operator.Value.SamePID = false }
	root := func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }
	const find = `$(find /proc/[0-9]*/fd -lname "socket:[[]5]" | cut -d/ -f3 | grep -vx 1 | sort -u)`
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		socket  facts.Socket
		want    string // the commands
		says    string // what the fix depends on, and costs
	}{
		{"a first process that catches SIGTERM", nil, facts.Socket{PID: 77, UID: 1000}, "kill 77", ""},
		{"a first process that does not", nil, deaf, "kill -KILL 77", "all of its pid namespace ends"},
		{"docker-proxy", nil, docker, "sudo sh -c 'docker stop $(docker ps -q --filter publish=443/tcp)'", "if a container publishes the port, and it is not Docker's own"},
		{"podman, by systemd", nil, in("/machine.slice/libpod-" + id64 + ".scope/container"), "sudo podman stop 69487c8e945a", "the whole container ends"},
		{"podman, by itself", nil, in("/libpod_parent/libpod-" + id64), "sudo podman stop 69487c8e945a", "the whole container ends"},
		{"docker, by systemd", nil, in("/system.slice/docker-" + id64 + ".scope"), "sudo docker stop 69487c8e945a", "the whole container ends"},
		{"docker, by itself", nil, in("/docker/" + id64), "sudo docker stop 69487c8e945a", "the whole container ends"},
		{"the operator's podman", nil, in("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id64 + ".scope"), "podman stop 69487c8e945a", "the whole container ends"},
		{"another user's podman", nil, in("/user.slice/user-7.slice/user@7.service/user.slice/libpod-" + id64 + ".scope"), "", ""},
		{"a pod", nil, in("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id64 + ".scope"), "", ""},
		{"a Quadlet unit", nil, in("/system.slice/web.service/libpod-payload-" + id64), "sudo systemctl stop web.service", ""},
		{"a name like one", nil, in("/libpod-1"), "sudo kill -KILL 77", "all of its pid namespace ends"},
		{"what our unit left behind", []func(*facts.Facts){unit}, ours, "sudo systemctl kill app.service\nsudo systemctl restart app.service",
			"if an earlier start left it behind; every process of app.service ends first"},
		{"one that is stopped", nil, stopped, "kill -CONT 77\nkill 77", ""},
		{"one that ignores SIGTERM", nil, facts.Socket{PID: 77, UID: 1000, Ends: facts.Ends{Deaf: true, Stopped: true}}, "kill -KILL 77", "at once, since SIGTERM does not end it"},
		{"one that ignores SIGTERM, of a unit", nil, facts.Socket{PID: 77, Cgroup: "/system.slice/x.service", Ends: facts.Ends{Deaf: true}}, "sudo systemctl stop x.service", ""},
		{"one that ignores SIGTERM, found by its socket", []func(*facts.Facts){operator2}, facts.Socket{PID: 77, Inode: 5, Ends: facts.Ends{Deaf: true}}, "sudo sh -c 'kill -KILL " + find + "'", "at once, since SIGTERM does not end it"},
		{"one that is stopped, found by its socket", []func(*facts.Facts){operator2}, facts.Socket{PID: 77, Inode: 5, Ends: facts.Ends{Stopped: true}}, "sudo sh -c 'p=" + find + "; kill -CONT $p && kill $p'", ""},
		{"a hidden one", nil, facts.Socket{Inode: 5}, "sudo sh -c 'p=" + find + "; kill -CONT $p && kill $p'", "unless it ignores SIGTERM, or is started again at once"},
		{"what cron started", nil, of("cron.service", facts.UnitEnds{KillMode: "process"}), "sudo kill 77", "unless cron.service starts it again"},
		{"what ssh left, hidden", nil, facts.Socket{Inode: 5, Cgroup: "/system.slice/ssh.service", Ends: facts.Ends{Unit: facts.UnitEnds{KillMode: "process"}}},
			"sudo sh -c 'p=" + find + "; kill -CONT $p && kill $p'", "unless ssh.service starts it again; nobody can log in by ssh then"},
		{"what cron started, and root asks", []func(*facts.Facts){root}, of("cron.service", facts.UnitEnds{KillMode: "process"}), "kill 77", "unless cron.service starts it again"},
		{"ssh's main process", nil, of("ssh.service", facts.UnitEnds{KillMode: "process", Main: true}), "sudo systemctl stop ssh.service", "nobody can log in by ssh then"},
		{"one of a unit that stops nothing", nil, of("x.service", facts.UnitEnds{KillMode: "none", Main: true}), "sudo kill 77", "unless x.service starts it again"},
		{"one of a unit that has its own way to stop", nil, of("x.service", facts.UnitEnds{KillMode: "process", Stops: true}), "sudo systemctl stop x.service", ""},
		{"what a unit that ended left behind", nil, of("x.service", facts.UnitEnds{Inactive: true, Stops: true}), "sudo kill 77", ""},
		{"runit's", nil, by(facts.Supervisor{Kind: "runit", Service: "/etc/sv/web"}), "sudo sv stop /etc/sv/web", ""},
		{"runit's, and root asks", []func(*facts.Facts){root}, by(facts.Supervisor{Kind: "runit", Service: "/etc/sv/web"}), "sv stop /etc/sv/web", ""},
		{"s6's", nil, by(facts.Supervisor{Kind: "s6", Service: "/run/service/web"}), "sudo s6-svc -d /run/service/web", ""},
		{"the operator's s6", nil, by(facts.Supervisor{Kind: "s6", UID: 1000, Service: "/run/service/web"}), "s6-svc -d /run/service/web", ""},
		{"another user's s6", nil, by(facts.Supervisor{Kind: "s6", UID: 7, Service: "/run/service/web"}), "sudo systemctl stop supervisor.service", "all that supervisor.service supervises ends"},
		{"supervisord's", nil, by(facts.Supervisor{Kind: "supervisord", Service: "web:1"}), "sudo supervisorctl stop web:1", ""},
		{"supervisord's, and which is not known", nil, by(facts.Supervisor{Kind: "supervisord"}), "sudo systemctl stop supervisor.service", "all that supervisor.service supervises ends"},
		{"pm2's", nil, by(facts.Supervisor{Kind: "pm2", UID: 1000, Service: "0"}), "pm2 stop 0", ""},
		{"a name that would be an option", nil, by(facts.Supervisor{Kind: "runit", Service: "-web"}), "sudo systemctl stop supervisor.service", "all that supervisor.service supervises ends"},
		{"a name like our user's unit", []func(*facts.Facts){userUnit}, ours, "sudo systemctl stop app.service", ""},
		{"a user's service", nil, userOwned("app.slice/web.service", 1000), "systemctl --user stop web.service", ""},
		{"a user's service, of the name of ours", []func(*facts.Facts){unit}, userOwned("app.slice/app.service", 1000), "systemctl --user stop app.service", ""},
		{"what our user's unit left behind", []func(*facts.Facts){userUnit}, userOwned("app.slice/app.service", 1000), "systemctl --user kill app.service\nsystemctl --user restart app.service",
			"if an earlier start left it behind; every process of app.service ends first"},
		{"another user's service, of the name of ours", []func(*facts.Facts){userUnit}, userOwned("app.slice/app.service", 7), other + "systemctl --user stop app.service'", ""},
		{"another user's service, and root asks", []func(*facts.Facts){root}, userOwned("app.slice/web.service", 7), strings.TrimPrefix(other, "sudo ") + "systemctl --user stop web.service'", ""},
		{"another user's socket unit", nil, userOwned("app.slice/web.socket", 7), other + "systemctl --user stop web.socket $(systemctl --user show -p Triggers --value web.socket)'", ""},
		{"a socket of a user's manager", nil, userOwned("init.scope", 1000), "systemctl --user stop $(systemctl --user list-sockets --no-legend | sed -n \"s/ -//;s/^0[.]0[.]0[.]0:443 *//p\")", ""},
		{"a hidden socket of a user's manager", nil, facts.Socket{Inode: 5, Cgroup: "/user.slice/user-1000.slice/user@1000.service/init.scope"}, "systemctl --user stop $(systemctl --user list-sockets --no-legend | sed -n \"s/ -//;s/^0[.]0[.]0[.]0:443 *//p\")", ""},
		{"a socket of another user's manager", nil, userOwned("init.scope", 7), other + "systemctl --user stop $(systemctl --user list-sockets --no-legend | sed -n \"s/ -//;s/^0[.]0[.]0[.]0:443 *//p\")'", ""},
		{"what a user has in a session", nil, facts.Socket{PID: 77, Cgroup: "/user.slice/user-7.slice/session-3.scope"}, "sudo kill 77", ""},
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

// A holder that a container does not see is ended on the host, where root sees it too.
func TestHolderOutside(t *testing.T) {
	hidden := held(facts.Socket{Inode: 5, UID: 0})
	asRoot := func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    string // the summary and the first words of the command, "" for no fix
	}{
		{"of a container", []func(*facts.Facts){docker}, "on the host, stop what holds the port: sudo sh"},
		{"of a container, and its root asks", []func(*facts.Facts){docker, asRoot}, "on the host, stop what holds the port: sudo sh"},
		{"of a sandbox", []func(*facts.Facts){sandbox}, "outside of the program's pid namespace, stop what holds the port: sudo sh"},
		{"of the machine", nil, "stop what holds the port: sudo sh"},
		{"of the machine, whose root sees all", []func(*facts.Facts){asRoot}, ""},
	} {
		got := ""
		for _, fix := range fixesOf(app(append(tt.changes, holds, hidden)...), low) {
			if fix.ID == "stop-owner" {
				got = fix.Summary + ": " + strings.Join(strings.Fields(fix.Steps[0].Run)[:2], " ")
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A shell in the container can stamp the file there, if its bounding set has cap_setfcap.
func TestSetcapInside(t *testing.T) {
	shell := func(o facts.Operator) func(*facts.Facts) {
		o.SamePID, o.SameRoot = true, true
		return func(f *facts.Facts) { f.Launcher.Operator = known(o) }
	}
	able := caps.State{Bounding: caps.SetOf(caps.SETFCAP)}
	for _, tt := range []struct {
		name   string
		change func(*facts.Facts)
		want   string
	}{
		{"root's", shell(facts.Operator{State: able}), "setcap cap_net_bind_service=+p /srv/app"},
		{"a user's", shell(facts.Operator{State: able, UID: 1000}), "sudo setcap cap_net_bind_service=+p /srv/app"},
		{"without cap_setfcap", shell(facts.Operator{}), ""},
		{"none", func(f *facts.Facts) { f.Launcher.Operator = facts.Fact[facts.Operator]{State: facts.Absent} }, ""},
	} {
		got := ""
		for _, fix := range fixesOf(app(docker, tt.change), low) {
			if fix.ID == "setcap" {
				got = fix.Steps[0].Run
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
