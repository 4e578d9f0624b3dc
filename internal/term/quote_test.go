package term

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
	"github.com/lowport/lowport/internal/term/termtest"
)

// shells are those of this machine, each with the words before its script.
func shells(t testing.TB) [][]string {
	var found [][]string
	for _, sh := range [][]string{{"sh"}, {"bash"}, {"dash"}, {"ksh"}, {"zsh"}, {"fish"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(sh[0]); err == nil {
			found = append(found, sh)
		}
	}
	for _, sh := range []string{"sh", "bash", "dash", "zsh", "fish"} {
		if !slices.ContainsFunc(found, func(s []string) bool { return s[0] == sh }) {
			t.Logf("without %s, which is not here", sh)
			if needs.Required() {
				t.Fatal("needs " + sh)
			}
		}
	}
	if len(found) == 0 {
		needs.Lack(t, "a POSIX shell: sh")
	}
	return found
}

// words returns the words that a shell makes of the line.
func words(t testing.TB, sh []string, line string) []string {
	t.Helper()
	script := `printf '%s\0' ` + line
	out, err := exec.Command(sh[0], append(sh[1:], "-c", script)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%q\n%q", sh, err, line, out)
	}
	all := strings.Split(string(out), "\x00")
	return all[:len(all)-1]
}

// dollar reports whether the shell knows $'…', which a word that ends in a newline
// needs (POSIX since 2024).
func dollar(t testing.TB, sh []string) bool { return sh[0] != "fish" && words(t, sh, "$'a'")[0] == "a" }

// Every word comes back byte for byte from every shell, and the quoted form can
// be shown.
func FuzzQuote(f *testing.F) {
	for _, s := range termtest.Hostile {
		f.Add(s)
	}
	shells := shells(f)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") || len(s) > 1<<12 {
			t.Skip("no argument")
		}
		quoted := Quote(s)
		for _, c := range quoted {
			if !strconv.IsPrint(c) || c == '\ufffd' {
				t.Fatalf("%q has the unprintable %q", quoted, c)
			}
		}
		for _, sh := range shells {
			if strings.HasPrefix(quoted, "$'") && !dollar(t, sh) {
				continue
			}
			if got := words(t, sh, quoted); len(got) != 1 || got[0] != s {
				t.Errorf("%v: %q became %s became %q", sh, s, quoted, got)
			}
		}
	})
}

// A line that is pasted meets an interactive shell, where "!" means more.
func TestQuoteInteractive(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("needs bash")
	}
	script := "set -o history; set -H; unset PS1; PS1=; HISTFILE=\n: before\n"
	var want []string
	for _, s := range termtest.Hostile {
		script += `printf '%s\0' ` + Quote(s) + "\n"
		want = append(want, s)
	}
	cmd := exec.Command("bash", "--norc", "--noprofile", "--noediting", "-i")
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HISTFILE="}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(out), "\x00")
	for i, s := range want {
		if i >= len(got) || got[i] != s {
			t.Fatalf("%q (%s) became %q", s, Quote(s), got[min(i, len(got)-1)])
		}
	}
}
