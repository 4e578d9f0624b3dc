package audit

import (
	"slices"
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		line        string
		fields      cronFields
		runs, loads string
	}{
		{"* * * * * root /srv/job.sh -v", cronFields{5, true}, "/srv/job.sh", ""},
		{"* * * * * app /srv/job.sh", cronFields{5, true}, "", ""},
		{"* * * * * /srv/job.sh", cronFields{5, false}, "/srv/job.sh", ""},
		{"\t@reboot   /srv/job.sh", cronFields{5, false}, "/srv/job.sh", ""},
		{"@daily root /srv/job.sh", cronFields{5, true}, "/srv/job.sh", ""},
		{"1 5 daily nice /srv/job.sh", cronFields{3, false}, "/srv/job.sh", ""},
		{"# * * * * * root /srv/job.sh", cronFields{5, true}, "", ""},
		{"* * * * * root cd /srv/app && ./run >>/srv/log", cronFields{5, true}, "/srv/app /root/run /srv/app/run", ""},
		{"* * * * * root /srv/a >/srv/log 2> /srv/err", cronFields{5, true}, "/srv/a", ""},
		{"* * * * * root backup", cronFields{5, true}, "", ""},
		{"PATH=/srv/jj:/usr/bin:bin", cronFields{5, true}, "", "/srv/jj /usr/bin /root/bin"},
		{" SHELL = \"/srv/sh\"", cronFields{5, true}, "", "/srv/sh"},
		{"LD_PRELOAD=/srv/a.so /srv/b.so", cronFields{5, true}, "", "/srv/a.so /srv/b.so"},
		{"MAILTO=/srv/x", cronFields{5, true}, "", ""},
	} {
		runs, loads := commands([]byte("\n"+c.line+"\n"), c.fields)
		if strings.Join(runs, " ") != c.runs || strings.Join(loads, " ") != c.loads {
			t.Errorf("%q: %q, %q", c.line, runs, loads)
		}
	}
}

// Ten times as many words are ten times as many files at most.
func TestNamedGrowth(t *testing.T) {
	count := func(n int) int { return len(named(slices.Repeat([]string{"/a", "./b"}, n), "/root")) }
	if one, ten := count(1000), count(10_000); ten > 11*one {
		t.Errorf("%d, and of ten times as many words %d", one, ten)
	}
}

func TestToldTo(t *testing.T) {
	for _, c := range []struct {
		base, args            string
		files, values, module string
		opaque                bool
	}{
		{"python3", "python3 /srv/run data", "/srv/run", "", "", true},
		{"python3", "python3 app.py", "app.py", "", "", true},
		{"python3", "python3 -W ignore /srv/run.py data", "ignore /srv/run.py", "", "", true},
		{"python3.11", "/usr/bin/python3.11 -m mymod -x", "", "", "mymod", false},
		{"pypy", "pypy -mmymod", "", "", "mymod", false},
		{"bash", "bash -o pipefail /srv/b data", "pipefail /srv/b", "", "", true},
		{"bash", "bash --rcfile /srv/rc -i", "", "/srv/rc", "", false},
		{"bash", "-bash", "", "", "", false},
		{"dash", "sh -s", "", "", "", false},
		{"node", "node --inspect -r /srv/hook.js s.js", "s.js", "/srv/hook.js", "", true},
		{"java", "java -Xmx1g -cp /srv/a.jar:/srv/b.jar org.Main start", "org.Main", "/srv/a.jar /srv/b.jar", "", true},
		{"perl", "perl -I /srv/lib -w /srv/run", "/srv/run", "/srv/lib", "", true},
		{"perl", "perl -wne 1 /srv/data", "", "", "", false},
		{"busybox", "busybox sh /srv/run", "/srv/run", "", "", true},
	} {
		if !interprets(c.base) {
			t.Errorf("%s: no interpreter", c.base)
		}
		got := toldTo(c.base, strings.Fields(c.args))
		if strings.Join(got.files, " ") != c.files || strings.Join(got.values, " ") != c.values || got.module != c.module || got.opaque != c.opaque {
			t.Errorf("%s: %+v", c.args, got)
		}
	}
	if got := toldTo("python3", []string{"gunicorn: master [app]"}); !got.opaque {
		t.Errorf("a title: %+v", got)
	}
	if got := toldTo("bash", []string{"sh", "-ec", "sleep 1;/srv/job.sh"}); strings.Join(named(got.code, "/"), " ") != "/srv/job.sh" {
		t.Errorf("code: %+v", got)
	}
}
