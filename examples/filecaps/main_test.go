//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

func run(args []string, stdin string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	std := stdio{strings.NewReader(stdin), &out, &err}
	if args[0] == "getcap" {
		code = std.getcap(args[1:])
	} else {
		code = std.setcap(args[1:])
	}
	return out.String(), err.String(), code
}

// files makes a folder with programs, links and folders.
func files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "sub/c", "sub/deep/d", "sub/e"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("\x7fELF"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub", dir+"/sublink"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The C tools get the same arguments on a folder like ours, at the same path.
func TestLikeTheirs(t *testing.T) {
	needs.Root(t)
	tools := map[string]string{}
	for _, name := range []string{"getcap", "setcap"} {
		path, err := exec.LookPath(name)
		if err != nil {
			needs.Lack(t, name+" (package libcap2-bin)")
		}
		tools[name] = path
	}
	script := [][]string{
		{"getcap", "a"},
		{"getcap", "-v", "a", "sub", "none", "link", "b"},
		{"setcap", "cap_net_bind_service=+ep", "a"},
		{"getcap", "a", "b", "link"},
		{"setcap", "-v", "cap_net_bind_service=ep", "a"},
		{"setcap", "-v", "cap_net_bind_service=p", "a"},
		{"setcap", "-q", "-v", "cap_net_bind_service=p", "a"},
		{"setcap", "-v", "cap_kill,cap_net_bind_service=i", "a"},
		{"setcap", "-v", "cap_kill=e", "a"},
		{"setcap", "-v", "-r", "a"},
		{"setcap", "-v", "-r", "b"},
		{"setcap", "-v", "=", "b"},
		{"setcap", "cap_chown+p", "b", "all=ei", "sub/c", "=", "sub/deep/d"},
		{"setcap", "-n", "1000", "CAP_KILL,41=ip", "sub/e"},
		{"setcap", "-v", "cap_kill=ip", "sub/e"},
		{"setcap", "-v", "-n", "1000", "cap_kill,41=ip", "sub/e"},
		{"setcap", "-v", "-n", "1001", "cap_kill,41=ipe", "sub/e"},
		{"getcap", "-n", "-v", "a", "b", "sub/c", "sub/deep/d", "sub/e"},
		{"getcap", "-r", "."},
		{"getcap", "-r", "-n", "sub", "a", "link", "sublink", "none", "sub/"},
		{"setcap", "-r", "a"},
		{"setcap", "-r", "a"},
		{"setcap", "-r", "b", "-r", "none", "-r", "sub/c"},
		{"setcap", "cap_chown=p", "sub"},
		{"setcap", "cap_chown=p", "link"},
		{"setcap", "-r", "link"},
		{"setcap", "cap_chown=p", "none"},
		{"setcap", "-", "a"},
		{"setcap", "-q", "-", "a"},
		{"getcap", "-r", "."},
	}
	messages := len(script) // from here on they are ours
	script = append(script, [][]string{
		{"setcap", "cap_chown=p cap_kill=ep", "a"},
		{"setcap", "cap_chwn=p", "a"},
		{"setcap", "cap_chown=p"},
		{"setcap", "-n", "0", "cap_chown=p", "a"},
		{"setcap"},
		{"getcap"},
		{"getcap", "-z"},
		{"getcap", "-r", "."},
	}...)
	const stdin = "cap_kill=p\ncap_chown=p\n\n"
	type result struct {
		stdout, stderr string
		code           int
	}
	play := func(run func(args []string) result) (all []result) {
		t.Chdir(files(t))
		for _, args := range script {
			all = append(all, run(args))
		}
		return all
	}
	ours := play(func(args []string) (r result) {
		r.stdout, r.stderr, r.code = run(args, stdin)
		return r
	})
	theirs := play(func(args []string) result {
		cmd := exec.Command(tools[args[0]], args[1:]...)
		cmd.Stdin = strings.NewReader(stdin)
		var out, err bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &err
		_ = cmd.Run()
		return result{out.String(), err.String(), cmd.ProcessState.ExitCode()}
	})
	for i, args := range script {
		if i >= messages {
			ours[i].stderr = theirs[i].stderr
		}
		if ours[i] != theirs[i] {
			t.Errorf("%q:\nours   %+v\ntheirs %+v", args, ours[i], theirs[i])
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Chdir(files(t))
	if err := os.WriteFile("script", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := run([]string{"setcap", "cap_chown=p", "script"}, ""); code != 1 || !strings.Contains(stderr, "interpreter") {
		t.Error(stderr, code)
	}
	if _, stderr, code := run([]string{"setcap", "-v", "=", "none"}, ""); code != 1 || !strings.Contains(stderr, "No such file") {
		t.Error(stderr, code)
	}
	if _, stderr, code := run([]string{"setcap", "cap_net_bnd_service=p", "a"}, ""); code != 1 || !strings.Contains(stderr, "nearest is cap_net_bind_service") {
		t.Error(stderr, code)
	}
	needs.Root(t)
	if _, stderr, code := run([]string{"setcap", "-f", "cap_chown=p", "script"}, ""); code != 0 {
		t.Error(stderr, code)
	}
}
