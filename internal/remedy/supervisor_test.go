package remedy

import (
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// What a supervisor started is mended in its own files and words, and never started beside it.
func TestFixesOfSupervised(t *testing.T) {
	by := func(s facts.Supervisor) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Launcher.Supervisor = known(s) }
	}
	const line = "setpriv --reuid=app --regid=1000 --init-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service -- /srv/app -v"
	percent := func(f *facts.Facts) { f.Command.Args = known([]string{"app", "%h;x"}) }
	runit := facts.Supervisor{Kind: "runit", Service: "/etc/sv/web", Run: "/etc/sv/web/run"}
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    string
		content string // of the edit, "" for none
		last    string // the last step of the first fix
	}{
		{"runit", []func(*facts.Facts){by(runit)}, "supervisor setcap sysctl", "exec " + line, "sudo sv restart /etc/sv/web"},
		{"runit in a unit", []func(*facts.Facts){unit, by(runit)}, "supervisor setcap sysctl", "exec " + line, "sudo sv restart /etc/sv/web"},
		{"runit in a container", []func(*facts.Facts){docker, by(runit)}, "container compose image", "", ""},
		{"runit, and where is not known", []func(*facts.Facts){by(facts.Supervisor{Kind: "runit", Service: "web"})}, "setcap sysctl", "", "sudo sv restart web"},
		{"runit, and it may be an option", []func(*facts.Facts){by(facts.Supervisor{Kind: "runit", Service: "-web"})}, "setcap setpriv sysctl", "", "sudo setcap cap_net_bind_service=+p /srv/app"},
		{"an ordinary user's", []func(*facts.Facts){by(facts.Supervisor{Kind: "s6", UID: 1000, Service: "/home/app/web", Run: "/home/app/web/run"})}, "setcap sysctl", "", "s6-svc -r /home/app/web"},
		{"s6", []func(*facts.Facts){by(facts.Supervisor{Kind: "s6", Service: "/run/service/web", Run: "/run/service/web/run"})}, "supervisor setcap sysctl", "exec " + line, "sudo s6-svc -r /run/service/web"},
		{"s6 with execline", []func(*facts.Facts){by(facts.Supervisor{Kind: "s6", Service: "/run/service/web", Run: "/run/service/web/run", Execline: true})}, "supervisor setcap sysctl", line, "sudo s6-svc -r /run/service/web"},
		{"s6 with execline, and a word to quote", []func(*facts.Facts){percent, by(facts.Supervisor{Kind: "s6", Service: "/run/service/web", Run: "/run/service/web/run", Execline: true})}, "setcap sysctl", "", "sudo s6-svc -r /run/service/web"},
		{"supervisord", []func(*facts.Facts){by(facts.Supervisor{Kind: "supervisord", Service: "web"})}, "supervisor setcap sysctl", "[program:web]\nuser=root\ncommand=" + line, "sudo supervisorctl update web"},
		{"supervisord, one of several", []func(*facts.Facts){by(facts.Supervisor{Kind: "supervisord", Service: "web:web_1"})}, "setcap sysctl", "", "sudo supervisorctl restart web:web_1"},
		{"supervisord, and what it reads as a comment", []func(*facts.Facts){percent, by(facts.Supervisor{Kind: "supervisord", Service: "web"})}, "setcap sysctl", "", "sudo supervisorctl restart web"},
		{"pm2", []func(*facts.Facts){by(facts.Supervisor{Kind: "pm2", UID: 1000, Service: "0"})}, "setcap sysctl", "", "pm2 restart 0"},
		{"stamped since", []func(*facts.Facts){stamped1, by(runit)}, "restart supervisor sysctl", "", "sudo sv restart /etc/sv/web"},
	} {
		var ids []string
		content, last := "", ""
		for i, fix := range fixesOf(app(tt.changes...), low) {
			ids = append(ids, fix.ID)
			if i == 0 {
				if fix.ID == "supervisor" {
					content = strings.TrimSuffix(fix.Steps[0].Content, "\n")
				}
				if end := fix.Steps[len(fix.Steps)-1]; end.Edit == "" {
					last = end.Run + end.Start
				}
			}
		}
		if got := strings.Join(ids, " "); got != tt.want || content != tt.content || last != tt.last {
			t.Errorf("%s: %q, want %q\n%q, want %q\n%q, want %q", tt.name, got, tt.want, content, tt.content, last, tt.last)
		}
	}
}
