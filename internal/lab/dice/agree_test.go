//go:build linux

package dice

import (
	"encoding/json"
	"strings"
	"testing"
)

// The forms of a report that say the same pass, and each difference is seen.
func TestAgree(t *testing.T) {
	const report = `{"ok": false, "errno": "EACCES",
		"causes": [{"id": "no-capability", "certainty": "proven", "summary": "never granted", "detail": "nobody granted it"}],
		"gates": [{"name": "port", "answer": "no"}, {"name": "permitted", "answer": "no"}],
		"fixes": [{"id": "setcap", "steps": [{"run": "setcap x=+p /y"}]}]}`
	const text = "bind: never granted\n\ncause (proven): nobody\n  granted it\nfix: give it (until then):\n  setcap x=+p /y\n"
	for _, c := range []struct{ name, from, to, want string }{
		{"alike", "", "", ""},
		{"no such cause in the text", "nobody\n  granted", "somebody\n  granted", "does not have its detail"},
		{"a fix without its command", "setcap x=+p /y\n", "setcap x=+p /z\n", "the text has"},
		{"a fix that the text lacks", "fix: give it (until then):\n  setcap x=+p /y\n", "", "the text has 0 fixes"},
		{"a gate that says yes", `"permitted", "answer": "no"`, `"permitted", "answer": "yes"`, "every gate says yes"},
		{"another headline", "bind: never granted", "bind: always granted", "the one line is"},
		{"no cause at all", `{"id": "no-capability", "certainty": "proven", "summary": "never granted", "detail": "nobody granted it"}`, "", "without a cause"},
	} {
		o := Outcome{Said: Said{Text: strings.Replace(text, c.from, c.to, 1)}}
		o.Said.Line, _, _ = strings.Cut(o.Said.Text, "\n")
		if err := json.Unmarshal([]byte(strings.Replace(report, c.from, c.to, 1)), &o.Report); err != nil {
			t.Fatal(err)
		}
		wrong, err := agree(Situation{}, o)
		if err != nil {
			t.Fatal(err)
		}
		found := c.want == "" && len(wrong) == 0
		for _, w := range wrong {
			found = found || c.want != "" && strings.Contains(w.Shown, c.want)
		}
		if !found {
			t.Errorf("%s: %v, not %q", c.name, wrong, c.want)
		}
	}
}

// The lines that are pasted are those of each fix, whole and without their indent.
func TestBlocks(t *testing.T) {
	text := "cause: x\n  indented\nfix: a long\n     summary (lasts):\n  printf 'a' |\n    sudo tee b\n  c\nor: another (lasts):\n  d\nno help: e\n"
	got := blocks(text)
	want := []string{"printf 'a' |\n  sudo tee b\nc\n", "d\n"}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%q, not %q", got, want)
	}
}

// A script makes the situation, and leaves what is asked for to the lab.
func TestScript(t *testing.T) {
	s, err := ParseSituation("file=none place=nested wrapper=script address=lo4")
	if err != nil {
		t.Fatal(err)
	}
	script := Verdict{Situation: s, Wrong: []Wrong{{'a', "x", "y"}}}.Script()
	for _, want := range []string{
		"# file=none place=nested wrapper=script address=lo4\n", "# a: said x; y\n", "needs script\n", "args 127.0.0.1:443\n",
		"-- place --\nunshare -m -n sh ", "-- program --\nexec setpriv --reuid=app --regid=app --init-groups script -qec '/srv/app/server '\"$*\" /dev/null\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q in\n%s", want, script)
		}
	}
}
