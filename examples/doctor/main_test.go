package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/guardtest"
)

// doctor runs a command line, and returns what it prints and its exit status.
func doctor(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	out, err := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = files[0], files[1]
	code = run(args)
	os.Stdout, os.Stderr = out, err
	var said [2]string
	for i, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		said[i] = string(b)
	}
	return said[0], said[1], code
}

// file writes a file, and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each mistake is one line on standard error that says what is missing.
func TestMistakes(t *testing.T) {
	notes := file(t, "notes.txt", "root:x:0:0\n")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 64, "no address: try doctor :443, or doctor -h"},
		{"-x :443", 64, "no flag -x: -h lists them"},
		{":443 -x", 64, "no flag -x: -h lists them"},
		{"-pid", 64, "flag needs an argument: -pid"},
		{"-pid x :443", 64, `invalid value "x" for flag -pid: want the number of a process`},
		{"-pid= :443", 64, `invalid value "" for flag -pid: want the number of a process`},
		{"-pid 0 :443", 69, "no process has the id 0"},
		{"-pid 1", 64, "no address: try doctor :443, or doctor -h"},
		{"-require netbind", 64, `invalid value "netbind" for flag -require: no capability "netbind": did you mean net_bind_service?`},
		{"-guard maybe -binary /bin/true :443", 64, `invalid value "maybe" for flag -guard: want yes or no`},
		{"-guard yes :443", 64, "-guard needs -pid or -binary or -unit or -user"},
		{"-allow x :443", 64, "-allow needs -audit"},
		{"-audit :443", 64, `-audit takes no address, and ":443" is one`},
		{"-audit -record", 64, "-record and -audit exclude each other"},
		{"-audit -allow /nonexistent", 66, "open /nonexistent: no such file or directory"},
		{"-audit -fail note", 64, `invalid value "note" for flag -fail: want critical, high or medium`},
		{"-record", 64, "-record takes one address"},
		{"-record :1 :2", 64, "-record takes one address"},
		{"-replay /nonexistent :443", 66, "open /nonexistent: no such file or directory"},
		{"-replay " + notes + " :443", 64, notes + " is no recording: it holds no evidence"},
		{"-replay x -authbind :443", 64, "-replay and -authbind exclude each other"},
		{"-binary /nonexistent :443", 66, "/nonexistent: no such file"},
		{"-unit nonexistent.service :443", 66, "nonexistent.service: no such file"},
		{"-user root :443", 64, "-user needs -binary or -unit"},
		{"udp/", 64, "an address is empty"},
		{"-explain no-capabilities", 64, `no cause or finding "no-capabilities": did you mean no-capability?`},
		{"-explain x", 64, `no cause or finding "x": -explain list lists them`},
		{"-decode netbind", 64, `no capability "netbind": did you mean net_bind_service?`},
		{"-completion csh", 64, `no completion for "csh": want bash, zsh or fish`},
	} {
		stdout, stderr, code := doctor(t, strings.Fields(c.args)...)
		if code != c.code || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "doctor: ") || !strings.Contains(stderr, c.says) {
			t.Errorf("doctor %s: exit status %d, %q, %q", c.args, code, stdout, stderr)
		}
	}
}

// A malformed address has a report of its own, whose first line says what is wrong with it.
func TestMalformedAddresses(t *testing.T) {
	for address, says := range map[string]string{
		"443":        `malformed address: 443 has no colon: did you mean ":443"? [address-invalid]`,
		"localhost":  "malformed address: localhost has no port: write localhost:PORT [address-invalid]",
		":443x":      `malformed address: "443x" is no port [address-invalid]`,
		":99999":     "port is not between 0 and 65535 [address-invalid]",
		"sctp/:443":  "malformed address: there is no network sctp [address-invalid]",
		"tcp/::1":    "malformed address: ::1 has no port: write [::1]:PORT [address-invalid]",
		"udp/[::1:8": "[address-invalid]",
	} {
		stdout, stderr, code := doctor(t, address)
		if line, _, _ := strings.Cut(stdout, "\n"); code != 64 || stderr != "" || !strings.HasSuffix(line, says) {
			t.Errorf("doctor %s: exit status %d, %q, %q", address, code, line, stderr)
		}
	}
}

// An empty argument is a mistake, as of a variable that is not set: nothing is asked then, and
// the status is that of a wrong command line.
func TestEmptyArguments(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{""}, "an address is empty"},
		{[]string{":0", ""}, "an address is empty"},
		{[]string{"-binary", "", ":443"}, "-binary has an empty value"},
		{[]string{"-unit", "", ":443"}, "-unit has an empty value"},
		{[]string{"-binary", "/bin/true", "-user", "", ":443"}, "-user has an empty value"},
		{[]string{"-replay", "", ":443"}, "-replay has an empty value"},
		{[]string{"-require", "", ":443"}, "it names no capability"},
		{[]string{"-guard=", "-binary", "/bin/true", ":443"}, "want yes or no"},
	} {
		stdout, stderr, code := doctor(t, c.args...)
		if code != 64 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("doctor %q: exit status %d, %q, %q", c.args, code, stdout, stderr)
		}
	}
}

// A file without an end is read up to a bound.
func TestEndlessRecording(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("this system has no file without an end: ", err)
	}
	if _, stderr, code := doctor(t, "-replay", "/dev/zero", ":443"); code != 64 || !strings.Contains(stderr, "/dev/zero is no recording: it has more than ") {
		t.Errorf("exit status %d, %q", code, stderr)
	}
}

