package launch

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"time"
)

// A file of variables is read as systemd.exec(5) says of EnvironmentFile=.
func TestParseVariables(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"A=b", "A=b|"},
		{"  A = b c \t\nB=\n", "A=b c|B=|"},
		{"# A=b\n; B=c\nno line\nC=d", "C=d|"},
		{"A='b \\ c' \nB=\"x \\$y \\z\"", `A=b \ c|B=x $y \z|`},
		{"A='b' \"c\"d", "A=bcd|"},
		{"A=b\"c\"'d'", `A=b"c"'d'|`},
		{"A=b\\\nc\\d\\ ", "A=bcd |"},
		{"A=\"b\nc\"", "A=b\nc|"},
		{"A=b\r\nB=c", "A=b|B=c|"},
		{"A='open", "A=open|"},
	} {
		all, err := parseVariables([]byte(tt.text))
		got := ""
		for _, v := range all {
			got += v.name + "=" + v.value + "|"
		}
		if got != tt.want || err != nil {
			t.Errorf("%q: %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
	if _, err := parseVariables([]byte("A=\xff")); !errors.As(err, new(*stop)) {
		t.Errorf("not UTF-8: %v", err)
	}
}

// systemd itself puts variables into a command: alone they are words, in braces parts of one, and
// no shell has a say. What it would put in without a word of the unit is not known.
func TestVariables(t *testing.T) {
	const unit = "-- srv/e --\nF=file\nE=last\n-- srv/app.service --\n[Service]\nEnvironment=\"W=-n 5\" P=/srv/%p E=first G=gone H=%H Q=\"'a b' c\" N=\n" +
		"EnvironmentFile=/srv/e\nUnsetEnvironment=G\nExecStart=/bin/x "
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"$W ${W} a$W", []string{"-n", "5", "-n 5", "a$W"}},
		{"${P}/x$${P}", []string{"/srv/app/x${P}"}},
		{"$E ${F} $N ${N}", []string{"last", "file", ""}},
		{"$Q", []string{"a b", "c"}},
		{"$G $H ${X}b", []string{mark, mark, mark + "b"}},
		{"${W a$", []string{"${W", "a$"}},
	} {
		u, err := Read(disk(unit+tt.args+"\n"), "/srv/app.service")
		if err != nil {
			t.Fatal(err)
		}
		c, err := u.Main("")
		if err != nil || !slices.Equal(c.Argv[1:], tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.args, c.Argv[1:], err, tt.want)
		}
	}
	for _, line := range []string{"EnvironmentFile=/srv/none", "EnvironmentFile=/srv"} { // of which nothing is known
		u := read(t, "Environment=A=b\n"+line)
		if got := u.variables("${A}"); !slices.Equal(got, []string{mark}) {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// A pattern is answered as glob(7) does, and after so many folders not at all.
func TestGlob(t *testing.T) {
	disk := fstest.MapFS{"srv/a.env": {}, "srv/b.env": {}, "srv/.hidden": {}, "srv/x/y": {}}
	for pattern, want := range map[string][]string{
		"/srv/*.env": {"srv/a.env", "srv/b.env"}, "/srv/[!a].env": {"srv/b.env"}, "/srv/*": {"srv/a.env", "srv/b.env", "srv/x"},
		"/srv/.*": {"srv/.hidden"}, "/srv/*/y": {"srv/x/y"}, "/none/*": nil,
	} {
		if got, err := glob(disk, pattern); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", pattern, got, err, want)
		}
	}
	for _, pattern := range []string{"/srv/[", "/srv/{a,b}*", `/srv/\a*`} {
		if got, err := glob(disk, pattern); err == nil {
			t.Errorf("%s: %q", pattern, got)
		}
	}
	wide := fstest.MapFS{}
	for i := range maxGlob + 1 {
		wide["d/"+time.Duration(i).String()+"/f"] = &fstest.MapFile{}
	}
	if got, err := glob(wide, "/*/*/*"); err == nil {
		t.Errorf("more folders than are read: %d files", len(got))
	}
}
