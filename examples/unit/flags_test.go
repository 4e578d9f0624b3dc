package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/unit"
)

// What a drop-in would not say is refused, and not left out.
func TestDropIn(t *testing.T) {
	for flags, ok := range map[string]bool{
		"-user app -group app -workdir /srv -write /srv/a -after x.service -wants x.service -requires x.service -outbound -jit": true,
		"-socket -listen :443 -description web": true,
		"-name web":                             false, "-type notify": false, "-env A=1": false, "-env-file /etc/web": false,
		"-restart always": false, "-restart-sec 1": false, "-wanted-by web.target": false,
	} {
		o, err := parse(append([]string{"-drop-in", "web.service"}, strings.Fields(flags)...))
		if err == nil {
			_, err = o.files()
		}
		if (err == nil) != ok {
			t.Errorf("%s: %v", flags, err)
		}
	}
}

// The help names each flag once.
func TestHelp(t *testing.T) {
	var named []string
	for _, task := range tasks {
		named = append(named, strings.Fields(task.flags)...)
	}
	f, _ := define()
	f.VisitAll(func(f *flag.Flag) {
		if i := slices.Index(named, f.Name); i < 0 || slices.Contains(named[i+1:], f.Name) {
			t.Errorf("-%s is not named once: %q", f.Name, named)
		}
	})
}

// Each mistake is one line.
func TestMistakes(t *testing.T) {
	for args, says := range map[string]string{
		"":                               "one of -exec and -drop-in is needed: see unit -h",
		"-x":                             "no flag -x: -h lists them",
		"-exec":                          "flag needs an argument: -exec",
		"-exec /srv/a b":                 `"b" is no flag: the command is one argument of -exec`,
		"-remove web -exec /srv/a":       "-remove takes no other flag",
		"-remove /etc/systemd/system/a":  "-remove takes the name of a unit, and no path",
		"-exec /srv/a -restart-sec many": `invalid value "many" for flag -restart-sec: parse error`,
	} {
		if _, err := parse(strings.Fields(args)); err == nil || err.Error() != says {
			t.Errorf("unit %s: %v", args, err)
		}
	}
}

// What this program wrote is found by its first line, and what others wrote stays.
func TestWritten(t *testing.T) {
	dir := t.TempDir()
	ours := func(name string) unit.File { return unit.File{Name: name, Content: unit.Written + "\n[Unit]\n"} }
	if err := write(dir, []unit.File{ours("web.service"), ours("web.socket"), ours("old.service.d/50-lowport-unit.conf")}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old.service", "foreign.service"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("[Service]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"web":     "[web.socket web.service] [web.socket web.service] <nil>",
		"old":     "[old.service.d/50-lowport-unit.conf] [] <nil>",
		"foreign": "[] [] " + filepath.Join(dir, "foreign.service") + " was not written by this program",
		"none":    "[] [] " + dir + " has no file of none that this program wrote",
	} {
		files, units, err := written(dir, name)
		if got := fmt.Sprint(files, units, err); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