// Flags may stand behind addresses; several addresses make one report.
func TestSeveralAddresses(t *testing.T) {
	machine := file(t, "machine.txtar", string(guardtest.OrdinaryUser))
	stdout, stderr, code := doctor(t, ":443", "udp/:53", "-replay", machine)
	if code != 77 || stderr != "" || strings.Count(stdout, "\ncause (") != 1 || !strings.HasPrefix(stdout, "listen tcp :443, udp :53: permission denied: nothing grants ") {
		t.Errorf("exit status %d, %q, %s", code, stderr, stdout)
	}
	if stdout, _, _ = doctor(t, ":443", ":80", "-json", "-replay", machine); !strings.HasPrefix(stdout, "[\n") {
		t.Errorf("JSON is no array: %s", stdout)
	}
}

// The status of several addresses is that of all of them together, if each alone can be had.
func TestSameAddressTwice(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	for _, flags := range [][]string{nil, {"-json"}} {
		stdout, stderr, code := doctor(t, append(flags, address, address)...)
		if code != 69 || stderr != "" || strings.Count(stdout, "the list has tcp "+address+" twice") == 0 || strings.Contains(stdout, "cannot be seen") {
			t.Errorf("%q: exit status %d, %q, %s", flags, code, stderr, stdout)
		}
	}
}

// Every id of a report is explained, and the list has it.
func TestExplain(t *testing.T) {
	list, _, _ := doctor(t, "-explain", "list")
	for id := range strings.Lines(list) {
		id = strings.TrimSpace(id)
		if text, stderr, code := doctor(t, "-explain", id); code != 0 || stderr != "" || !strings.HasPrefix(text, id+"\n") || !strings.Contains(text, "What helps: ") {
			t.Errorf("%s: exit status %d, %s%s", id, code, text, stderr)
		}
	}
	for _, id := range []string{"no-capability", "nosuid-mount", "root-capability", "way-to-root"} {
		if !strings.Contains(list, id+"\n") {
			t.Errorf("%s is not listed", id)
		}
	}
}

// Each notation of one set is decoded as that set.
func TestDecode(t *testing.T) {
	const mask = "0x0000000000000401=cap_chown,cap_net_bind_service\n"
	for _, text := range []string{
		"401", "0x401", "0000000000000401", "CapEff:\t0000000000000401", "chown,net_bind_service", "CAP_NET_BIND_SERVICE CAP_CHOWN",
		`["CAP_CHOWN", "NET_BIND_SERVICE"]`, "+chown,+net_bind_service", "cap_chown,cap_net_bind_service=ep", "cap_chown+p cap_net_bind_service=ep",
		"^cap_chown,^cap_net_bind_service", "0x010000020104000000000000000000000000000000"[:42], "security.capability=0sAQAAAgEEAAAAAAAAAAAAAAAAAAA=",
	} {
		if got, stderr, code := doctor(t, "-decode", text); code != 0 || !strings.Contains(got, mask) {
			t.Errorf("%q: exit status %d, %s%s", text, code, got, stderr)
		}
	}
	const whole = mask + `  systemd     CAP_CHOWN CAP_NET_BIND_SERVICE
  Kubernetes  CHOWN NET_BIND_SERVICE
  OCI         CAP_CHOWN CAP_NET_BIND_SERVICE
  setpriv     -all,+chown,+net_bind_service
`
	if got, _, _ := doctor(t, "-decode", "401"); got != whole {
		t.Errorf("%s", got)
	}
	if got, _, _ := doctor(t, "-decode", "~CAP_CHOWN"); strings.Contains(got, "cap_chown") || !strings.Contains(got, "cap_kill") {
		t.Errorf("%s", got)
	}
	if got, _, _ := doctor(t, "-json", "-decode", "=p cap_chown-p"); !strings.Contains(got, `"permitted":["CAP_DAC_OVERRIDE`) {
		t.Errorf("%s", got)
	}
}

// Help, the manual page and the package's comment say the same, and completions are
// what their shells understand.
func TestHelp(t *testing.T) {
	help, _, code := doctor(t, "-h")
	page, _, _ := doctor(t, "-man")
	comment, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	prose := strings.Join(strings.Fields(strings.ReplaceAll(string(comment), "//", "")), " ")
	for _, s := range statuses {
		if row := fmt.Sprint(s.code, " ", s.about); !strings.Contains(prose, row) || !strings.Contains(strings.Join(strings.Fields(help), " "), row) {
			t.Errorf("no row %q", row)
		}
	}
	for _, m := range modes() {
		if m.name != "" && (!strings.Contains(help, "-"+m.name) || !strings.Contains(page, `\-`+m.name)) {
			t.Errorf("-%s is missing", m.name)
		}
		if asks := m.name != "" && m.name != "user" && m.takes != "" || m.name == ""; asks && m.about != "" && !strings.Contains(prose, m.about) {
			t.Errorf("the package's comment does not say %q", m.about)
		}
	}
	if code != 0 {
		t.Errorf("exit status %d", code)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, _, code := doctor(t, "-completion", shell)
		if code != 0 || !strings.Contains(script, "doctor") {
			t.Errorf("%s: exit status %d", shell, code)
		}
		if _, err := exec.LookPath(shell); err != nil {
			continue // the gate has them
		}
		if out, err := exec.Command(shell, "-n", "-c", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
	script, _, _ := doctor(t, "-completion", "bash")
	ask := script + "\nCOMP_WORDS=(doctor -explain no-cap) COMP_CWORD=2; _doctor; echo ${COMPREPLY[@]}"
	if out, err := exec.Command("bash", "-c", ask).Output(); err == nil && string(out) != "no-capability\n" {
		t.Errorf("bash completes %q", out)
	}
}

func TestVersion(t *testing.T) {
	if got, _, code := doctor(t, "-version"); code != 0 || !strings.HasPrefix(got, "doctor of github.com/lowport/lowport ") || !strings.Contains(got, " go1.") {
		t.Errorf("exit status %d, %q", code, got)
	}
}
