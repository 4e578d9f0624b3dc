package launch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Whatever lies in the place of a unit is an error or read, in bounded time and memory: huge
// files, many lines of every kind, links in a circle, pipes, noise.
func TestBounded(t *testing.T) {
	const service = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
	lines := func(format string) string {
		var b strings.Builder
		b.WriteString(service)
		for i := range maxLines/2 - 2 {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	noise := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	text := []byte(service)
	for range 1 << 17 {
		text = append(text, "=[]%$\\\"';#-+!@: \tAEcnrsx\n"[r.IntN(25)])
	}
	for name, content := range map[string]string{
		"many lines":      service + strings.Repeat("X=\n", maxLines),
		"continued":       service + strings.Repeat("X\\\n", 1<<20),
		"huge":            service + strings.Repeat("#", 10<<20),
		"one line":        "[Service]\nExecStart=" + strings.Repeat("/x ", maxFile/4),
		"unknown keys":    lines("X%d=1\n"),
		"unknown words":   lines("CapabilityBoundingSet=CAP_%d\n"),
		"bad values":      lines("Nice=x%d\n"),
		"commands":        lines("ExecStart=/bin/x%d\n"),
		"commands before": lines("ExecStartPre=/bin/x%d\n"),
		"bad commands":    lines("ExecStart=-x/%d\n"),
		"paths":           lines("ReadWritePaths=/x%d\n"),
		"optional paths":  lines("ReadOnlyPaths=-/x%d /x%[1]d\n"),
		"processors":      lines("CPUAffinity=1-8000,%d\n"),
		"conditions":      lines("[Unit]\nConditionPathExists=|/x%d\n"),
		"requirements":    lines("[Unit]\nRequires=x%d.service\n"),
		"groups":          lines("SupplementaryGroups=g%d\n"),
		"files":           lines("EnvironmentFile=/x%d\n"),
		"filters":         lines("SystemCallFilter=x%d\n"),
		"ports":           lines("SocketBindDeny=%d\n"),
		"sections":        lines("[X%d]\n"),
		"credentials":     lines("LoadCredential=a%d:/x\n"),
		"noise":           string(noise),
		"specifiers":      "[Service]\nExecStart=/" + strings.Repeat("%n", 1<<19) + "\n",
		"printed noise":   string(text),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "app.service")
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			start(t, file)
		})
	}
}

// start goes through all that is asked of a unit.
func start(t *testing.T, file string) {
	root := os.DirFS("/")
	u, err := Read(root, file)
	if err != nil {
		t.Logf("%.200v", err)
		return
	}
	look := func(user, group string) (facts.Account, error) { return facts.Account{Name: "x", UID: 7, GID: 7}, nil }
	who, err := u.Account(look)
	if err != nil {
		return
	}
	command, err := u.Main("")
	if err != nil {
		return
	}
	if err := u.Check(root, command, who, "/"); err != nil {
		return
	}
	_, _ = u.Start(facts.Facts{}, facts.Fact[caps.State]{}.Now(caps.State{}), command, who)
	u.Unlooked()
	if len(u.Notes) > maxNotes+1 {
		t.Errorf("%d notes", len(u.Notes))
	}
}

// A link in a circle, a pipe, a folder and a device are no units, and no drop-ins.
func TestNoFiles(t *testing.T) {
	makes := map[string]func(path string) error{
		"circle": func(p string) error { return os.Symlink(p, p) },
		"pipe":   func(p string) error { return syscall.Mkfifo(p, 0o644) },
		"folder": func(p string) error { return os.Mkdir(p, 0o755) },
		"device": func(p string) error { return os.Symlink("/dev/zero", p) },
	}
	for name, make := range makes {
		dir := t.TempDir()
		file := filepath.Join(dir, "app.service")
		if err := make(file); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(os.DirFS("/"), file); err == nil {
			t.Errorf("a %s is read", name)
		}
		dir = t.TempDir()
		file = filepath.Join(dir, "app.service")
		if err := os.WriteFile(file, []byte("[Service]\nExecStart=/bin/true\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(file+".d", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := make(filepath.Join(file+".d", "10.conf")); err != nil {
			t.Fatal(err)
		}
		u, err := Read(os.DirFS("/"), file)
		t.Logf("a %s as a drop-in: %d settings, %v", name, len(u.set), err)
		if name != "circle" && err != nil {
			t.Errorf("a %s as a drop-in: %v", name, err)
		}
	}
}

// Many drop-ins are read up to a bound.
func TestManyDropIns(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "app.service")
	if err := os.WriteFile(file, []byte("[Service]\nExecStart=/bin/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	big := "[Service]\n" + strings.Repeat("#", maxFile/2)
	for i := range 20 {
		if err := os.WriteFile(fmt.Sprintf("%s.d/%02d.conf", file, i), []byte(big), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Read(os.DirFS("/"), file); err == nil {
		t.Errorf("%d bytes of drop-ins were read", 20*len(big))
	}
}
