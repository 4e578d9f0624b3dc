package launch

import (
	"errors"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
)

// The program behind each wrapper, and what the wrapper changes.
func TestUnwrap(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"taskset 1 /srv/app :443", "/srv/app :443"},
		{"/usr/bin/taskset -c 0-3 /srv/app", "/srv/app"},
		{"taskset -c 1 /srv/app", "doubt"},
		{"taskset -p 1 700", "doubt"},
		{"taskset 1", "error"},
		{"nice /srv/app", "/srv/app"},
		{"nice -n -5 /srv/app", "/srv/app"},
		{"nice -10 /srv/app", "/srv/app"},
		{"nice --adjustment=3 -- /srv/app -v", "/srv/app -v"},
		{"ionice -c3 /srv/app", "/srv/app"},
		{"ionice -c 1 -n 0 /srv/app", "/srv/app refused"},
		{"chrt -f 10 /srv/app", "/srv/app refused"},
		{"chrt --other 0 /srv/app", "/srv/app"},
		{"env A=1 B=2 /srv/app", "/srv/app"},
		{"env -i PATH=/srv app", "app PATH=/srv closes"},
		{"env -u LISTEN_FDS /srv/app", "/srv/app closes"},
		{"env -S /srv/app", "doubt"},
		{"env --unset=LISTEN_PID /srv/app", "/srv/app closes"},
		{"env --unset=HOME -u USER /srv/app", "/srv/app"},
		{"env -u PATH app", "app PATH=/bin:/usr/bin"},
		{"env --unset PATH app", "app PATH=/bin:/usr/bin"},
		{"env - app", "app PATH=/bin:/usr/bin closes"},
		{"env LISTEN_FDS=1 app", "app closes"},
		{"env", "error"},
		{"sh -c 'exec \"$@\"' sh /srv/app :443", "/srv/app :443"},
		{"bash -c 'exec -a web \"$@\"' bash /srv/app", "/srv/app"},
		{"sh -c 'exec -a web /srv/app'", "doubt"},
		{"bash -c 'exec -a'", "doubt"},
		{"bash -c 'exec -a web'", "doubt"},
		{"sh -c exec", "doubt"},
		{"sh -c A=1", "doubt"},
		{"sh -c '\"$@\"' sh /srv/app :443", "/srv/app :443 may-fork"},
		{"timeout -k 5 10s /srv/app", "/srv/app forks"},
		{"timeout --signal=KILL 10 /srv/app", "/srv/app forks"},
		{"setarch -R /srv/app", "/srv/app"},
		{"setarch x86_64 --addr-no-randomize /srv/app", "/srv/app"},
		{"setarch vax /srv/app", "doubt"},
		{"linux32 /srv/app", "/srv/app"},
		{"numactl --cpunodebind=0 -m 0 /srv/app", "/srv/app"},
		{"numactl --membind=all -l --physcpubind=0-3 /srv/app", "/srv/app"},
		{"numactl -m 1 /srv/app", "doubt"},
		{"setarch", "error"},
		{"stdbuf -oL -e 0 /srv/app", "/srv/app"},
		{"nohup /srv/app", "/srv/app"},
		{"tini -g -- /srv/app", "/srv/app forks"},
		{"catatonit -- /srv/app", "/srv/app forks"},
		{"catatonit /srv/app -v", "error"}, // it takes options from behind the program too
		{"catatonit -g -- /srv/app -v", "/srv/app -v forks"},
		{"dumb-init --rewrite 15:3 /srv/app", "/srv/app forks"},
		{"gosu app:www /srv/app", "/srv/app as app:www"},
		{"s6-setuidgid app /srv/app", "/srv/app as app"},
		{"chpst -u app:www -n 5 /srv/app", "/srv/app as app:www"},
		{"chpst -/ /jail /srv/app", "doubt"},
		{"runuser -u app -- /srv/app :443", "/srv/app :443 as app refused forks"},
		{"runuser app -c '/srv/app :443'", "/srv/app :443 as app refused forks may-fork"},
		{"runuser - app -c /srv/app", "doubt"},
		{"su app -s /bin/sh -c 'exec /srv/app'", "/srv/app as app refused forks"},
		{"su -c '/srv/app; true' app", "doubt"},
		{"su -c 'exec /srv/app'", "/srv/app as root refused forks"},
		{"sudo -u app -E /srv/app", "/srv/app as app forks closes"},
		{"sudo -i /srv/app", "doubt"},
		{"start-stop-daemon --start --chuid app --exec /srv/app -- -v :443", "/srv/app -v :443 as app"},
		{"start-stop-daemon -S -x /srv/app -b -m -p /run/x", "doubt"},
		{"start-stop-daemon -S -c app:www -x /srv/app", "/srv/app as app:www"},
		{"start-stop-daemon -S -c app:adm -g www -x /srv/app", "/srv/app as app:www"},
		{"start-stop-daemon --stop --exec /srv/app", "doubt"},
		{"setpriv --reuid=app --regid app --init-groups --nnp /srv/app", "/srv/app as app:app nnp"},
		{"setpriv --securebits=+noroot /srv/app", "doubt"},
		{"sh -c 'exec /srv/app \"$@\"'", "/srv/app $@"},
		{"sh -c 'A=1 /srv/app -x \"a b\"'", "/srv/app -x a b may-fork"},
		{"bash -ec '/srv/app && true'", "doubt"},
		{"sh -c '$APP'", "doubt"},
		{"sh -c 'exec taskset 1 $APP'", "taskset 1 $APP"},
		{"sh -c 'if true'", "doubt"},
		{"sh -e /srv/run.sh", "script /srv/run.sh"},
		{"sh", "doubt"},
		{"/srv/app :443", "none"},
	} {
		if got := unwrapped(split(tt.line)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.line, got, tt.want)
		}
	}
	if w, _, _ := Unwrap([]string{"taskset", "1", mark + "APP"}); w.Doubt == "" {
		t.Error("what a shell has not yet expanded is taken as it is")
	}
}

