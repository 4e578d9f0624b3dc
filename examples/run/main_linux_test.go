package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// The test binary is run itself, or a compiled server, when it is told so.
func TestMain(m *testing.M) {
	switch os.Getenv("BE") {
	case "run":
		os.Setenv("BE", "server")
		main()
	case "server":
		if _, err := net.Listen("tcp4", ":443"); err != nil {
			fmt.Println(err)
		}
		status, _ := os.ReadFile("/proc/self/status")
		fmt.Printf("%s", status)
	default:
		os.Exit(m.Run())
	}
}

const python = `
import socket
try: socket.create_server(("", 443))
except OSError as e: print(e)
print(open("/proc/self/status").read())`

const node = `
const fs = require("fs"), s = require("net").createServer()
const end = e => { if (e) console.log(e.code); console.log(fs.readFileSync("/proc/self/status", "utf8")); process.exit() }
s.on("error", end).listen(443, "0.0.0.0", () => end())`

// eff is an effective set with cap_net_bind_service, bit 10.
var eff = regexp.MustCompile(`CapEff:\t[0-9a-f]{13}[4-7c-f]`)

// TestSideBySide starts each kind of server by setpriv and by run, with the
// same flags, in a network namespace where nothing listens and 443 is
// privileged, and compares what /proc says they hold.
func TestSideBySide(t *testing.T) {
	needs.Root(t, "setpriv", "unshare", "/usr/bin/python3", "node")
	server := openCopy(t)
	const bind = "--inh-caps=+net_bind_service --ambient-caps=+net_bind_service --bounding-set=-all,+net_bind_service "
	for _, flags := range []string{
		"--reuid=nobody --regid=nogroup --init-groups " + bind,
		"--reuid=nobody --regid=nogroup --clear-groups --no-new-privs " + bind,
		"--reuid=www-data --regid=7 --init-groups " + bind,
		"--reuid=4711 --regid=4712 --keep-groups --nnp " + bind,
		"--reuid=nobody --regid=nogroup --init-groups",
		"--bounding-set=-all",
		"--inh-caps=+net_raw,-net_admin --bounding-set=-sys_admin",
		"--no-new-privs",
	} {
		for name, command := range map[string][]string{
			"server": {server},
			"python": {"/usr/bin/python3", "-c", python},
			"node":   {"node", "-e", node},
		} {
			args := append(strings.Fields(flags), "--")
			args = append(args, command...)
			want := output(t, "server", append([]string{"setpriv"}, args...))
			got := output(t, "run", append([]string{server}, args...))
			if got != want || strings.Count(want, "\n") < 9 {
				t.Errorf("%s %s\nsetpriv:\n%s\nrun:\n%s", name, flags, want, got)
			}
			bound := !strings.Contains(strings.ToLower(got), "denied") && !strings.Contains(got, "EACCES")
			if granted := eff.FindString(got) != ""; bound != granted {
				t.Errorf("%s %s: bound is %t\n%s", name, flags, bound, got)
			}
		}
	}
}

// output is what a server printed, but for the lines of /proc/self/status that
// say nothing about privilege.
func output(t *testing.T, be string, args []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "unshare", append([]string{"--net", "--"}, args...)...)
	cmd.Env = append(os.Environ(), "BE="+be, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", args, err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		switch name, _, isStatus := strings.Cut(line, ":\t"); {
		case !isStatus, name == "Uid", name == "Gid", name == "Groups", name == "NoNewPrivs", strings.HasPrefix(name, "Cap"):
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestStatus checks that the end of the program is the end of run.
func TestStatus(t *testing.T) {
	for command, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 128 + 15} {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "--", "sh", "-c", command)
		cmd.Env = append(os.Environ(), "BE=run")
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit status %d, want %d", command, got, want)
		}
	}
}

// TestSignals checks that a signal for the program gets there through run, that one
// which is ignored stays so, and that run outlives what a terminal sends to both.
func TestSignals(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ before, program, want string }{
		{"trap '' HUP", "kill -HUP $PPID; kill -HUP $$; echo ignored", "ignored\n"},
		{"trap '' INT", "kill -INT $PPID; kill -INT $$; echo ignored", "ignored\n"},
		{":", "trap 'echo heard; exit' TERM; kill -TERM $PPID; for i in $(seq 1000); do sleep 0.02; done", "heard\n"},
		{":", "trap 'echo heard; exit' USR1; kill -USR1 $PPID; for i in $(seq 1000); do sleep 0.02; done", "heard\n"},
		{":", "kill -QUIT $PPID; kill -INT $PPID; sleep 0.1; echo ended", "ended\n"},
	} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", c.before+`; exec "$0" -- sh -c "$1"`, self, c.program)
		cmd.Env = append(os.Environ(), "BE=run")
		if out, err := cmd.Output(); err != nil || string(out) != c.want {
			t.Errorf("%s; %s: %q, %v", c.before, c.program, out, err)
		}
	}
}

// TestRefuses checks that what setpriv refuses does not start the program, as
// root even.
func TestRefuses(t *testing.T) {
	for _, flags := range []string{
		"--reuid=", "--reuid= --regid= --clear-groups", "--regid= --clear-groups", "--reuid=no-such-user", "--regid=33",
		"--init-groups", "--inh-caps=", "--inh-caps=net_raw", "--inh-caps=+net_rw",
	} {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", append(strings.Fields(flags), "--", "true")...)
		cmd.Env = append(os.Environ(), "BE=run")
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != 64 {
			t.Errorf("%s: exit status %d, want 64", flags, got)
		}
	}
}

// openCopy is this test binary where every user may execute it.
func openCopy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lowport-run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(dir+"/server", b, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir + "/server"
}
