package lowport_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// elsewhere are commands that only some machines can answer: they ask a service or
// a security module, or name a file that need not be there.
var elsewhere = regexp.MustCompile(`^(systemctl|journalctl|ausearch|bpftool|getfattr) |/attr/current|/etc/authbind|if_inet6|net\.ipv6|docker\.sock`)

// The commands of the operator's pages run as they are pasted, once the words in
// capitals are replaced.
func TestCommandsByHand(t *testing.T) {
	program, err := exec.LookPath("true")
	if err != nil {
		needs.Lack(t, "true")
	}
	process := exec.Command("cat") // waits for its input, which never comes
	process.Env = append(os.Environ(), "AUTHBIND_LIB=of authbind")
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { input.Close(); process.Wait() }()
	words := map[string]string{
		"PROGRAM": program, "PID": strconv.Itoa(process.Process.Pid), "USER": "nobody", "UID": "65534",
		"PORT": "443", "CAPBND": "0000000000000400", "UNIT": "app.service", "NAME": "localhost",
	}
	word := regexp.MustCompile(`\b[A-Z]{3,}\b`)
	quoted := regexp.MustCompile(`AUTHBIND|OPTIONS`) // of the commands themselves
	seen := 0
	for _, page := range []string{"docs/causes.md", "docs/audit.md"} {
		for _, block := range fence.FindAllStringSubmatch(text(t, page), -1) {
			for line := range strings.Lines(block[2]) {
				seen++
				line = strings.TrimSuffix(line, "\n")
				command := word.ReplaceAllStringFunc(line, func(w string) string {
					if words[w] == "" && !quoted.MatchString(w) {
						t.Errorf("%s: %q: what is %s?", page, line, w)
					}
					return cmp.Or(words[w], w)
				})
				t.Run(line, func(t *testing.T) { byHand(t, command) })
			}
		}
	}
	if seen < 50 {
		t.Errorf("%d commands: this test sees too little", seen)
	}
}

// byHand runs a command in a shell, if the tool is here.
func byHand(t *testing.T, command string) {
	bare, asRoot := strings.CutPrefix(command, "sudo ")
	bare = strings.Replace(bare, "services localhost", "services https", 1)
	tool, _, _ := strings.Cut(bare, " ")
	if strings.Trim(tool, "abcdefghijklmnopqrstuvwxyz") != "" || strings.Contains(bare, " #") { // zsh has no comments
		t.Fatal("this is prose")
	}
	if out, err := exec.Command("sh", "-n", "-c", bare).CombinedOutput(); err != nil {
		t.Fatalf("no shell command: %v\n%s", err, out)
	}
	if elsewhere.MatchString(bare) {
		return
	}
	if _, err := exec.LookPath(tool); err != nil {
		needs.Lack(t, tool)
	}
	if asRoot && os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	out, err := exec.Command("sh", "-c", bare).CombinedOutput()
	for try := 0; err != nil && tool == "lsns" && try < 10; try++ { // it fails if a process ends while it looks
		out, err = exec.Command("sh", "-c", bare).CombinedOutput()
	}
	if tool == "strace" && errors.As(err, new(*exec.ExitError)) && strings.Contains(string(out), "PTRACE") {
		needs.Lack(t, "ptrace")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