// unwrapped is what a command line says, in words.
func unwrapped(argv []string) string {
	w, ok, err := Unwrap(argv)
	switch {
	case !ok:
		return "none"
	case err != nil:
		return "error"
	case w.Doubt != "":
		return "doubt"
	}
	all := w.Command
	if w.Script != "" {
		all = append(all, "script", w.Script)
	}
	if w.User != "" {
		all = append(all, "as", strings.TrimRight(w.User+":"+w.Group, ":"))
	}
	for word, is := range map[string]bool{"nnp": w.NoNewPrivs} {
		if is {
			all = append(all, word)
		}
	}
	if w.Path != "" {
		all = append(all, "PATH="+w.Path)
	}
	for _, is := range []struct {
		word string
		is   bool
	}{{"refused", w.Refused != ""}, {"forks", w.Forks}, {"may-fork", w.MayFork}, {"closes", w.Closes}} {
		if is.is {
			all = append(all, is.word)
		}
	}
	return strings.ReplaceAll(strings.Join(all, " "), mark, "$")
}

// A script is read as far as it only sets things up.
func TestShellScript(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"#!/bin/sh -e\nexec /srv/app \"$@\"\n", "/srv/app $@"},
		{"#!/bin/sh\nset -eu\nexport PATH=/srv\nA=1\ncd /srv\n\numask 022\nexec app -x \\\n  -y\n", "app -x -y PATH=/srv dir=/srv"},
		{"/srv/app\n", "/srv/app forks"},
		{"cd\nexec /srv/app\n", "/srv/app"},
		{"/srv/app\necho done\n", "doubt"},
		{"test -e /x && exit\nexec /srv/app\n", "doubt"},
		{"for i in 1; do\nexec /srv/app\ndone\n", "doubt"},
		{"exec $APP\n", "doubt"},
		{"export PATH=$PATH:/srv\nexec app\n", "doubt"},
		{"set -e\n", "doubt"},
		{"", "doubt"},
		{"exec /srv/app >/dev/null\n", "doubt"},
		{"exec '/srv/app\n", "doubt"},
	} {
		w := Wrap{}.ShellScript(tt.text)
		got := strings.ReplaceAll(strings.Join(w.Command, " "), mark, "$")
		if w.Forks {
			got += " forks"
		}
		if w.Path != "" {
			got += " PATH=" + w.Path
		}
		if w.Dir != "" {
			got += " dir=" + w.Dir
		}
		if w.Doubt != "" {
			got = "doubt"
		}
		if got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
}

// What a change of user and setpriv(1)'s lists leave of the sets.
func TestApply(t *testing.T) {
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	root := caps.State{Permitted: full, Effective: full, Bounding: full, Inheritable: bind, Ambient: bind}
	app := caps.UIDs{Real: 1000, Effective: 1000, Saved: 1000}
	for _, tt := range []struct {
		line string
		from caps.State
		want caps.State
	}{
		{"gosu app /srv/app", root, caps.State{Bounding: full, Inheritable: bind}},
		{"setpriv --reuid=app /srv/app", root, caps.State{Permitted: full, Effective: full, Bounding: full, Inheritable: bind, Securebits: caps.KeepCaps}},
		{"setpriv --reuid=app --ambient-caps=+net_bind_service /srv/app", root,
			caps.State{Permitted: full, Effective: full, Bounding: full, Inheritable: bind, Ambient: bind, Securebits: caps.KeepCaps}},
		{"setpriv --bounding-set=-all --inh-caps=-all /srv/app", root, caps.State{Permitted: full, Effective: full}},
		{"setpriv --bounding-set=+all /srv/app", caps.State{Bounding: full}, caps.State{Bounding: full}},
		{"nice /srv/app", root, root},
	} {
		w, _, err := Unwrap(split(tt.line))
		if err != nil {
			t.Fatal(err)
		}
		who := caps.UIDs{}
		if w.User != "" {
			who = app
		}
		if got, err := w.Apply(tt.from, caps.UIDs{}, who); err != nil || got != tt.want {
			t.Errorf("%s: %v %v, want %v", tt.line, got, err, tt.want)
		}
	}
	w, _, _ := Unwrap(split("setpriv --ambient-caps=+net_bind_service /srv/app"))
	if _, err := w.Apply(caps.State{Bounding: full}, app, app); err == nil {
		t.Error("an ambient capability out of nothing")
	}
	w, _, _ = Unwrap(split("setpriv --bounding-set=-all /srv/app"))
	if _, err := w.Apply(caps.State{Bounding: full}, app, app); !errors.Is(err, errVersions) {
		t.Error(err)
	}
}

// Whatever a script or a command holds, it is read or in doubt.
func FuzzShellScript(f *testing.F) {
	f.Add("#!/bin/sh\nset -e\nexec nice \"$@\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		w := Wrap{}.ShellScript(text)
		if w.Doubt == "" && len(w.Command) == 0 {
			t.Error("neither a program nor a doubt")
		}
		for range 4 {
			next, ok, err := Unwrap(append(w.Command, "x"))
			if !ok || err != nil || len(next.Command) == 0 {
				return
			}
			w = next
		}
	})
}

// What a unit keeps a wrapper from doing.
func TestPermits(t *testing.T) {
	for _, tt := range []struct {
		unit, exec string
		permitted  bool
	}{
		{"LockPersonality=yes", "/usr/bin/setarch -R /srv/app", false},
		{"LockPersonality=yes", "+/usr/bin/setarch -R /srv/app", true},
		{"LockPersonality=yes", "/usr/bin/setarch x86_64 -v /srv/app", true},
		{"LockPersonality=yes", "/usr/bin/linux32 /srv/app", false},
		{"LockPersonality=no", "/usr/bin/setarch -R /srv/app", true},
		{"RestrictRealtime=yes", "/usr/bin/chrt 5 /srv/app", false},
		{"RestrictRealtime=yes", "/usr/bin/chrt --other 0 /srv/app", true},
		{"PrivateUsers=yes", "/usr/bin/setpriv --reuid=app /srv/app", false},
		{"PrivateUsers=yes", "/usr/bin/nice /srv/app", true},
	} {
		u := read(t, tt.unit+"\nExecStart=\nExecStart="+tt.exec)
		command, err := u.Main("")
		if err != nil {
			t.Fatal(err)
		}
		w, ok, err := Unwrap(command.Argv)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", tt.exec, ok, err)
		}
		if err := u.Permits(command, w); (err == nil) != tt.permitted {
			t.Errorf("%s, %s: %v", tt.unit, tt.exec, err)
		}
	}
}
